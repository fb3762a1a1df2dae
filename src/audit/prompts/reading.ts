/**
 * A prompt as the SAE sees it: for each latent its largest activation over the user-content tokens, and where.
 */
import type { Maxima as PromptMaxima } from "../../sae/sparse.js";

/** Latents that fire on one prompt, ascending, with the largest activation of each and the prompt token it is at. */
export type Reading = PromptMaxima;

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
