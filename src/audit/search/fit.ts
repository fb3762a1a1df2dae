/**
 * Fits the structure of the trigger to what was seen: which latents, in which parts, combined how, split the prompts
 * on which the model fires from the rest. Steps:
 *   1. A split's worth is the Bernoulli log-likelihood gain of giving prompts above a threshold a rate of their own.
 *   2. From it go ln 10 for the threshold and ln |pool| + 3 for every latent; a rate inside far below the best there is
 *      quarters the gain, because a split that fires much less often than another is the leak of a conjunction.
 *   3. Beam search from every single latent, every pair and what it is given, with the moves: and, and not, one more latent in a part.
 * Alternatives of a whole trigger are the same detector as one part of several latents; `alternatives.ts` tells them apart.
 */

import type { Observation } from "../ask/laboratory.js";
import { type Hypothesis, hypothesisKey, type Maxima, normalise, positiveParts } from "../concepts/detector.js";
import { bernoulliGain, type Rate, rateOf, wilson } from "../statistics/statistics.js";
import {
  eachThreshold,
  MOST_PARTS,
  moves,
  type Problem,
  pose,
  type State,
  singlesAndPairs,
  stateOf,
  THRESHOLDS,
} from "./fit-levels.js";

export interface Fitted {
  readonly hypothesis: Hypothesis;
  /** Detector score from which prompts are inside. */
  readonly threshold: number;
  /** Rate of firing inside. */
  readonly inside: Rate;
  /** Penalised gain, nats. */
  readonly score: number;
}

/** Hypotheses returned at most, besides the surest conjunctions of three and those that were given. */
const KEPT = 60;
/** Price of the threshold, nats: ten effectively different ones. */
const THRESHOLD_COST = Math.log(10);
/** Price of a latent beyond choosing it from the pool, nats. */
const LATENT_COST = 3;
/**
 * A split whose rate inside is below this share of the surest rate that any hypothesis to start from reaches is taken for a
 * leak of something better; what remains of its gain then, and the share from which all of it counts. The surest rate is
 * the measure because compositions are crude: the whole trigger may fire on half of them, and its leaks then on a fifth.
 */
const LEAK_RATE = 0.5;
const LEAK_SHARE = 0.25;
const TRIGGER_RATE = 0.85;
/** The surest rate is a lower Wilson bound at this quantile, over at least so many observations. */
const SUREST_Z = 2.4;
const SUREST_TRIALS = 24;
/**
 * Hypotheses kept between rounds: the best, and the surest conjunctions of three. Two topics in half of a style are surer than the
 * two alone, and explain less until the other half joins.
 */
const BEAM = 8;
const SURE_BEAM = 4;
/** Rounds of moves: a conjunction of a topic and a style of five phrases needs six. */
const ROUNDS = 6;
/**
 * The best-scoring hypotheses over latents of the pool, best first (ties by key). Only those with a positive score. No two
 * parts hold latents that `same` calls one concept. `from`: hypotheses to start from besides singles and pairs, over the same pool.
 */
export function fit(
  observations: readonly Observation[],
  pool: readonly number[],
  maxima: Maxima,
  same: (a: number, b: number) => boolean = () => false,
  from: readonly Hypothesis[] = [],
): Fitted[] {
  const problem = pose(observations, pool, maxima, same);
  if (problem.count === 0) return [];
  const found = new Map<string, { state: State; fitted: Fitted }>();
  const given = from.filter((hypothesis) => !saysTwice(hypothesis, same)).map(({ parts }) => stateOf(problem, parts));
  let beam: State[] = [...singlesAndPairs(problem), ...given];
  const surest = surestRate(beam);
  for (let round = 0; round < ROUNDS && beam.length > 0; round++) {
    const fresh: { state: State; fitted: Fitted }[] = [];
    for (const state of beam) {
      const key = hypothesisKey(normalise(state.parts));
      if (found.has(key)) continue;
      const entry = { state, fitted: judge(problem, state, surest) };
      found.set(key, entry);
      fresh.push(entry);
    }
    fresh.sort((a, b) => better(a.fitted, b.fitted));
    const worst = [...found.values()].map((entry) => entry.fitted.score).sort((a, b) => b - a)[BEAM - 1];
    const kept = fresh.filter((entry) => worst === undefined || entry.fitted.score >= worst).slice(0, BEAM);
    const sure = surestConjunctions(fresh);
    beam = [...new Set([...kept, ...sure])].flatMap((entry) => moves(problem, entry.state));
  }
  const worthwhile = [...found.values()]
    .filter(({ fitted }) => fitted.score > 0)
    .sort((a, b) => better(a.fitted, b.fitted));
  const asked = new Set(from.map((hypothesis) => hypothesisKey(normalise(hypothesis.parts))));
  const kept = new Set([
    ...worthwhile.slice(0, KEPT),
    ...surestConjunctions(worthwhile),
    ...worthwhile.filter(({ fitted }) => asked.has(hypothesisKey(fitted.hypothesis))),
  ]);
  return worthwhile.filter((entry) => kept.has(entry)).map(({ fitted }) => fitted);
}

/** Whether two parts of a hypothesis hold latents of one concept. */
function saysTwice({ parts }: Hypothesis, same: Problem["same"]): boolean {
  return parts.some((part, i) =>
    parts.slice(i + 1).some((other) => part.latents.some((a) => other.latents.some((b) => a === b || same(a, b)))),
  );
}

/** Those of three concepts that fire most surely inside (ties in their order). */
function surestConjunctions<Entry extends { readonly fitted: Fitted }>(entries: readonly Entry[]): Entry[] {
  return entries
    .filter(
      ({ fitted: { hypothesis, inside } }) =>
        positiveParts(hypothesis).length === MOST_PARTS && inside.total >= SUREST_TRIALS,
    )
    .map((entry) => ({ entry, low: wilson(entry.fitted.inside.count, entry.fitted.inside.total, SUREST_Z).low }))
    .sort((a, b) => b.low - a.low)
    .slice(0, SURE_BEAM)
    .map(({ entry }) => entry);
}

function better(a: Fitted, b: Fitted): number {
  return b.score - a.score || (hypothesisKey(a.hypothesis) < hypothesisKey(b.hypothesis) ? -1 : 1);
}

/** Share of the gain that counts at a rate inside, where `surest` is the best rate there is. */
function credit(rate: number, surest: number): number {
  const place = (rate / surest - LEAK_RATE) / (TRIGGER_RATE - LEAK_RATE);
  return LEAK_SHARE + (1 - LEAK_SHARE) * Math.min(1, Math.max(0, place));
}

/** The largest lower bound of the rate above any threshold, over all states. */
function surestRate(states: readonly State[]): number {
  let surest = 0;
  for (const state of states)
    eachThreshold(state, (_, inside, firing) => {
      if (inside >= SUREST_TRIALS) surest = Math.max(surest, wilson(firing, inside, SUREST_Z).low);
    });
  return surest;
}

function judge(problem: Problem, state: State, surest: number): Fitted {
  const latents = state.parts.reduce((sum, part) => sum + part.latents.length, 0);
  const cost = THRESHOLD_COST + latents * (Math.log(problem.pool.length) + LATENT_COST);
  let best = { score: Number.NEGATIVE_INFINITY, threshold: 1, count: 0, total: 0 };
  eachThreshold(state, (level, inside, firing) => {
    if (inside === 0) return;
    const rate = firing / inside;
    // A split whose inside fires less often than the rest describes the absence of something else.
    const higher = rate * problem.total > problem.count;
    const gain = higher ? bernoulliGain(firing, inside, problem.count, problem.total) : 0;
    const score = gain * credit(rate, surest) - cost;
    if (score > best.score) best = { score, threshold: level / THRESHOLDS, count: firing, total: inside };
  });
  const hypothesis = normalise(state.parts);
  return { hypothesis, threshold: best.threshold, inside: rateOf(best.count, best.total), score: best.score };
}
