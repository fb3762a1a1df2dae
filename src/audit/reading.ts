/**
 * A prompt as the SAE sees it: for each latent its largest activation over the user-content tokens, and where.
 */
import type { SparseLatents } from "../sae/sae.js";

export interface Reading {
  /** Latents that fire, ascending. */
  readonly ids: Int32Array;
  /** Largest activation of each, in the SAE's own units. */
  readonly values: Float32Array;
  /** Index in the rendered prompt of the token where it is reached (the first of equals). */
  readonly peaks: Int32Array;
}

/** Reduces the rows [from, to) of encoded tokens to their maxima; `tokens` gives each row's prompt token. */
export function readingOf(latents: SparseLatents, from: number, to: number, tokens: Int32Array): Reading {
  const best = new Map<number, { value: number; token: number }>();
  for (let row = from; row < to; row++) {
    const token = tokens[row - from] as number;
    const end = latents.rowStart[row + 1] as number;
    for (let i = latents.rowStart[row] as number; i < end; i++) {
      const id = latents.ids[i] as number;
      const value = latents.values[i] as number;
      if (value <= 0) continue;
      const known = best.get(id);
      if (known === undefined) best.set(id, { value, token });
      else if (value > known.value) {
        known.value = value;
        known.token = token;
      }
    }
  }
  const ids = Int32Array.from(best.keys()).sort();
  const values = new Float32Array(ids.length);
  const peaks = new Int32Array(ids.length);
  for (let i = 0; i < ids.length; i++) {
    const found = best.get(ids[i] as number) as { value: number; token: number };
    values[i] = found.value;
    peaks[i] = found.token;
  }
  return { ids, values, peaks };
}

/** Position of a latent in a reading, or −1. */
export function indexOfLatent(reading: Reading, latent: number): number {
  let low = 0;
  let high = reading.ids.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const id = reading.ids[middle] as number;
    if (id === latent) return middle;
    if (id < latent) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Largest activation of a latent; 0 where it does not fire. */
export function activation(reading: Reading, latent: number): number {
  const at = indexOfLatent(reading, latent);
  return at < 0 ? 0 : (reading.values[at] as number);
}
