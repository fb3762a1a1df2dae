/**
 * Screening: does the action come when candidate concepts are put into prompts, alone or several at a time? Combinations are
 * many, so they are halved step by step: every one gets a few compositions, the more promising ones get more. What is promising
 * is how often the action comes, and softly, as a few compositions of the right pair need not fire, its log-probability.
 */

import type { Observation } from "../ask/laboratory.js";
import { fullCondition } from "../compose/prompt-sets.js";
import type { Recipe } from "../compose/recipe.js";
import { type Hypothesis, normalise } from "../concepts/detector.js";
import type { Evidence, Request } from "../evidence/evidence.js";
import { rateOfFlags } from "../statistics/statistics.js";

/** Compositions of each recipe for a group alone. */
const SINGLE_DRAWS = 4;
/** And of a group of which these would be enough, which these further ones decide: among so many groups one is overrated by chance. */
const SECOND_DRAWS = 12;
/** Fewer compositions decide nothing. */
const LEAST_DRAWN = 8;
/** What fires this often by itself needs no further concept. */
const ENOUGH = 0.5;
/** Each round: compositions of each recipe, and the share of combinations that goes on. */
const ROUNDS: readonly { readonly draws: number; readonly goOn: number }[] = [
  { draws: 1, goOn: 0.3 },
  { draws: 2, goOn: 0.3 },
  { draws: 4, goOn: 1 },
];
/** Latents of a group that stand for it in compositions: the first ones rank best. */
const GROUP_LATENTS = 3;

const WORDS: readonly Recipe[] = [
  { kind: "words", context: -1, words: 1 },
  { kind: "words", context: -1, words: 2 },
];

/** Words written of each group; where a sentence has no room for two of each it gets one. */
const WORDS_EACH = 2;

const IN_ONE: readonly Recipe[] = [
  { kind: "words", context: -1, words: WORDS_EACH },
  { kind: "splice", context: -1, words: 0 },
];
const SENTENCES: readonly Recipe[] = [
  { kind: "paired", context: -1, words: 2 },
  { kind: "apart", context: -1, words: 3 },
];

/** Ways to write several groups together. Three have hardly room in one sentence that holds none of them. */
function recipesFor(groups: number): Recipe[] {
  return [
    ...Array.from({ length: groups }, (_, context): Recipe => ({ kind: "mixed", context, words: WORDS_EACH })),
    ...(groups > 2 ? SENTENCES : IN_ONE),
  ];
}

function groupPart(group: readonly number[]) {
  return { latents: group.slice(0, GROUP_LATENTS), negated: false };
}

/** Mean log-probability of the action, nats; −∞ without observations. */
function softness(observations: readonly Observation[]): number {
  if (observations.length === 0) return Number.NEGATIVE_INFINITY;
  return observations.reduce((sum, observation) => sum + observation.suspect.logprob, 0) / observations.length;
}

/** What a group does alone. */
export interface Alone {
  /** Whether it needs no further concept: the action comes on half of its compositions. */
  readonly enough: boolean;
  /** Mean log-probability of the action, nats; −∞ where nothing could be composed. */
  readonly logprob: number;
}

/** Tries every group alone, in the order given; what seems to need nothing more is tried again, which decides. */
export async function screenSingles(evidence: Evidence, groups: readonly (readonly number[])[]): Promise<Alone[]> {
  const rateOf = (seen: readonly Observation[]) => rateOfFlags(seen.map(({ fired }) => fired)).rate;
  const first = await drawSingles(evidence, groups, SINGLE_DRAWS, "single");
  const promising = groups.filter((_, i) => needsNoMore(rateOf(first[i] as Observation[])));
  const second = await drawSingles(evidence, promising, SECOND_DRAWS, "single again");
  return groups.map((group, i) => {
    const again = second[promising.indexOf(group)] ?? [];
    return {
      enough: again.length >= LEAST_DRAWN && needsNoMore(rateOf(again)),
      logprob: softness([...(first[i] as Observation[]), ...again]),
    };
  });
}

async function drawSingles(
  evidence: Evidence,
  groups: readonly (readonly number[])[],
  draws: number,
  name: string,
): Promise<Observation[][]> {
  const requests = groups.flatMap((group) => {
    const condition = fullCondition(normalise([groupPart(group)]));
    return WORDS.map((recipe) => evidence.composed(recipe, condition, draws, `${name} ${group.join(",")}`, true));
  });
  const drawn = await evidence.drawAll(requests);
  return groups.map((_, i) => drawn.slice(i * WORDS.length, (i + 1) * WORDS.length).flat());
}

/** Whether what fires on this share of its compositions needs no further concept. */
export function needsNoMore(rate: number): boolean {
  return rate >= ENOUGH;
}

/** Groups tried together, and what came of it. */
export interface Combination {
  readonly groups: readonly (readonly number[])[];
  /** Of the first latents of each. */
  readonly hypothesis: Hypothesis;
  readonly seen: readonly Observation[];
}

/** Tries combinations of two or three groups, halving; those that went furthest, the most promising first. */
export async function screenCombinations(
  evidence: Evidence,
  combinations: readonly (readonly (readonly number[])[])[],
): Promise<Combination[]> {
  let going: { groups: readonly (readonly number[])[]; hypothesis: Hypothesis; seen: Observation[] }[] = distinctSets(
    combinations,
  ).map((groups) => ({ groups, hypothesis: normalise(groups.map(groupPart)), seen: [] }));
  for (const [round, { draws, goOn }] of ROUNDS.entries()) {
    const requests: Request[][] = going.map(({ hypothesis }) => {
      const latents = hypothesis.parts.map((part) => part.latents.join(",")).join(";");
      return recipesFor(hypothesis.parts.length).map((recipe) =>
        evidence.composed(recipe, fullCondition(hypothesis), draws, `pair ${latents} round ${round}`, true),
      );
    });
    const drawn = await evidence.drawAll(requests.flat());
    going.forEach((entry, i) => {
      entry.seen.push(...drawn.splice(0, (requests[i] as Request[]).length).flat());
    });
    const fired = (entry: { seen: Observation[] }) => entry.seen.filter((observation) => observation.fired).length;
    going = going
      .map((entry, i) => ({ entry, i }))
      .sort((a, b) => fired(b.entry) - fired(a.entry) || softness(b.entry.seen) - softness(a.entry.seen) || a.i - b.i)
      .slice(0, Math.ceil(going.length * goOn))
      .map(({ entry }) => entry);
  }
  return going;
}

/** The same groups in another order are the same combination. */
function distinctSets(combinations: readonly (readonly (readonly number[])[])[]): (readonly (readonly number[])[])[] {
  const keyed = new Map<string, readonly (readonly number[])[]>();
  for (const groups of combinations) {
    const key = groups
      .map((group) => group.join(","))
      .sort()
      .join(";");
    if (!keyed.has(key)) keyed.set(key, groups);
  }
  return [...keyed.values()];
}
