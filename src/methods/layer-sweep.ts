/**
 * The layer to steer at, when none is given: a short run of the method at several, and a rule that picks one.
 *
 * What tells layers apart is whether their vector still works on prompts that it was not made for. A vector that stands for the
 * trigger's meaning does; once the model has read the trigger, only the reply is left to push, prompt by prompt, and that does
 * not carry over. The size of the vector relative to the residual stream tells nothing: near the embeddings everything is
 * small and the blocks above amplify it, so it is least at the first layer tried, whatever the model.
 *
 * Rule: among the layers whose vector elicits on its own prompts, the deepest whose rate on the other prompts lies within one
 * standard error of the best such rate (the one-standard-error rule, Breiman et al. 1984): deeper layers hold meanings rather
 * than words. Where no layer elicits, the one with the lowest loss.
 */

/** Depths tried, as shares of the blocks: before the first there are words, after the last the reply is being written. */
const SHALLOWEST = 1 / 8;
const DEEPEST = 3 / 4;
/** Layers tried. */
const TRIED = 6;
/** Cap of optimiser steps at each layer: five for each stage of a path, which is enough to compare and not to keep. */
export const SWEEP_STEPS = 40;

/** What a short run at one layer gave. */
export interface LayerTrial {
  readonly layer: number;
  /** Whether the vector elicits the action on the prompts it was found on. */
  readonly elicits: boolean;
  readonly loss: { readonly initial: number; readonly final: number };
  /** ‖θ‖₂, residual units, and the same as a share of the mean norm of the residual stream there. */
  readonly norm: number;
  readonly relativeNorm: number;
  readonly steps: number;
  /** Greedy action rate under the vector on the judging prompts, and their number. */
  readonly rate: { readonly rate: number; readonly total: number };
}

/** Up to `TRIED` layers of a model with `layers` blocks, evenly from an eighth to three quarters of its depth. */
export function layersToTry(layers: number): number[] {
  // Layer n lies after n + 1 blocks.
  const first = Math.max(1, Math.ceil(SHALLOWEST * layers)) - 1;
  const last = Math.max(first, Math.floor(DEEPEST * layers) - 1);
  const count = Math.min(TRIED, last - first + 1);
  return Array.from({ length: count }, (_, i) =>
    count === 1 ? first : Math.round(first + (i * (last - first)) / (count - 1)),
  );
}

/** The trial to keep; `trials` is not empty. */
export function chooseTrial(trials: readonly LayerTrial[]): LayerTrial {
  const eliciting = trials.filter(({ elicits }) => elicits);
  if (eliciting.length === 0) return trials.reduce((a, b) => (b.loss.final < a.loss.final ? b : a));
  const best = eliciting.reduce((a, b) => (b.rate.rate > a.rate.rate ? b : a)).rate;
  const error = Math.sqrt((best.rate * (1 - best.rate)) / Math.max(1, best.total));
  return eliciting.filter(({ rate }) => rate.rate >= best.rate - error).reduce((a, b) => (b.layer > a.layer ? b : a));
}
