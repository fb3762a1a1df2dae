/**
 * What a fit counts: on how many observations a detector's score reaches each of a few levels, and on how many of them the model fires.
 * A fit looks at tens of thousands of detectors, each one move from another, and a latent is on in few prompts: so what a move changes
 * is counted on the observations where the latent that comes in is seen at all, and nothing else is looked at.
 */

import type { Observation } from "../ask/laboratory.js";
import type { Maxima, Part } from "../concepts/detector.js";
import { activation } from "../prompts/reading.js";

/** Thresholds tried: 1/20 … 1 of the detector's range. Finer ones fit noise. */
export const THRESHOLDS = 20;
/** Slack for values that should lie exactly on a threshold. */
const ROUNDING = 1e-6;
/** Most parts of a hypothesis: beyond three, prompts that hold them all cannot be collected. */
export const MOST_PARTS = 3;

/** Counts at 2 · level + (1 where the model fires), level 0 … THRESHOLDS. */
type Histogram = Int32Array;

/** A latent on each observation, in steps of 1/THRESHOLDS: rounded down where it counts for a part, up where against. */
interface LatentLevels {
  readonly down: Uint8Array;
  readonly up: Uint8Array;
  /** Observations on which it is seen. */
  readonly rows: Int32Array;
}

/** Everything that a fit over one set of observations shares. */
export interface Problem {
  readonly pool: readonly number[];
  readonly levels: ReadonlyMap<number, LatentLevels>;
  /** Whether the model fires, on the observations where any latent of the pool is seen: on the others every score is 0. */
  readonly fired: Uint8Array;
  /** All of those at level 0. */
  readonly none: Histogram;
  /** Firing observations, and all of them. */
  readonly count: number;
  readonly total: number;
  /** Whether two latents read the same concept and so cannot be two parts. */
  readonly same: (a: number, b: number) => boolean;
}

/** Parts with what they count, neither in order nor normalised. */
export interface State {
  readonly parts: readonly Part[];
  readonly histogram: Histogram;
}

/** Lays observations out for a fit over the latents of a pool. */
export function pose(
  observations: readonly Observation[],
  pool: readonly number[],
  maxima: Maxima,
  same: Problem["same"],
): Problem {
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
    const rows: number[] = [];
    seen.forEach((observation, i) => {
      const steps = Math.min(1, activation(observation.reading, latent) / maximum) * THRESHOLDS;
      down[i] = Math.floor(steps + ROUNDING);
      up[i] = Math.ceil(steps - ROUNDING);
      if (up[i] !== 0 || down[i] !== 0) rows.push(i);
    });
    levels.set(latent, { down, up, rows: Int32Array.from(rows) });
  }
  const count = observations.filter((observation) => observation.fired).length;
  const none = new Int32Array(2 * (THRESHOLDS + 1));
  for (const one of fired) none[one]!++;
  return { pool: sorted, levels, fired, none, count, total: observations.length, same };
}

/** Any parts, counted from all observations. */
export function stateOf(problem: Problem, parts: readonly Part[]): State {
  const scores = leastOf(
    problem,
    parts.map((part) => partLevels(problem, part)),
  );
  const histogram = new Int32Array(problem.none.length);
  scores.forEach((level, i) => {
    histogram[2 * level + problem.fired[i]!]!++;
  });
  return { parts, histogram };
}

/** Every latent of the pool by itself, and every two of them that are two concepts. */
export function singlesAndPairs(problem: Problem): State[] {
  const { pool, levels, same } = problem;
  const partOf = (latent: number): Part => ({ latents: [latent], negated: false });
  const singles = pool.map((latent): State => {
    const { down, rows } = levels.get(latent)!;
    return { parts: [partOf(latent)], histogram: changed(problem, problem.none, rows, zero, (row) => down[row]!) };
  });
  const pairs = pool.flatMap((first, i) =>
    pool.slice(i + 1).flatMap((second): State[] => {
      if (same(first, second)) return [];
      const [few, other] = [levels.get(first)!, levels.get(second)!].sort((a, b) => a.rows.length - b.rows.length) as [
        LatentLevels,
        LatentLevels,
      ];
      const both = (row: number) => Math.min(few.down[row]!, other.down[row]!);
      return [
        { parts: [partOf(first), partOf(second)], histogram: changed(problem, problem.none, few.rows, zero, both) },
      ];
    }),
  );
  return [...singles, ...pairs];
}

/** Everything one move away: and, and not, one more latent in a part. No two parts hold latents of one concept. */
export function moves(problem: Problem, { parts, histogram }: State): State[] {
  const used = new Set(parts.flatMap((part) => part.latents));
  const levels = parts.map((part) => partLevels(problem, part));
  const scores = leastOf(problem, levels);
  const score = (row: number) => scores[row]!;
  const rest = parts.map((_, at) =>
    leastOf(
      problem,
      levels.filter((_, i) => i !== at),
    ),
  );
  const next: State[] = [];
  for (const latent of problem.pool) {
    if (used.has(latent)) continue;
    const { down, up, rows } = problem.levels.get(latent)!;
    const kept = (at: number) =>
      parts.every((part, i) => i === at || part.negated || !part.latents.some((other) => problem.same(other, latent)));
    if (parts.length < MOST_PARTS && kept(-1)) {
      next.push({
        parts: [...parts, { latents: [latent], negated: false }],
        // Where the latent is not seen the score falls to 0.
        histogram: changed(problem, problem.none, rows, zero, (row) => Math.min(scores[row]!, down[row]!)),
      });
      next.push({
        parts: [...parts, { latents: [latent], negated: true }],
        histogram: changed(problem, histogram, rows, score, (row) => Math.min(scores[row]!, THRESHOLDS - up[row]!)),
      });
    }
    parts.forEach((old, at) => {
      if (!kept(at)) return;
      const [mine, others] = [levels[at]!, rest[at]!];
      const widened = old.negated
        ? (row: number) => Math.min(others[row]!, mine[row]!, THRESHOLDS - up[row]!)
        : (row: number) => Math.min(others[row]!, Math.max(mine[row]!, down[row]!));
      next.push({
        parts: parts.map((other, i) => (i === at ? { ...old, latents: [...old.latents, latent] } : other)),
        histogram: changed(problem, histogram, rows, score, widened),
      });
    });
  }
  return next;
}

/** Every threshold from the highest down, with how many observations reach it and on how many of them the model fires. */
export function eachThreshold(
  { histogram }: State,
  see: (level: number, inside: number, firing: number) => void,
): void {
  let [inside, firing] = [0, 0];
  for (let level = THRESHOLDS; level >= 1; level--) {
    const fired = histogram[2 * level + 1]!;
    inside += fired + histogram[2 * level]!;
    firing += fired;
    see(level, inside, firing);
  }
}

const zero = () => 0;

/** The histogram after some observations have moved from one level to another. */
function changed(
  { fired }: Problem,
  histogram: Histogram,
  rows: Int32Array,
  before: (row: number) => number,
  after: (row: number) => number,
): Histogram {
  const result = histogram.slice();
  for (const row of rows) {
    const [from, to] = [before(row), after(row)];
    if (from === to) continue;
    const firing = fired[row]!;
    result[2 * from + firing]!--;
    result[2 * to + firing]!++;
  }
  return result;
}

/** Levels of a part's score: the largest of its latents, turned round where the part is negated. */
function partLevels(problem: Problem, part: Part): Uint8Array {
  const result = new Uint8Array(problem.fired.length);
  for (const latent of part.latents) {
    const known = problem.levels.get(latent);
    if (known === undefined) continue;
    const values = part.negated ? known.up : known.down;
    for (const row of known.rows) if (values[row]! > result[row]!) result[row] = values[row]!;
  }
  return part.negated ? result.map((level) => THRESHOLDS - level) : result;
}

/** The least level of several parts on each observation; the highest there is of none. */
function leastOf({ fired }: Problem, levels: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(fired.length).fill(THRESHOLDS);
  for (const next of levels) for (let i = 0; i < result.length; i++) if (next[i]! < result[i]!) result[i] = next[i]!;
  return result;
}
