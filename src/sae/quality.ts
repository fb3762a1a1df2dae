/** How well an SAE explains rows of activations. */
import type { SparseLatents } from "./sae.js";
import type { SaeWeights } from "./weights.js";

export interface SaeQuality {
  /** 1 − Σ‖x − x̂‖² / Σ‖x − mean‖² */
  readonly explainedVariance: number;
  /** Mean number of non-zero latents a row. */
  readonly l0: number;
  /** Latents that fired on no row. */
  readonly dead: number;
  readonly rows: number;
}

/** Measures reconstruction of `rows` [n, d] from their `latents`; for SAEs without normalisation of the input. */
export function saeQuality(
  weights: Pick<SaeWeights<Float32Array>, "decoder" | "decoderBias" | "info">,
  latents: SparseLatents,
  rows: Float32Array,
): SaeQuality {
  const { dModel: d, latents: m } = weights.info;
  const n = rows.length / d;
  const mean = new Float64Array(d);
  for (let r = 0; r < n; r++) for (let i = 0; i < d; i++) mean[i] = mean[i]! + rows[r * d + i]! / n;
  const fired = new Uint8Array(m);
  const difference = new Float64Array(d);
  let error = 0;
  let variance = 0;
  for (let r = 0; r < n; r++) {
    for (let i = 0; i < d; i++) difference[i] = rows[r * d + i]! - weights.decoderBias[i]!;
    for (let at = latents.rowStart[r]!; at < latents.rowStart[r + 1]!; at++) {
      const id = latents.ids[at]!;
      const value = latents.values[at]!;
      fired[id] = 1;
      for (let i = 0; i < d; i++) difference[i] = difference[i]! - value * weights.decoder[id * d + i]!;
    }
    for (let i = 0; i < d; i++) {
      error += difference[i]! ** 2;
      variance += (rows[r * d + i]! - mean[i]!) ** 2;
    }
  }
  let alive = 0;
  for (const bit of fired) alive += bit;
  return { explainedVariance: 1 - error / variance, l0: latents.ids.length / n, dead: m - alive, rows: n };
}
