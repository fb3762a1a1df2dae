/**
 * The unit of a latent: what it typically reaches on a prompt where it fires. Latents differ in scale by orders of
 * magnitude; thresholds, penalties and rankings are only comparable in such units.
 */
import type { Firings } from "./firings.js";

/** Percentile of a latent's positive prompt maxima that counts as typical. */
const TYPICAL_PERCENTILE = 0.95;

export interface LatentUnits {
  /** [m] 95th percentile of the positive prompt maxima; for latents that never fired the median over those that did. All positive. */
  readonly typical: Float32Array;
  /** [m] prompts on which each latent fired. */
  readonly firing: Int32Array;
  /** [m] 1 where a latent never fired on these prompts. */
  readonly dead: Uint8Array;
  /** Prompts that were read. */
  readonly prompts: number;
}

/** Measures units on a set of prompts. */
export function latentUnits(firings: Firings): LatentUnits {
  const m = firings.latents;
  const typical = new Float32Array(m);
  const firing = new Int32Array(m);
  const dead = new Uint8Array(m);
  const live: number[] = [];
  for (let j = 0; j < m; j++) {
    const { values } = firings.of(j);
    firing[j] = values.length;
    if (values.length === 0) dead[j] = 1;
    else {
      typical[j] = percentile(values, TYPICAL_PERCENTILE);
      live.push(typical[j]!);
    }
  }
  const fallback = live.length === 0 ? 1 : percentile(Float32Array.from(live), 0.5);
  for (let j = 0; j < m; j++) if (dead[j] === 1) typical[j] = fallback;
  return { typical, firing, dead, prompts: firings.promptCount };
}

/** The p-th quantile (0 … 1) with linear interpolation, as numpy's default. */
export function percentile(values: Float32Array, p: number): number {
  const sorted = values.slice().sort();
  const at = p * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}
