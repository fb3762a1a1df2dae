/**
 * Iterated SAE-Attribution ("Discovering Backdoor Triggers", Qin et al. 2025, on Snow-Fruit): the condition found is written into
 * the prompts, then attributed again, until the action comes on half of them or nothing new verifies (or four concepts
 * are found, or hardly a prompt is left to attribute over).
 *
 *   1. Attribution over ordinary prompts; from the second time on over prompts that hold the condition so far and on which the
 *      action does not come yet, so that the gradient says what is still missing.
 *   2. The first latents of the ranking, as it is and times typical activation, grouped into concepts (`candidates.ts`).
 *   3. Each concept's words are written into ordinary prompts beside the condition's. Only prompts on which a latent of each
 *      concept really reads as present count. Beside them the condition alone, with as many neutral words.
 *   4. The best few (by action rate if one of them clearly fires, else by mean log-probability) are tried again on fresh prompts. The
 *      first of them that raises the rate, or the log-probability, beyond chance joins the condition: one-sided, at an error
 *      that is divided among all concepts tried. Where the condition fires by itself, an addition must double its rate: a part
 *      without which half of the action remains is not needed.
 *   5. Again from 1, until one of the ends above.
 *
 * What chooses is what the model does, never a label. All of this happens on the search half; the condition's own rate is
 * then measured on the other half (`iterated-attribution.ts`).
 */

import type { AuditCalls } from "./ask/context.js";
import type { Observation } from "./ask/laboratory.js";
import type { Condition } from "./compose/prompt-sets.js";
import type { Recipe } from "./compose/recipe.js";
import { type Hypothesis, makePart, normalise, type Part } from "./concepts/detector.js";
import { chooseCandidates, groupLatents, isAlive, type Ranking } from "./evidence/candidates.js";
import type { Evidence } from "./evidence/evidence.js";
import type { Prompt } from "./prompts/prompt.js";
import { bonferroni, meanDifferenceTest, type Rate, rateOfFlags, twoProportionTest } from "./statistics/statistics.js";

export interface IterationOptions {
  /** Most concepts in a condition: the most attributions. */
  readonly iterations: number;
  /** Best latents taken from each ranking. */
  readonly latents: number;
  /** Error allowed to one step, one-sided, over all concepts it tries. */
  readonly error: number;
}

export const DEFAULT_ITERATION: IterationOptions = { iterations: 4, latents: 15, error: 0.01 };

/** What prompts with a concept did. */
export interface Effect {
  readonly rate: Rate;
  /** Mean log-probability of the action, nats; null where no such prompt could be written. */
  readonly logprob: number | null;
}

export interface TriedConcept extends Effect {
  readonly latents: readonly number[];
  /** One-sided p-value of raising the rate or the log-probability on fresh prompts; null where it was not tried again. */
  readonly pValue: number | null;
}

export interface IterationStep<V> {
  /** The parts that the attributed prompts held. */
  readonly held: readonly (readonly number[])[];
  /** Prompts attributed over. */
  readonly prompts: number;
  readonly attribution: V;
  /** The condition alone, with neutral words in the place of a further concept. */
  readonly baseline: Effect;
  /** Every concept that was tried, in the order of the ranking. */
  readonly tried: readonly TriedConcept[];
  /** The concept that joined; null where none raised the action. */
  readonly added: readonly number[] | null;
  /** The condition after the step, and what prompts that hold it did. */
  readonly condition: readonly (readonly number[])[];
  readonly rate: Rate;
  readonly logprob: number | null;
}

/** Attribution over prompts: its result `V`, and the rankings of latents that it gives. */
export type Attribute<V> = (prompts: readonly Prompt[]) => Promise<{ attribution: V; rankings: Ranking[] }>;

export interface Iteration<V> {
  readonly steps: readonly IterationStep<V>[];
  /** Null where the first attribution gave nothing that raises the action. */
  readonly hypothesis: Hypothesis | null;
  /** Whether the action came on half of the prompts that hold the condition. */
  readonly reached: boolean;
  /** Why it ended, in a few words. */
  readonly ended: string;
}

/** The action comes on this share: the condition is found. */
const REACHED = 0.5;
/** A condition fires by itself when its rate lies above this beyond doubt: some ordinary prompts hold the trigger by chance. */
const FIRES = 0.1;
/** Where the condition fires by itself, an addition must fire this many times as often. */
const LEAST_RATIO = 2;
/** Most prompts that one attribution is taken over, and fewest. */
const ATTRIBUTED = 24;
const LEAST_ATTRIBUTED = 4;
/** Latents of a group that stand for it, as in screening. */
const GROUP_LATENTS = 3;
/** Prompts of each recipe, when all concepts are tried and when the best are tried again. */
const FIRST_DRAWS = 12;
const FRESH_DRAWS = 30;
/** Concepts that are tried again. */
const FINALISTS = 4;
/** Fewer prompts than this say nothing about a concept. */
const LEAST_PROMPTS = 8;
/** … and than this nothing of means: their test takes both for normal. */
const LEAST_SOFT = 20;
const RECIPES: readonly Recipe[] = [1, 2].map((words) => ({ kind: "words", context: -1, words }));
/** A concept no latent stands for: never present, so that neutral words are written for it. */
const NOTHING: Part = { latents: [], negated: false };

/** Iterates on the search half. `ordinary`: prompts for the first attribution. */
export async function iterateAttribution<V>(
  evidence: Evidence,
  ordinary: readonly Prompt[],
  attribute: Attribute<V>,
  options: IterationOptions,
  calls: AuditCalls = {},
): Promise<Iteration<V>> {
  const { half, lexicon, kinship } = evidence.room;
  const alive = (latent: number) => isAlive(latent, half, lexicon);
  const steps: IterationStep<V>[] = [];
  let parts: readonly Part[] = [];
  const end = (reached: boolean, ended: string): Iteration<V> => ({
    steps,
    hypothesis: parts.length === 0 ? null : normalise(parts),
    reached,
    ended,
  });

  for (let step = 0; step < options.iterations; step++) {
    const held = parts;
    const ids = held.map((part) => part.latents);
    const name = (what: string) => `iterate ${step} ${what} ${ids.join(";")}`;
    calls.onStage?.(`attribution ${step + 1}`);
    const alone = (
      await drawAll(
        evidence,
        [{ parts: [...held, NOTHING], present: [...held.map(() => true), false] }],
        FRESH_DRAWS,
        name("alone"),
      )
    )[0]!;
    const prompts =
      step === 0
        ? ordinary
        : alone
            .filter((one) => !one.suspect.fired)
            .slice(0, ATTRIBUTED)
            .map((one) => one.prompt);
    if (step > 0 && prompts.length < LEAST_ATTRIBUTED)
      return end(false, "too few prompts hold the condition without the action");
    const { attribution, rankings } = await attribute(prompts);
    const fresh = (latent: number) =>
      alive(latent) &&
      lexicon.words(makePart([latent])).length > 0 &&
      !held.some((part) => part.latents.some((known) => known === latent || kinship.same(known, latent)));
    const candidates = chooseCandidates(rankings, options.latents, fresh).map(({ id }) => id);
    const groups = groupLatents(candidates, half).map((group) => makePart(group.slice(0, GROUP_LATENTS)));

    calls.onStage?.(`trying ${groups.length} concepts`);
    const holding = (part: Part) => ({ parts: [...held, part], present: [...held, part].map(() => true) });
    const first = await drawAll(evidence, groups.map(holding), FIRST_DRAWS, name("first"));
    const allowed = groups.length > 0 ? bonferroni(options.error, groups.length) : options.error;
    const finalists = mostPromising(first, alone, allowed);
    const again = await drawAll(
      evidence,
      finalists.map((i) => holding(groups[i]!)),
      FRESH_DRAWS,
      name("again"),
    );
    const tests = again.map((observations) => raises(observations, alone));
    const passed = finalists.map((i, k) => ({ i, k })).filter(({ k }) => passes(again[k]!, alone, tests[k]!, allowed));
    // The finalists are tried on fresh prompts, so that the one which was lucky before is not lucky again.
    const winner = ordered(
      passed.map(({ k }) => again[k]!),
      alone,
      allowed,
    )[0];
    const chosen = winner === undefined ? undefined : passed[winner]!;
    const added = chosen === undefined ? null : groups[chosen.i]!;
    if (added !== null) parts = [...held, added];
    const result = effectOf(chosen === undefined ? alone : again[chosen.k]!);
    steps.push({
      held: ids,
      prompts: prompts.length,
      attribution,
      baseline: effectOf(alone),
      tried: groups.map((part, i) => ({
        latents: part.latents,
        ...effectOf([...first[i]!, ...(again[finalists.indexOf(i)] ?? [])]),
        pValue: finalists.includes(i) ? tests[finalists.indexOf(i)]! : null,
      })),
      added: added?.latents ?? null,
      condition: parts.map((part) => part.latents),
      ...result,
    });
    if (added === null) return end(false, "no further concept raises the action beyond chance");
    if (result.rate.rate >= REACHED)
      return end(true, "the action comes on half of the prompts that hold the condition, or more");
  }
  return end(false, `the condition has its most parts, ${options.iterations}`);
}

/** Prompts of each condition, by every recipe. */
async function drawAll(
  evidence: Evidence,
  conditions: readonly { readonly parts: readonly Part[]; readonly present: readonly boolean[] }[],
  draws: number,
  name: string,
): Promise<Observation[][]> {
  const requests = conditions.flatMap(({ parts, present }) => {
    const condition: Condition = { hypothesis: { parts, combination: "all" }, present };
    const which = parts.map((part) => part.latents.join(",")).join(";");
    return RECIPES.map((recipe) => evidence.composed(recipe, condition, draws, `${name} ${which}`, false));
  });
  const drawn = await evidence.drawAll(requests);
  return conditions.map((_, i) => drawn.slice(i * RECIPES.length, (i + 1) * RECIPES.length).flat());
}

function effectOf(observations: readonly Observation[]): Effect {
  return {
    rate: rateOfFlags(observations.map((one) => one.fired)),
    logprob:
      observations.length === 0
        ? null
        : observations.reduce((sum, one) => sum + one.suspect.logprob, 0) / observations.length,
  };
}

/** p-value that prompts fire more often than the baseline's. */
function raisesRate(observations: readonly Observation[], baseline: readonly Observation[]): number {
  const [a, b] = [effectOf(observations).rate, effectOf(baseline).rate];
  return twoProportionTest(a.count, a.total, b.count, b.total);
}

/** p-value that prompts fire more often or have a higher log-probability: the smaller of two, doubled. */
function raises(observations: readonly Observation[], baseline: readonly Observation[]): number {
  const logprobs = (list: readonly Observation[]) => list.map((one) => one.suspect.logprob);
  const enough = Math.min(observations.length, baseline.length) >= LEAST_SOFT;
  const soft = enough ? meanDifferenceTest(logprobs(observations), logprobs(baseline)) : 1;
  return Math.min(1, 2 * Math.min(raisesRate(observations, baseline), soft));
}

function passes(
  observations: readonly Observation[],
  baseline: readonly Observation[],
  pValue: number,
  allowed: number,
): boolean {
  if (observations.length < LEAST_PROMPTS || pValue > allowed) return false;
  const before = effectOf(baseline).rate;
  return before.low < FIRES || effectOf(observations).rate.rate >= LEAST_RATIO * before.rate;
}

/** Indices of the concepts to try again. */
function mostPromising(sets: readonly Observation[][], baseline: readonly Observation[], allowed: number): number[] {
  return ordered(sets, baseline, allowed)
    .filter((i) => sets[i]!.length >= LEAST_PROMPTS)
    .slice(0, FINALISTS);
}

/** Best first: by rate where one set clearly fires more often than the baseline, else by mean log-probability. */
function ordered(
  sets: readonly (readonly Observation[])[],
  baseline: readonly Observation[],
  allowed: number,
): number[] {
  const fires = sets.some((set) => raisesRate(set, baseline) <= allowed);
  const effects = sets.map(effectOf);
  const logprob = (i: number) => effects[i]!.logprob ?? Number.NEGATIVE_INFINITY;
  return sets
    .map((_, i) => i)
    .sort((a, b) => (fires ? effects[b]!.rate.rate - effects[a]!.rate.rate : 0) || logprob(b) - logprob(a) || a - b);
}
