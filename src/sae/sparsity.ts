/** What makes latents sparse in training: which of them a batch activates, and what that adds to the gradients. B = rows of the batch. */
import type { TrainingParameters } from "./training-state.js";

/** Active latents, row after row. */
export interface Selection {
  /** [B + 1] */
  readonly rowStart: Int32Array;
  readonly ids: Int32Array;
  readonly values: Float32Array;
}

export interface Sparsity {
  /** The active latents of a step's batch, from p = max((x − b_dec) W_enc + b_enc, 0) [B, m]. */
  select(p: Float32Array, B: number, step: number): Selection;
  /** Adds the gradients that the last selection has beyond those of the reconstruction, whose `error` is x̂ − x [B, d]. */
  addGradients(error: Float32Array, gradients: TrainingParameters, step: number): void;
  /** After the last step: takes p of a batch that the thresholds are measured on. */
  measure(p: Float32Array, B: number): void;
  /** Thresholds of the finished SAE, [m]. */
  thresholds(): Float32Array;
}
