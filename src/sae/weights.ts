/**
 * What every SAE format is turned into. d = dModel, m = latents; matrices are row-major.
 *
 *   x' = normalise(x) − [subtractDecoderBias] b_dec
 *   p  = x' W_enc + b_enc
 *   f  = activation(p)
 *   x̂  = normalise⁻¹(f W_dec + b_dec)          each row by its own shift and scale
 *
 * Formulas as in SAELens (`sae_lens/saes/*_sae.py`). Where a format is loaded with latents in other units than its file has,
 * W_enc's columns are the stored ones times `encoderScale`, W_dec's rows the stored ones times `decoderScale`: a matrix
 * that stays in its file cannot be multiplied.
 */
import type { SaeMatrix } from "./matrix.js";
import type { SaeInfo } from "./sae.js";

export type SaeActivation =
  /** f = max(p, 0) */
  | { readonly kind: "relu" }
  /** f = p where p > threshold and p > 0, else 0; threshold [m]. */
  | { readonly kind: "jumprelu"; readonly threshold: Float32Array }
  /**
   * The k largest of p, and of those the positive ones. `rescale`: the largest of p · ‖decoder row‖; when true that is also
   * the value, with "selection" the value is p.
   */
  | { readonly kind: "topk"; readonly k: number; readonly rescale: boolean | "selection" }
  /** Of each of k groups of m / k neighbours the largest p (the first on ties), where it is positive. */
  | { readonly kind: "groupmax"; readonly k: number }
  /** q = x' W_enc; f = max(q · scale + bias, 0) where q + gateBias > 0, else 0; encoder bias unused; all [m]. */
  | {
      readonly kind: "gated";
      readonly gateBias: Float32Array;
      readonly scale: Float32Array;
      readonly bias: Float32Array;
    };

/**
 * "layer-norm": minus mean, over unbiased standard deviation + 1e-5; "constant-norm": to norm √d. Each row on its own.
 */
export type SaeNormalisation = "none" | "layer-norm" | "constant-norm";

export interface SaeWeights<Matrix extends SaeMatrix = SaeMatrix> {
  readonly info: SaeInfo;
  /** W_enc; [d, m] in memory. */
  readonly encoder: Matrix;
  /** [m]; none: 1. */
  readonly encoderScale?: Float32Array;
  /** b_enc [m]; zeros where the architecture has none. */
  readonly encoderBias: Float32Array;
  /** W_dec; [m, d] in memory. */
  readonly decoder: Matrix;
  /** [m]; none: 1. */
  readonly decoderScale?: Float32Array;
  /** b_dec [d] */
  readonly decoderBias: Float32Array;
  readonly activation: SaeActivation;
  readonly subtractDecoderBias: boolean;
  readonly normalisation: SaeNormalisation;
}

/** SAELens' LayerNorm epsilon. */
const LAYER_NORM_EPSILON = 1e-5;

/** x' [n, d] of rows x [n, d]; a new array. */
export function encoderInput(
  rows: Float32Array,
  weights: Pick<SaeWeights, "normalisation" | "subtractDecoderBias" | "decoderBias">,
): Float32Array {
  const { normalisation, subtractDecoderBias, decoderBias } = weights;
  const d = decoderBias.length;
  const out = rows.slice();
  for (let at = 0; at < out.length; at += d) {
    const { shift, scale } = normaliser(out, at, d, normalisation);
    for (let i = 0; i < d; i++) {
      out[at + i] = (out[at + i]! - shift) * scale - (subtractDecoderBias ? decoderBias[i]! : 0);
    }
  }
  return out;
}

/** x̂ [n, d] of rows [n, d] from what the decoder makes of their latents, f W_dec [n, d]; a new array. */
export function decoderOutput(
  decoded: Float32Array,
  rows: Float32Array,
  { normalisation, decoderBias }: Pick<SaeWeights, "normalisation" | "decoderBias">,
): Float32Array {
  const d = decoderBias.length;
  const out = new Float32Array(decoded.length);
  for (let at = 0; at < out.length; at += d) {
    const { shift, scale } = normaliser(rows, at, d, normalisation);
    for (let i = 0; i < d; i++) out[at + i] = (decoded[at + i]! + decoderBias[i]!) / scale + shift;
  }
  return out;
}

/** What one unit after normalisation is before it, on average over rows [n, d]: the mean of 1 / scale. */
export function meanLength(
  rows: Float32Array,
  { normalisation, decoderBias }: Pick<SaeWeights, "normalisation" | "decoderBias">,
): number {
  const d = decoderBias.length;
  let sum = 0;
  for (let at = 0; at < rows.length; at += d) sum += 1 / normaliser(rows, at, d, normalisation).scale;
  return sum / (rows.length / d);
}

/** normalise(x) = (x − shift) · scale of the row at `at`. */
function normaliser(rows: Float32Array, at: number, d: number, normalisation: SaeNormalisation) {
  let shift = 0;
  let scale = 1;
  if (normalisation === "layer-norm") {
    for (let i = 0; i < d; i++) shift += rows[at + i]! / d;
    let squares = 0;
    for (let i = 0; i < d; i++) squares += (rows[at + i]! - shift) ** 2;
    scale = 1 / (Math.sqrt(squares / (d - 1)) + LAYER_NORM_EPSILON);
  } else if (normalisation === "constant-norm") {
    let squares = 0;
    for (let i = 0; i < d; i++) squares += rows[at + i]! ** 2;
    scale = Math.sqrt(d / squares);
  }
  return { shift, scale };
}
