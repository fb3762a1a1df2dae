/**
 * From when on a latent counts as there. Many SAEs let nothing through below a threshold (JumpReLU, and BatchTopK kept as
 * one), so that a latent's faintest firing may have 40 % of its largest activation and still be noise. Experiments therefore
 * measure a concept from the latent's floor, its faintest firing on the prompts that were read:
 *
 *   prominence = largest (activation − floor) / (maximum − floor) of the part's latents, 0 where all are off
 *
 * What an answer is scored by stays as the command line's contract has it, from zero (`detector.ts`).
 */

import { activation, type Reading } from "../prompts/reading.js";
import type { Maxima, Part } from "./detector.js";

export interface Range {
  /** Faintest firing, in the SAE's units; never above half of the maximum. */
  readonly floor: number;
  /** Strongest firing. */
  readonly maximum: number;
}

/** Ranges of the latents that were ever seen to fire. */
export type Ranges = { readonly [latent: number]: Range | undefined };

/** A latent that was only seen at its strongest has no noise to measure: its floor is taken for this share of its maximum. */
const HIGHEST_FLOOR = 0.5;

/** Faintest and strongest firing of latents on some prompts, [latents]; 0 where a latent never fires. */
export interface Extremes {
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
}

/** Range of a latent over several sets of prompts, or undefined where it fires on none. */
export function rangeOf(latent: number, sets: readonly Extremes[]): Range | undefined {
  const firing = sets.filter((set) => (set.maximum[latent] as number) > 0);
  if (firing.length === 0) return undefined;
  const maximum = Math.max(...firing.map((set) => set.maximum[latent] as number));
  const faintest = Math.min(...firing.map((set) => set.minimum[latent] as number));
  return { floor: Math.min(faintest, HIGHEST_FLOOR * maximum), maximum };
}

/** Share of its range that an activation of a latent has, 0 at or below the floor. */
export function shareOf({ floor, maximum }: Range, value: number): number {
  return maximum > floor ? Math.max(0, (value - floor) / (maximum - floor)) : 0;
}

/** How clearly a part's concept is present, whether or not the part is negated; ≥ 0, about 1 at its clearest. */
export function prominence(reading: Reading, part: Part, ranges: Ranges): number {
  let best = 0;
  for (const latent of part.latents) {
    const range = ranges[latent];
    if (range !== undefined) best = Math.max(best, shareOf(range, activation(reading, latent)));
  }
  return best;
}

/** The maxima alone: units of the detector. */
export function maximaOf(ranges: Ranges): Maxima {
  return Object.fromEntries(Object.entries(ranges).map(([latent, range]) => [latent, (range as Range).maximum]));
}
