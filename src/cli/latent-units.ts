/** Typical activations of latents, measured on a corpus. */
import type { Sequence } from "../model/sequence.js";
import { Firings } from "../sae/firings.js";
import { readMaxima } from "../sae/readings.js";
import type { Sae } from "../sae/sae.js";
import { type LatentUnits, latentUnits } from "../sae/units.js";
import type { Io } from "./io.js";
import type { OpenedModel } from "./open-model.js";

/** Prompts read to measure units: percentiles of latents that matter are stable well before this. */
export const UNIT_PROMPTS = 2000;

/** Reads the first `UNIT_PROMPTS` of `sequences`. */
export async function measureUnits(
  io: Io,
  { engine }: OpenedModel,
  sae: Sae,
  sequences: readonly Sequence[],
  layer: number,
): Promise<LatentUnits> {
  const maxima = await readMaxima(engine, sae, sequences.slice(0, UNIT_PROMPTS), layer, {
    onProgress: io.progress("measuring latents"),
    signal: io.signal,
  });
  return latentUnits(new Firings(maxima, sae.info.latents));
}
