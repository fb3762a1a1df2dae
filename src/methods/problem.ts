/**
 * What an optimiser minimises: loss(x) + λ · penalty(x), where x are a method's own coordinates (θ, or latents).
 */

/** Progress smaller than this share of the total objective does not reset patience. */
export const PROGRESS = 1e-3;

/** Value of the objective at a point x. */
export interface Evaluated {
  /** Objective without penalty. */
  readonly loss: number;
  /** Gradient of the loss with respect to x. */
  readonly gradient: Float32Array;
  /** Penalty without its λ. */
  readonly penalty: number;
  /** Gradient of the part of the penalty that is smooth, where it has one that the proximal step leaves out. */
  readonly pull?: Float32Array | undefined;
  /** θ [d] at x. */
  readonly theta: Float32Array;
}

export interface Problem {
  evaluate(x: Float32Array): Promise<Evaluated>;
  /** For Adam: adds the gradient of a penalty that is differentiable, in place; others belong into `constrain`. */
  addPenalty?(gradient: Float32Array, x: Float32Array, lambda: number): void;
  /** After Adam's step, in place; `stepSizes` is Adam's lr / (√v̂ + ε) of each coordinate. */
  constrain?(x: Float32Array, lambda: number, stepSizes: Float32Array): void | Promise<void>;
  /**
   * In place, x ← argmin over y of ‖y − x‖² / (2 · stepSize) + λ · penalty(y), y within the method's constraints. At a fixed norm in SAE
   * space not that minimum: it shrinks, then scales.
   */
  proximal(x: Float32Array, lambda: number, stepSize: number): void | Promise<void>;
}

/** Gradient of the loss and of the smooth part of λ · penalty: a copy. */
export function smoothGradient({ gradient, pull }: Evaluated, lambda: number): Float32Array {
  return pull === undefined ? gradient.slice() : gradient.map((g, i) => g + lambda * pull[i]!);
}
