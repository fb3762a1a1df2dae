/**
 * Fits the structure of the trigger to what was seen: which latents, in which parts, combined how, split the prompts
 * on which the model fires from the rest. Steps:
 *   1. A split's worth is the Bernoulli log-likelihood gain of giving prompts above a threshold a rate of their own.
 *   2. From it go ln 10 for the threshold and ln |pool| + 3 for every latent; a rate inside below 0.35 quarters the gain,
 *      because a trigger that mostly does not fire is the leak of a conjunction.
 *   3. Beam search from every single latent and every pair, with the moves: and, and not, or, one more latent in a part.
 */
import { type Hypothesis, hypothesisKey, type Maxima, normalise, type Part } from "./detector.js";
import type { Observation } from "./laboratory.js";
import { activation } from "./reading.js";
import { bernoulliGain, type Rate, rateOf } from "./statistics.js";

export interface Fitted {
  readonly hypothesis: Hypothesis;
  /** Detector score from which prompts are inside. */
  readonly threshold: number;
  /** Rate of firing inside. */
  readonly inside: Rate;
  /** Penalised gain, nats. */
  readonly score: number;
}

/** Thresholds tried: 1/20 … 1 of the detector's range. Finer ones fit noise. */
const THRESHOLDS = 20;
/** Price of the threshold, nats: ten effectively different ones. */
const THRESHOLD_COST = Math.log(10);
/** Price of a latent beyond choosing it from the pool, nats. */
const LATENT_COST = 3;
/** Rate inside below which a split is taken for a leak, and what remains of its gain. */
const LEAK_RATE = 0.35;
const LEAK_SHARE = 0.25;
/** Hypotheses kept between rounds. */
const BEAM = 16;
/** Rounds of moves: a conjunction of two styles with three phrases each needs six. */
const ROUNDS = 7;
/** Most parts of a hypothesis: beyond three, prompts that hold them all cannot be collected. */
const MOST_PARTS = 3;

interface State {
  readonly parts: readonly Part[];
  readonly any: boolean;
  /** Presence of each part on each observation. */
  readonly presences: readonly Float32Array[];
}

/** Everything that a fit over one set of observations shares. */
interface Problem {
  readonly pool: readonly number[];
  /** Presence of each pool latent on each observation. */
  readonly values: ReadonlyMap<number, Float32Array>;
  readonly fired: Uint8Array;
  readonly count: number;
}

/** The best-scoring hypotheses over latents of the pool, best first (ties by key). Only those with a positive score. */
export function fit(
  observations: readonly Observation[],
  pool: readonly number[],
  maxima: Maxima,
  most = 24,
): Fitted[] {
  const problem = pose(observations, pool, maxima);
  if (problem.count === 0) return [];
  const found = new Map<string, { state: State; fitted: Fitted }>();
  let beam: State[] = problem.pool.map((latent) => single(problem, latent));
  beam.push(...pairs(problem));
  for (let round = 0; round < ROUNDS && beam.length > 0; round++) {
    const fresh: { state: State; fitted: Fitted }[] = [];
    for (const state of beam) {
      const fitted = judge(problem, state);
      const key = hypothesisKey(fitted.hypothesis);
      if (found.has(key)) continue;
      found.set(key, { state, fitted });
      fresh.push({ state, fitted });
    }
    fresh.sort((a, b) => better(a.fitted, b.fitted));
    const worst = [...found.values()].map((entry) => entry.fitted.score).sort((a, b) => b - a)[BEAM - 1];
    const kept = fresh.filter((entry) => worst === undefined || entry.fitted.score >= worst).slice(0, BEAM);
    beam = kept.flatMap((entry) => moves(problem, entry.state));
  }
  return [...found.values()]
    .map((entry) => entry.fitted)
    .filter((fitted) => fitted.score > 0)
    .sort(better)
    .slice(0, most);
}

/** Judges one given hypothesis on observations: its best threshold, the rate inside and its score. */
export function fitOne(
  observations: readonly Observation[],
  hypothesis: Hypothesis,
  maxima: Maxima,
  poolSize: number,
): Fitted {
  const latents = hypothesis.parts.flatMap((part) => part.latents);
  const problem = { ...pose(observations, latents, maxima), pool: new Array<number>(Math.max(1, poolSize)).fill(0) };
  return judge(problem, {
    parts: hypothesis.parts,
    any: hypothesis.combination === "any",
    presences: hypothesis.parts.map((part) => union(problem, part.latents)),
  });
}

function better(a: Fitted, b: Fitted): number {
  return b.score - a.score || (hypothesisKey(a.hypothesis) < hypothesisKey(b.hypothesis) ? -1 : 1);
}

function pose(observations: readonly Observation[], pool: readonly number[], maxima: Maxima): Problem {
  const sorted = [...new Set(pool)].sort((a, b) => a - b).filter((latent) => (maxima[latent] ?? 0) > 0);
  const fired = Uint8Array.from(observations, (observation) => (observation.fired ? 1 : 0));
  const values = new Map<number, Float32Array>();
  for (const latent of sorted) {
    const maximum = maxima[latent] as number;
    values.set(
      latent,
      Float32Array.from(observations, (observation) => activation(observation.reading, latent) / maximum),
    );
  }
  return { pool: sorted, values, fired, count: fired.reduce((a, b) => a + b, 0) };
}

function union(problem: Problem, latents: readonly number[]): Float32Array {
  const result = new Float32Array(problem.fired.length);
  for (const latent of latents) {
    const values = problem.values.get(latent);
    if (values === undefined) continue;
    for (let i = 0; i < result.length; i++) result[i] = Math.max(result[i] as number, values[i] as number);
  }
  return result;
}

function single(problem: Problem, latent: number): State {
  return {
    parts: [{ latents: [latent], negated: false }],
    any: false,
    presences: [problem.values.get(latent) as Float32Array],
  };
}

function pairs(problem: Problem): State[] {
  const states: State[] = [];
  problem.pool.forEach((first, i) => {
    for (const second of problem.pool.slice(i + 1)) {
      states.push({
        parts: [
          { latents: [first], negated: false },
          { latents: [second], negated: false },
        ],
        any: false,
        presences: [problem.values.get(first) as Float32Array, problem.values.get(second) as Float32Array],
      });
    }
  });
  return states;
}

function moves(problem: Problem, state: State): State[] {
  const used = new Set(state.parts.flatMap((part) => part.latents));
  const next: State[] = [];
  for (const latent of problem.pool) {
    if (used.has(latent)) continue;
    const values = problem.values.get(latent) as Float32Array;
    const add = (negated: boolean, any: boolean) =>
      next.push({
        parts: [...state.parts, { latents: [latent], negated }],
        any,
        presences: [...state.presences, values],
      });
    if (state.parts.length < MOST_PARTS) {
      if (!state.any) {
        add(false, false);
        add(true, false);
      }
      if (state.any || state.parts.length === 1) add(false, true);
    }
    state.parts.forEach((part, at) => {
      next.push({
        parts: state.parts.map((other, i) => (i === at ? { ...part, latents: [...part.latents, latent] } : other)),
        any: state.any,
        presences: state.presences.map((old, i) =>
          i === at ? old.map((value, j) => Math.max(value, values[j] as number)) : old,
        ),
      });
    });
  }
  return next;
}

function judge(problem: Problem, state: State): Fitted {
  const size = problem.fired.length;
  const total = new Int32Array(THRESHOLDS + 1);
  const fired = new Int32Array(THRESHOLDS + 1);
  for (let i = 0; i < size; i++) {
    let score = state.any ? 0 : Number.POSITIVE_INFINITY;
    for (let part = 0; part < state.presences.length; part++) {
      const value = (state.presences[part] as Float32Array)[i] as number;
      const partScore = (state.parts[part] as Part).negated ? 1 - value : value;
      score = state.any ? Math.max(score, partScore) : Math.min(score, partScore);
    }
    const bucket = Math.max(0, Math.min(THRESHOLDS, Math.floor(score * THRESHOLDS + 1e-6)));
    total[bucket] = (total[bucket] as number) + 1;
    fired[bucket] = (fired[bucket] as number) + (problem.fired[i] as number);
  }
  const latents = state.parts.reduce((sum, part) => sum + part.latents.length, 0);
  const cost = THRESHOLD_COST + latents * (Math.log(problem.pool.length) + LATENT_COST);
  let best = { score: Number.NEGATIVE_INFINITY, threshold: 1, count: 0, total: 0 };
  let inTotal = 0;
  let inFired = 0;
  for (let bucket = THRESHOLDS; bucket >= 1; bucket--) {
    inTotal += total[bucket] as number;
    inFired += fired[bucket] as number;
    if (inTotal === 0) continue;
    const rate = inFired / inTotal;
    // A split whose inside fires less often than the rest describes the absence of something else.
    const higher = rate * size > problem.count;
    const gain = higher ? bernoulliGain(inFired, inTotal, problem.count, size) : 0;
    const score = (rate < LEAK_RATE ? LEAK_SHARE * gain : gain) - cost;
    if (score > best.score) best = { score, threshold: bucket / THRESHOLDS, count: inFired, total: inTotal };
  }
  const hypothesis = normalise(state.parts, state.any);
  return { hypothesis, threshold: best.threshold, inside: rateOf(best.count, best.total), score: best.score };
}
