/**
 * Gradients of SAE training, written out: only the latents that a row selected are touched, k of m, which is why they are
 * not a graph. d = width, m = latents, B = rows of the batch; x here is already less b_dec.
 */
import type { Selection } from "./sparsity.js";
import type { TrainingParameters } from "./training-state.js";

/** Weight of the auxiliary loss (1/32 in Gao et al. 2024). */
const AUXILIARY = 1 / 32;
/** Dead latents that each row may revive. */
const AUXILIARY_LATENTS = 16;
/**
 * Gradients of mean ‖x − x̂‖² into `gradients`; returns x̂ − x [B, d]. With x' = x − b_dec: x̂ − x = f W_dec − x'.
 * g = 2 (x̂ − x) / B;  ∂W_dec[j] += f_j g;  ∂f_j = W_dec[j]·g;  ∂W_enc[:, j] += ∂f_j x';  ∂b_enc[j] += ∂f_j;
 * ∂b_dec += g − Σ_j ∂f_j W_enc[:, j].
 */
export function reconstructionGradients(
  x: Float32Array,
  selected: Selection,
  { encoder, decoder }: TrainingParameters,
  gradients: TrainingParameters,
  d: number,
): Float32Array {
  const B = x.length / d;
  const error = new Float32Array(x.length);
  const g = new Float32Array(d);
  for (let r = 0; r < B; r++) {
    const row = r * d;
    for (let i = 0; i < d; i++) error[row + i] = -x[row + i]!;
    for (let at = selected.rowStart[r]!; at < selected.rowStart[r + 1]!; at++) {
      const f = selected.values[at]!;
      const from = selected.ids[at]! * d;
      for (let i = 0; i < d; i++) error[row + i] = error[row + i]! + f * decoder[from + i]!;
    }
    for (let i = 0; i < d; i++) {
      g[i] = (2 * error[row + i]!) / B;
      gradients.decoderBias[i] = gradients.decoderBias[i]! + g[i]!;
    }
    for (let at = selected.rowStart[r]!; at < selected.rowStart[r + 1]!; at++) {
      const j = selected.ids[at]!;
      const df = accumulate(gradients, decoder, g, selected.values[at]!, j, x, row, d);
      for (let i = 0; i < d; i++) gradients.decoderBias[i] = gradients.decoderBias[i]! - df * encoder[j * d + i]!;
    }
  }
  return error;
}

/** One active latent's share of the gradients; returns ∂f. */
function accumulate(
  gradients: TrainingParameters,
  decoder: Float32Array,
  g: Float32Array,
  f: number,
  j: number,
  x: Float32Array,
  row: number,
  d: number,
): number {
  const from = j * d;
  let df = 0;
  for (let i = 0; i < d; i++) {
    df += decoder[from + i]! * g[i]!;
    gradients.decoder[from + i] = gradients.decoder[from + i]! + f * g[i]!;
  }
  for (let i = 0; i < d; i++) gradients.encoder[from + i] = gradients.encoder[from + i]! + df * x[row + i]!;
  gradients.encoderBias[j] = gradients.encoderBias[j]! + df;
  return df;
}

/** Gradients of AUXILIARY · mean ‖(x − x̂) − ê‖², ê from the largest positive dead latents of each row; the error is a constant. */
export function auxiliaryGradients(
  x: Float32Array,
  p: Float32Array,
  error: Float32Array,
  dead: readonly number[],
  { decoder }: TrainingParameters,
  gradients: TrainingParameters,
  d: number,
  m: number,
): void {
  const B = x.length / d;
  const g = new Float32Array(d);
  for (let r = 0; r < B; r++) {
    const best = dead.filter((j) => p[r * m + j]! > 0);
    if (best.length > AUXILIARY_LATENTS) {
      best.sort((a, b) => p[r * m + b]! - p[r * m + a]! || a - b);
      best.length = AUXILIARY_LATENTS;
    }
    if (best.length === 0) continue;
    g.set(error.subarray(r * d, (r + 1) * d)); // ê − (x − x̂) = ê + error
    for (const j of best) for (let i = 0; i < d; i++) g[i] = g[i]! + p[r * m + j]! * decoder[j * d + i]!;
    for (let i = 0; i < d; i++) g[i] = (2 * AUXILIARY * g[i]!) / B;
    for (const j of best) accumulate(gradients, decoder, g, p[r * m + j]!, j, x, r * d, d);
  }
}

/** gradient ← its part orthogonal to each (unit) row. */
export function removeAlongRows(gradient: Float32Array, rows: Float32Array, d: number): void {
  for (let at = 0; at < rows.length; at += d) {
    let along = 0;
    for (let i = 0; i < d; i++) along += gradient[at + i]! * rows[at + i]!;
    if (along === 0) continue;
    for (let i = 0; i < d; i++) gradient[at + i] = gradient[at + i]! - along * rows[at + i]!;
  }
}

/** Each row to norm 1, in place; a row of zeros stays. */
export function normaliseRows(rows: Float32Array, d: number): void {
  for (let at = 0; at < rows.length; at += d) {
    let squares = 0;
    for (let i = 0; i < d; i++) squares += rows[at + i]! ** 2;
    const length = Math.sqrt(squares);
    if (length === 0) continue;
    for (let i = 0; i < d; i++) rows[at + i] = rows[at + i]! / length;
  }
}
