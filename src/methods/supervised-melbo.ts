/**
 * Supervised MELBO ("Discovering Backdoor Triggers", Qin et al. 2025, after MELBO, Mack & Turner 2024).
 *
 *   penalty:     min over θ of  mean_x CE(y | x, θ) + λ ‖θ‖₂
 *   fixed norm:  min over θ of  mean_x CE(y | x, θ)   with ‖θ‖₂ = R                     (`radius`)
 *
 * 1. Penalty: θ starts at 0, where cross-entropy has a good gradient; fixed norm: at a seeded random direction times R.
 * 2. Gradient of the loss, with earlier vectors projected out; for a fixed norm also made tangent to the sphere.
 * 3. Adam: the penalty's gradient λ θ/‖θ‖ is added; at θ = 0 the subgradient of least norm: g (1 − λ/‖g‖), or 0 where
 *    ‖g‖ ≤ λ. Earlier vectors are projected out of θ; a fixed norm is put back to R.
 *    `optimizer: "proximal"` (`proximal.ts`): θ ← θ (1 − aλ/‖θ‖)₊ after the gradient step a, or the nearest point of the sphere.
 * 4. λ not given: the path of `lambda-path.ts`; θ = 0 is stationary exactly when λ ≥ ‖∇CE(0)‖₂, so that is λ_max.
 * 5. Reading: score_j = θ read by encoder row j (default: it ranked triggers best in the pocket world) or by decoder
 *    row j (as the post does). Signed: largest first, since θ itself points towards the action.
 *
 * The default learning rate comes from the problem: a first-order step of length ρ = CE(0) / ‖∇CE(0)‖ would bring the loss
 * to zero, and Adam moves about lr·√d in a step, so lr = ρ / (√d · STEPS_TO_CROSS). Scaling the residual stream
 * scales it along.
 */
import type { Objective } from "../engine/engine.js";
import { InputError } from "../formats/input-error.js";
import { Random } from "../random/random.js";
import { actionObjective, checkInput, vectorCount } from "./check-input.js";
import { foundInResidual } from "./found-vector.js";
import { doesElicit, followLambdaPath, PATH_STEPS } from "./lambda-path.js";
import type { FoundVector, Method } from "./method.js";
import { Descent, progressReporter } from "./optimise.js";
import { norm, OrthogonalComplement } from "./orthogonality.js";
import type { Problem } from "./problem.js";
import { readVector } from "./read-vector.js";
import { setNorm, sphereProblem } from "./sphere.js";

/** Adam steps that would cross the first-order distance: fewer overshoot, more waste evaluations. */
const STEPS_TO_CROSS = 20;
/** Default updates when λ or R is given. */
const FIXED_STEPS = 50;
const DEFAULT_SEED = 42;

export const supervisedMelbo: Method = {
  name: "supervised-melbo",
  summary: "the smallest residual vector that makes the model say the action",
  score: "θ read by each latent's encoder row (or decoder row), largest first",
  objective: "cross-entropy",
  sae: "optional",
  options: ["steps", "vectors", "lambda", "radius", "optimizer", "learningRate", "seed", "readBy", "patience"],
  scoreDirections: readVector,
  async run(input) {
    checkInput(this, input);
    const objective = actionObjective(input);
    const options = input.options ?? {};
    const radius = options.radius;
    if (radius !== undefined && options.lambda !== undefined)
      throw new InputError(
        `${this.name}: a radius fixes the norm, so that there is no penalty for lambda to weigh; give one`,
      );
    const readBy = options.readBy ?? "encoder";
    const optimizer = options.optimizer ?? "adam";
    const count = vectorCount(this.name, input);
    const steps = options.steps ?? (options.lambda === undefined && radius === undefined ? PATH_STEPS : FIXED_STEPS);
    const random = new Random(options.seed ?? DEFAULT_SEED);
    const report = progressReporter(input, count * (steps + 1));
    const complement = new OrthogonalComplement();

    input.signal?.throwIfAborted();
    const width = input.dModel;
    const atZero = await objective.evaluate(new Float32Array(width));
    const unsteered = atZero.losses[0]!;
    const slope = norm(atZero.gradients);
    const learningRate =
      options.learningRate ?? (slope > 0 ? unsteered / slope / Math.sqrt(width) / STEPS_TO_CROSS : 1e-3);

    const vectors: FoundVector[] = [];
    for (let index = 0; index < count; index++) {
      const start = new Float32Array(width);
      if (radius !== undefined) {
        for (let i = 0; i < width; i++) start[i] = random.normal();
        setNorm(complement.project(start), radius);
      }
      const problem =
        radius === undefined ? penalised(objective, complement) : sphereProblem(objective, complement, radius);
      const descent = new Descent(problem, start, {
        optimizer,
        learningRate,
        patience: options.patience,
        report: report(index),
        signal: input.signal,
      });
      const first = await descent.evaluate(options.lambda ?? 0);
      let lambda: number | null = null;
      let elicits: boolean;
      if (radius === undefined && options.lambda === undefined) {
        const lambdaMax = norm(first.gradient);
        ({ lambda, elicits } = await followLambdaPath(descent, {
          lambdaMax,
          steps,
          unsteered,
          rate: input.elicitation,
        }));
      } else {
        lambda = radius === undefined ? (options.lambda ?? 0) : null;
        await descent.run(steps, lambda ?? 0);
        elicits = await doesElicit(descent.x, descent.last.loss, unsteered, input.elicitation);
      }
      complement.exclude(descent.x);
      vectors.push(await foundInResidual(descent, input.sae, readBy, { index, initial: unsteered, lambda, elicits }));
    }
    return {
      vectors,
      hyperparameters: {
        steps,
        vectors: count,
        lambda: radius === undefined ? (options.lambda ?? "path") : null,
        radius: radius ?? null,
        optimizer,
        learningRate: optimizer === "adam" ? learningRate : null,
        readBy,
        seed: options.seed ?? DEFAULT_SEED,
        patience: options.patience ?? null,
        orthogonality: "θ, residual space",
      },
    };
  },
};

function penalised(objective: Objective, complement: OrthogonalComplement): Problem {
  return {
    async evaluate(theta) {
      const { losses, gradients } = await objective.evaluate(theta);
      return { loss: losses[0]!, gradient: complement.project(gradients), penalty: norm(theta), theta };
    },
    addPenalty(gradient, theta, lambda) {
      const length = norm(theta);
      if (length > 0) {
        for (let i = 0; i < theta.length; i++) gradient[i] = gradient[i]! + (lambda * theta[i]!) / length;
        return;
      }
      const slope = norm(gradient);
      const factor = slope > lambda ? 1 - lambda / slope : 0;
      for (let i = 0; i < theta.length; i++) gradient[i] = gradient[i]! * factor;
    },
    constrain(theta) {
      complement.project(theta);
    },
    proximal(theta, lambda, stepSize) {
      complement.project(theta);
      const length = norm(theta);
      if (length > 0) setNorm(theta, Math.max(0, length - lambda * stepSize));
    },
  };
}
