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
 * 4. λ not given: the path of `lambda-path.ts`; θ = 0 is optimal exactly when λ ≥ ‖∇CE(0)‖₂, so that is λ_max.
 * 5. Reading: score_j = θ read by encoder row j (default: it ranked triggers best in the pocket world) or by decoder
 *    row j (as the post does). Signed: largest first, since θ itself points towards the action.
 *
 * The default learning rate comes from the problem: a first-order step of length ρ = CE(0) / ‖∇CE(0)‖ would bring the loss
 * to zero, and Adam moves about lr·√d in a step, so lr = ρ / (√d · STEPS_TO_CROSS). Scaling the residual stream
 * scales it along.
 */
import { Random } from "../random/random.js";
import type { Sae } from "../sae/sae.js";
import { checkInput } from "./check-input.js";
import { doesElicit, followLambdaPath, PATH_STEPS } from "./lambda-path.js";
import type { FoundVector, Method, MethodInput } from "./method.js";
import { Descent, progressReporter } from "./optimise.js";
import { norm, OrthogonalComplement } from "./orthogonality.js";
import type { Problem } from "./problem.js";

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
  async run(input) {
    checkInput(this, input);
    const options = input.options ?? {};
    const radius = options.radius;
    const readBy = options.readBy ?? "encoder";
    const optimizer = options.optimizer ?? "adam";
    const count = options.vectors ?? 1;
    const steps = options.steps ?? (options.lambda === undefined && radius === undefined ? PATH_STEPS : FIXED_STEPS);
    const random = new Random(options.seed ?? DEFAULT_SEED);
    const report = progressReporter(input, count * (steps + 1));
    const complement = new OrthogonalComplement();

    input.signal?.throwIfAborted();
    const width = input.dModel;
    const atZero = await input.objective.evaluate(new Float32Array(width));
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
      const descent = new Descent(problem(input, complement, radius), start, {
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
      const theta = descent.x;
      complement.exclude(theta);
      vectors.push({
        index,
        vector: theta,
        z: null,
        norm: norm(theta),
        loss: { initial: unsteered, final: descent.last.loss },
        steps: descent.steps,
        lambda,
        elicits,
        log: descent.log,
        scores: input.sae === undefined ? null : await read(input.sae, theta, readBy),
      });
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

function problem(input: MethodInput, complement: OrthogonalComplement, radius: number | undefined): Problem {
  return {
    async evaluate(theta) {
      const { losses, gradients } = await input.objective.evaluate(theta);
      const gradient = complement.project(gradients);
      if (radius !== undefined) removeAlong(gradient, theta);
      return { loss: losses[0]!, gradient, penalty: radius === undefined ? norm(theta) : 0, theta };
    },
    addPenalty(gradient, theta, lambda) {
      if (radius !== undefined) return;
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
      if (radius !== undefined) setNorm(theta, radius);
    },
    proximal(theta, lambda, stepSize) {
      complement.project(theta);
      const length = norm(theta);
      if (length > 0) setNorm(theta, radius ?? Math.max(0, length - lambda * stepSize));
    },
  };
}

async function read(sae: Sae, theta: Float32Array, by: "encoder" | "decoder"): Promise<Float32Array> {
  return by === "encoder" ? sae.projectEncoder(theta) : sae.projectDecoder(theta);
}

function setNorm(theta: Float32Array, length: number): void {
  const factor = length / norm(theta);
  for (let i = 0; i < theta.length; i++) theta[i] = theta[i]! * factor;
}

/** gradient ← its part orthogonal to θ. */
function removeAlong(gradient: Float32Array, theta: Float32Array): void {
  let along = 0;
  let squared = 0;
  for (let i = 0; i < theta.length; i++) {
    along += gradient[i]! * theta[i]!;
    squared += theta[i]! * theta[i]!;
  }
  if (squared === 0) return;
  for (let i = 0; i < theta.length; i++) gradient[i] = gradient[i]! - (along / squared) * theta[i]!;
}
