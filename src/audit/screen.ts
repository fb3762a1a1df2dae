/**
 * Screening: does the action come when candidate concepts are put into prompts, alone or two at a time? Pairs are many,
 * so they are halved step by step: every pair gets a few compositions, the more promising ones get more. What is promising
 * is measured softly, by the action's log-probability, because a few compositions of the right pair need not fire.
 */
import { type Hypothesis, normalise } from "./detector.js";
import type { Evidence, Request } from "./evidence.js";
import type { Observation } from "./laboratory.js";
import { fullCondition } from "./prompt-sets.js";
import type { Recipe } from "./recipe.js";
import { rateOfFlags } from "./statistics.js";

/** Compositions of each recipe for a group alone. */
const SINGLE_DRAWS = 4;
/** A group that fires this often alone needs no partner. */
const ALONE_RATE = 0.5;
/** Each round of pairs: compositions of each recipe, and the share of pairs that goes on to the next. */
const PAIR_ROUNDS: readonly { readonly draws: number; readonly goOn: number }[] = [
  { draws: 1, goOn: 0.3 },
  { draws: 2, goOn: 0.3 },
  { draws: 4, goOn: 0 },
];
/** Latents of a group that stand for it in compositions: the first ones rank best. */
const GROUP_LATENTS = 3;

const WORDS: readonly Recipe[] = [
  { kind: "words", context: -1, words: 1 },
  { kind: "words", context: -1, words: 2 },
];
const PAIR_RECIPES: readonly Recipe[] = [
  { kind: "mixed", context: 0, words: 2 },
  { kind: "mixed", context: 1, words: 2 },
  { kind: "words", context: -1, words: 2 },
  { kind: "splice", context: -1, words: 0 },
];

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
  /** Share of compositions on which the action comes. */
  readonly rate: number;
  /** Mean log-probability of the action, nats; −∞ where nothing could be composed. */
  readonly logprob: number;
}

/** Tries every group alone, in the order given. */
export async function screenSingles(evidence: Evidence, groups: readonly (readonly number[])[]): Promise<Alone[]> {
  const requests = groups.flatMap((group) => {
    const condition = fullCondition(normalise([groupPart(group)]));
    return WORDS.map((recipe) => evidence.composed(recipe, condition, SINGLE_DRAWS, `single ${group.join(",")}`, true));
  });
  const drawn = await evidence.drawAll(requests);
  return groups.map((_, i) => {
    const mine = drawn.slice(i * WORDS.length, (i + 1) * WORDS.length).flat();
    return { rate: rateOfFlags(mine.map((observation) => observation.fired)).rate, logprob: softness(mine) };
  });
}

/** Whether a group fires often enough alone to need no partner. */
export function needsNoPartner(alone: Alone): boolean {
  return alone.rate >= ALONE_RATE;
}

/** Tries pairs of groups, halving. */
export async function screenPairs(
  evidence: Evidence,
  groupPairs: readonly (readonly [readonly number[], readonly number[]])[],
): Promise<void> {
  let pairs: { pair: Hypothesis; seen: Observation[] }[] = groupPairs.map(([first, second]) => ({
    pair: normalise([groupPart(first), groupPart(second)]),
    seen: [],
  }));
  for (const [round, { draws, goOn }] of PAIR_ROUNDS.entries()) {
    const requests: Request[] = pairs.flatMap(({ pair }) =>
      PAIR_RECIPES.map((recipe) => {
        const latents = pair.parts.map((part) => part.latents.join(",")).join(";");
        return evidence.composed(recipe, fullCondition(pair), draws, `pair ${latents} round ${round}`, true);
      }),
    );
    const drawn = await evidence.drawAll(requests);
    pairs.forEach((entry, i) => {
      entry.seen.push(...drawn.slice(i * PAIR_RECIPES.length, (i + 1) * PAIR_RECIPES.length).flat());
    });
    const fired = (entry: { seen: Observation[] }) => entry.seen.filter((observation) => observation.fired).length;
    pairs = pairs
      .map((entry, i) => ({ entry, i }))
      .sort((a, b) => fired(b.entry) - fired(a.entry) || softness(b.entry.seen) - softness(a.entry.seen) || a.i - b.i)
      .slice(0, Math.ceil(pairs.length * goOn))
      .map(({ entry }) => entry);
  }
}
