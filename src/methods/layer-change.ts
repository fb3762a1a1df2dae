/** From a method's options to the measure of a later layer's change; the caller prepares the objective with it. */
import type { LayerChange } from "../engine/engine.js";
import { InputError } from "../formats/input-error.js";
import type { MethodOptions } from "./method.js";

/** Powers of nearly all published runs: minus the squared Frobenius norm. */
const DEFAULT_P = 2;
const DEFAULT_Q = 1;
/** The published code reads `hidden_states[n − 8]`, which is what block n − 9 of n puts out. */
const PUBLISHED_FROM_END = 9;

/**
 * The measure that `options` ask for when block `layer` of `layers` is steered. The default target is the published code's, and
 * where that does not lie above `layer` (models of few blocks) the block halfway to the last.
 * Throws InputError when the target is no later block: θ compared where it is added would only measure its own length.
 */
export function layerChangeOf(options: MethodOptions, layer: number, layers: number): LayerChange {
  const last = layers - 1;
  if (layer >= last)
    throw new InputError(
      `layer ${layer}: is the last of ${layers}, so that no later one can change; steer an earlier one`,
    );
  const published = layers - PUBLISHED_FROM_END;
  const targetLayer = options.targetLayer ?? (published > layer ? published : layer + Math.ceil((last - layer) / 2));
  if (!(Number.isInteger(targetLayer) && targetLayer > layer && targetLayer <= last))
    throw new InputError(
      `target layer ${targetLayer}: must lie above the steered layer ${layer} and is at most ${last}, the last`,
    );
  return {
    targetLayer,
    p: options.p ?? DEFAULT_P,
    q: options.q ?? DEFAULT_Q,
    norm: options.variant === "published" ? "unit" : "token",
  };
}

/** The measure in words of `hyperparameters`. */
export function describeMeasure({ targetLayer, p, q, norm }: LayerChange) {
  return { targetLayer, p, q, norm: norm === "token" ? "of each token" : "of each hidden unit over tokens" };
}
