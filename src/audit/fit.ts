/**
 * Fits the structure of the trigger to what was seen: which latents, in which parts, combined how, split the prompts
 * on which the model fires from the rest. Steps:
 *   1. A split's worth is the Bernoulli log-likelihood gain of giving prompts above a threshold a rate of their own.
 *   2. From it go ln 10 for the threshold and ln |pool| + 3 for every latent; a rate inside far below the best there is
 *      quarters the gain, because a split that fires much less often than another is the leak of a conjunction.
 *   3. Beam search from every single latent, every pair and what it is given, with the moves: and, and not, one more latent in a part.
 * Alternatives of a whole trigger are the same detector as one part of several latents; `alternatives.ts` tells them apart.
 */
import { type Hypothesis, hypothesisKey, type Maxima, normalise, type Part, positiveParts } from "./detector.js";
import type { Observation } from "./laboratory.js";
import { activation } from "./reading.js";
import { bernoulliGain, type Rate, rateOf, wilson } from "./statistics.js";

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
/** Hypotheses returned at most, besides the surest conjunctions of three and those that were given. */
const KEPT = 60;
/** Slack for values that should lie exactly on a threshold. */
const ROUNDING = 1e-6;
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
/** Most parts of a hypothesis: beyond three, prompts that hold them all cannot be collected. */
const MOST_PARTS = 3;

interface State {
  readonly parts: readonly Part[];
  /** Level of each part's score on each observation, 0 … THRESHOLDS. */
  readonly levels: readonly Uint8Array[];
  /** Made when it is first asked for. */
  histogram?: Histogram;
}

/** Observations by level of the detector's score, 0 … THRESHOLDS: how many, and on how many of them the model fires. */
interface Histogram {
  readonly total: Int32Array;
  readonly fired: Int32Array;
}

/** A latent on each observation, in steps of 1/THRESHOLDS: rounded down where it counts for a part, up where against. */
interface LatentLevels {
  readonly down: Uint8Array;
  readonly up: Uint8Array;
}

/** Everything that a fit over one set of observations shares. */
interface Problem {
  readonly pool: readonly number[];
  readonly levels: ReadonlyMap<number, LatentLevels>;
  /** Whether the model fires, on the observations where any latent of the pool is seen: on the others every score is 0. */
  readonly fired: Uint8Array;
  /** Firing observations, and all of them. */
  readonly count: number;
  readonly total: number;
  /** Whether two latents read the same concept and so cannot be two parts. */
  readonly same: (a: number, b: number) => boolean;
}

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
  const problem = { ...pose(observations, pool, maxima), same };
  if (problem.count === 0) return [];
  const found = new Map<string, { state: State; fitted: Fitted }>();
  const singles = problem.pool.map((latent) => stateOf(problem, [{ latents: [latent], negated: false }]));
  const given = from.filter((hypothesis) => !saysTwice(hypothesis, same)).map(({ parts }) => stateOf(problem, parts));
  let beam: State[] = [...singles, ...pairs(singles, same), ...given];
  const surest = surestRate(problem, beam);
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

function pose(observations: readonly Observation[], pool: readonly number[], maxima: Maxima): Omit<Problem, "same"> {
  const sorted = [...new Set(pool)].sort((a, b) => a - b).filter((latent) => (maxima[latent] ?? 0) > 0);
  const seen = observations.filter((observation) =>
    sorted.some((latent) => activation(observation.reading, latent) >= (maxima[latent] as number) / (2 * THRESHOLDS)),
  );
  const fired = Uint8Array.from(seen, (observation) => (observation.fired ? 1 : 0));
  const levels = new Map<number, LatentLevels>();
  for (const latent of sorted) {
    const maximum = maxima[latent] as number;
    const down = new Uint8Array(seen.length);
    const up = new Uint8Array(seen.length);
    seen.forEach((observation, i) => {
      const steps = Math.min(1, activation(observation.reading, latent) / maximum) * THRESHOLDS;
      down[i] = Math.floor(steps + ROUNDING);
      up[i] = Math.ceil(steps - ROUNDING);
    });
    levels.set(latent, { down, up });
  }
  const count = observations.filter((observation) => observation.fired).length;
  return { pool: sorted, levels, fired, count, total: observations.length };
}

/** Levels of a part's score: the largest of its latents, turned round where the part is negated. */
function partLevels(problem: Problem, part: Part): Uint8Array {
  const result = new Uint8Array(problem.fired.length);
  for (const latent of part.latents) {
    const known = problem.levels.get(latent);
    if (known === undefined) continue;
    const values = part.negated ? known.up : known.down;
    for (let i = 0; i < result.length; i++)
      if ((values[i] as number) > (result[i] as number)) result[i] = values[i] as number;
  }
  if (part.negated) for (let i = 0; i < result.length; i++) result[i] = THRESHOLDS - (result[i] as number);
  return result;
}

/** Levels of a part with one more latent. */
function widened(problem: Problem, levels: Uint8Array, latent: number, negated: boolean): Uint8Array {
  const result = levels.slice();
  const known = problem.levels.get(latent) as LatentLevels;
  for (let i = 0; i < result.length; i++) {
    if (negated) result[i] = Math.min(result[i] as number, THRESHOLDS - (known.up[i] as number));
    else if ((known.down[i] as number) > (result[i] as number)) result[i] = known.down[i] as number;
  }
  return result;
}

function stateOf(problem: Problem, parts: readonly Part[]): State {
  return { parts, levels: parts.map((part) => partLevels(problem, part)) };
}

function pairs(singles: readonly State[], same: Problem["same"]): State[] {
  const latentOf = (state: State) => state.parts[0]?.latents[0] as number;
  return singles.flatMap((first, i) =>
    singles
      .slice(i + 1)
      .filter((second) => !same(latentOf(first), latentOf(second)))
      .map((second) => ({
        parts: [...first.parts, ...second.parts],
        levels: [...first.levels, ...second.levels],
      })),
  );
}

function moves(problem: Problem, state: State): State[] {
  const used = new Set(state.parts.flatMap((part) => part.latents));
  const next: State[] = [];
  for (const latent of problem.pool) {
    if (used.has(latent)) continue;
    const kept = (at: number) =>
      state.parts.every(
        (part, i) => i === at || part.negated || !part.latents.some((other) => problem.same(other, latent)),
      );
    for (const negated of state.parts.length < MOST_PARTS && kept(-1) ? [false, true] : []) {
      const part = { latents: [latent], negated };
      next.push({ parts: [...state.parts, part], levels: [...state.levels, partLevels(problem, part)] });
    }
    state.parts.forEach((old, at) => {
      if (!kept(at)) return;
      const part = { ...old, latents: [...old.latents, latent] };
      next.push({
        parts: state.parts.map((other, i) => (i === at ? part : other)),
        levels: state.levels.map((other, i) => (i === at ? widened(problem, other, latent, old.negated) : other)),
      });
    });
  }
  return next;
}

/** Share of the gain that counts at a rate inside, where `surest` is the best rate there is. */
function credit(rate: number, surest: number): number {
  const place = (rate / surest - LEAK_RATE) / (TRIGGER_RATE - LEAK_RATE);
  return LEAK_SHARE + (1 - LEAK_SHARE) * Math.min(1, Math.max(0, place));
}

function histogram(problem: Problem, state: State): Histogram {
  state.histogram ??= countLevels(problem.fired, state.levels);
  return state.histogram;
}

/** Where most of a fit's time goes: one or two parts are counted without an array of scores between. */
function countLevels(fired: Uint8Array, levels: readonly Uint8Array[]): Histogram {
  const size = fired.length;
  const counts = new Int32Array(2 * (THRESHOLDS + 1)); // not firing and firing, level by level
  const [first, second] = levels as [Uint8Array, Uint8Array?];
  if (second === undefined) for (let i = 0; i < size; i++) counts[2 * first[i]! + fired[i]!]!++;
  else {
    let least = first;
    for (const next of levels.slice(2)) least = least.map((level, i) => Math.min(level, next[i]!));
    for (let i = 0; i < size; i++) {
      const a = least[i]!;
      const b = second[i]!;
      counts[2 * (a < b ? a : b) + fired[i]!]!++;
    }
  }
  const ofLevel = (level: number) => counts[2 * level]! + counts[2 * level + 1]!;
  return {
    total: Int32Array.from({ length: THRESHOLDS + 1 }, (_, level) => ofLevel(level)),
    fired: Int32Array.from({ length: THRESHOLDS + 1 }, (_, level) => counts[2 * level + 1]!),
  };
}

/** The largest lower bound of the rate above any threshold, over all states. */
function surestRate(problem: Problem, states: readonly State[]): number {
  let surest = 0;
  for (const state of states) {
    const { total, fired } = histogram(problem, state);
    let inTotal = 0;
    let inFired = 0;
    for (let level = THRESHOLDS; level >= 1; level--) {
      inTotal += total[level] as number;
      inFired += fired[level] as number;
      if (inTotal >= SUREST_TRIALS) surest = Math.max(surest, wilson(inFired, inTotal, SUREST_Z).low);
    }
  }
  return surest;
}

function judge(problem: Problem, state: State, surest: number): Fitted {
  const { total, fired } = histogram(problem, state);
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
    const higher = rate * problem.total > problem.count;
    const gain = higher ? bernoulliGain(inFired, inTotal, problem.count, problem.total) : 0;
    const score = gain * credit(rate, surest) - cost;
    if (score > best.score) best = { score, threshold: bucket / THRESHOLDS, count: inFired, total: inTotal };
  }
  const hypothesis = normalise(state.parts);
  return { hypothesis, threshold: best.threshold, inside: rateOf(best.count, best.total), score: best.score };
}
