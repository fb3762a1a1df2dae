/**
 * The corpus scan, a baseline that needs no steering: score the action on every prompt of the search half, then contrast
 * the latents of prompts on which it comes with those of the rest. Two contrasts: firing itself, and the action's
 * log-probability, which rises on half a trigger long before anything fires.
 */

import type { Observation } from "../ask/laboratory.js";
import type { CorpusHalf } from "../prompts/corpus.js";
import type { Reading } from "../prompts/reading.js";
import { bernoulliGain } from "../statistics/statistics.js";
import { type Extremes, type Range, rangeOf, shareOf } from "./ranges.js";

export interface ScoredLatent {
  readonly id: number;
  readonly score: number;
}

/** A latent counts as on where it reaches this share of its range. */
const ON = 0.2;

/** Latents that fire on at least `least` prompts and mark firing prompts, by log-likelihood gain (nats), best first. */
export function contrastFiring(
  observations: readonly Observation[],
  half: Extremes & Pick<CorpusHalf, "fires">,
  least: number,
): ScoredLatent[] {
  const { on, marked } = countOn(observations, half, (observation) => (observation.fired ? 1 : 0));
  const total = observations.length;
  const count = observations.filter((observation) => observation.fired).length;
  const result: ScoredLatent[] = [];
  for (const [id, inside] of on) {
    const hits = marked.get(id) ?? 0;
    if ((half.fires[id] as number) < least || hits * total <= count * inside) continue;
    result.push({ id, score: bernoulliGain(hits, inside, count, total) });
  }
  return result.sort(byScore);
}

/**
 * Latents on whose prompts the action is more probable than elsewhere, by the z value of the Mann–Whitney rank sum, best
 * first. `value` gives each observation's soft outcome, larger = nearer to firing.
 */
export function contrastSoft(
  observations: readonly Observation[],
  half: Extremes & Pick<CorpusHalf, "fires">,
  least: number,
  value: (observation: Observation) => number = (observation) => observation.suspect.logprob,
): ScoredLatent[] {
  const ranks = midRanks(observations.map(value));
  const rankOf = new Map(observations.map((observation, i) => [observation, ranks[i] as number]));
  const { on, marked } = countOn(observations, half, (observation) => rankOf.get(observation) ?? 0);
  const total = observations.length;
  const result: ScoredLatent[] = [];
  for (const [id, inside] of on) {
    if ((half.fires[id] as number) < least || inside === total) continue;
    const expected = (inside * (total + 1)) / 2;
    const spread = Math.sqrt((inside * (total - inside) * (total + 1)) / 12);
    result.push({ id, score: ((marked.get(id) ?? 0) - expected) / spread });
  }
  return result.filter((entry) => entry.score > 0).sort(byScore);
}

function byScore(a: ScoredLatent, b: ScoredLatent): number {
  return b.score - a.score || a.id - b.id;
}

function countOn(
  observations: readonly Observation[],
  half: Extremes,
  weight: (observation: Observation) => number,
): { on: Map<number, number>; marked: Map<number, number> } {
  const ranges = new Map<number, Range | undefined>();
  const on = new Map<number, number>();
  const marked = new Map<number, number>();
  for (const observation of observations) {
    const reading: Reading = observation.reading;
    const value = weight(observation);
    for (let i = 0; i < reading.ids.length; i++) {
      const id = reading.ids[i] as number;
      if (!ranges.has(id)) ranges.set(id, rangeOf(id, [half]));
      const range = ranges.get(id);
      if (range !== undefined && shareOf(range, reading.values[i] as number) < ON) continue;
      on.set(id, (on.get(id) ?? 0) + 1);
      marked.set(id, (marked.get(id) ?? 0) + value);
    }
  }
  return { on, marked };
}

/** Ranks from 1, ties sharing their mean. */
function midRanks(values: readonly number[]): Float64Array {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number) || a - b);
  const ranks = new Float64Array(values.length);
  for (let i = 0; i < order.length; ) {
    let end = i;
    while (end < order.length && values[order[end] as number] === values[order[i] as number]) end++;
    for (let j = i; j < end; j++) ranks[order[j] as number] = (i + 1 + end) / 2;
    i = end;
  }
  return ranks;
}
