/**
 * λ when it is not given: a path from sparse to dense, the sparsest point that elicits is kept (regularisation path
 * with warm starts, Friedman et al. 2010).
 *
 *   1. λ_max is the smallest λ at which zero is stationary (cross-entropy is not convex in θ: a lower point may lie elsewhere);
 *      it follows from the gradient at zero (L1: the largest coordinate; L2 norm: the gradient's norm).
 *   2. λ_k = λ_max / 2ᵏ, k = 1 … STAGES, each run starting where the one before ended. The steps that are left are shared
 *      evenly among the stages that are left, so that what a run did not need goes to the denser ones.
 *   3. After each run: does the vector elicit the action? The first that does is run once more at its λ, so that what the
 *      penalty can still take away is gone, and kept if it still does. (At the last stage no steps are left for that.)
 *   4. If none does, the densest is returned, and says so.
 *
 * Elicits = greedy action rate ≥ ELICITING_RATE where the caller can measure it, else loss ≤ ELICITING_LOSS × the
 * unsteered loss.
 */

import type { ElicitationRate } from "./method.js";
import type { Descent } from "./optimise.js";

/** Halvings of λ: the last is λ_max / 256, where the penalty no longer matters next to the loss. */
const STAGES = 8;
/** Half of the prompts: a vector that works on fewer has not found the trigger yet. */
const ELICITING_RATE = 0.5;
/**
 * Share of the unsteered loss. A fixed string's loss sits mostly in its first tokens and the rest is nearly free once they
 * are said, so a quarter of the mean leaves room for the first token to be the model's own choice.
 */
const ELICITING_LOSS = 0.25;
/** Above this share of the unsteered loss nothing can have been elicited, and the rate is not measured. */
const HOPELESS_LOSS = 0.95;
/** Default cap of updates for a whole path: 20 for each stage. */
export const PATH_STEPS = 160;

export interface PathResult {
  readonly lambda: number;
  readonly elicits: boolean;
}

/** Whether θ elicits; `unsteered` and `loss` are objective values without penalty. */
export async function doesElicit(
  theta: Float32Array,
  loss: number,
  unsteered: number,
  rate: ElicitationRate | undefined,
): Promise<boolean> {
  if (rate === undefined) return loss <= ELICITING_LOSS * unsteered;
  if (loss > HOPELESS_LOSS * unsteered) return false;
  return (await rate(theta)) >= ELICITING_RATE;
}

/** Follows the path with at most `steps` updates in all. `descent` must have been evaluated at its start: zero, or at a fixed norm a point of that norm. */
export async function followLambdaPath(
  descent: Descent,
  settings: {
    readonly lambdaMax: number;
    readonly steps: number;
    readonly unsteered: number;
    readonly rate: ElicitationRate | undefined;
  },
): Promise<PathResult> {
  const { lambdaMax, steps, unsteered, rate } = settings;
  let lambda = 0;
  for (let stage = 1; stage <= STAGES; stage++) {
    lambda = lambdaMax / 2 ** stage;
    // Whole steps; where there are fewer than stages, the last stages get them.
    const share = Math.floor((steps - descent.steps) / (STAGES - stage + 1));
    if (share === 0) continue;
    await descent.run(share, lambda);
    const { theta, loss } = descent.last;
    if (!(await doesElicit(theta, loss, unsteered, rate))) continue;
    await descent.run(Math.min(Math.ceil(steps / STAGES), steps - descent.steps), lambda);
    if (await doesElicit(descent.last.theta, descent.last.loss, unsteered, rate)) return { lambda, elicits: true };
  }
  return { lambda, elicits: false };
}
