/**
 * Supervised SAE-MELBO ("Discovering Backdoor Triggers", Qin et al. 2025): the post's best method.
 *
 *   min over z of  mean_x CE(y | x, D z) + λ ‖u‖₁,     z_j = s_j u_j
 *
 * (D z is D (c ⊙ z) for an SAE whose latents add c_j decoder rows a unit: `Sae.unitLengths`; c = 1 for most.)
 *
 * s_j is the typical activation of latent j (`units: "typical"`, 95th percentile of its positive prompt maxima) or 1 (`units:
 * "raw"`). u = 1 then means "as strongly as this latent usually fires", for every latent alike; raw units make λ and
 * the ranking depend on how large each latent's numbers happen to be.
 *
 * 1. u = 0. Cross-entropy has a usable gradient there (a divergence would not).
 * 2. θ = P D (s ⊙ u); ∂/∂u = s ⊙ Dᵀ P ∂/∂θ. P removes the earlier vectors' θ: what is added to the model is orthogonal to
 *    them in residual space, u keeps its zeros and its sign, and the u of different vectors need not be orthogonal.
 * 3. Adam's step on the cross-entropy alone.
 * 4. The proximal step of λ‖u‖₁ in Adam's metric: with a_j = lr / (√v̂_j + ε) from that step,
 *      u_j ← max(u_j − a_j λ, 0)                        (z ≥ 0, default)
 *      u_j ← sign(u_j) max(|u_j| − a_j λ, 0)            (`signed`)
 *    which gives exact zeros, and whose fixed points are those of the objective: at u_j = 0 with gradient g_j both steps
 *    together stay at 0 when −g_j ≤ λ.
 *    `optimizer: "proximal"` (`proximal.ts`): the same with one step size a for all coordinates, found by a line search.
 * 5. λ not given: the path of `lambda-path.ts`; u = 0 is stationary exactly when λ ≥ max_j −∂CE/∂u_j (signed: |∂CE/∂u_j|).
 * 6. score_j = u_j; signed: |u_j|. Every latent of the SAE takes part, dead ones too: marking them is up to the reader.
 *
 * Differences from the post, whose z has no restricted sign and whose λ was adjusted by hand: z ≥ 0 unless `signed`; the penalty in
 * typical units unless `raw`; the proximal step; the path. All of them: docs/methods.md.
 *
 * Fixed norm (`radius`): ‖θ‖₂ = R; see `fixed-norm-latents.ts` for the objective, what its L1 penalty means, and the start. The path's
 * λ_max is still that of the free problem at zero: a scale, as at a fixed norm no λ makes u zero. Adam's rate goes by each vector's own
 * start; the result has the first vector's.
 */
import type { Objective } from "../engine/engine.js";
import { percentile } from "../sae/units.js";
import { actionObjective, checkInput, requiredSae, vectorCount } from "./check-input.js";
import { fixedNormProblem, fixedNormStart } from "./fixed-norm-latents.js";
import { foundInLatents } from "./found-vector.js";
import { doesElicit, followLambdaPath, PATH_STEPS } from "./lambda-path.js";
import { latentScale } from "./latent-coordinates.js";
import { LatentMap } from "./latent-map.js";
import type { FoundVector, Method } from "./method.js";
import { Descent, progressReporter } from "./optimise.js";
import { OrthogonalComplement } from "./orthogonality.js";
import type { Problem } from "./problem.js";
import { absoluteSum, shrink } from "./soft-threshold.js";

/** Default updates when λ is given; with the learning rate below a latent can reach its typical activation. */
const FIXED_STEPS = 50;
/** Adam, in units of typical activations (raw: of the median one, where it is known); at a fixed norm, which settles how large coordinates are, in units of the start's largest. */
const LEARNING_RATE = 0.02;

export const supervisedSaeMelbo: Method = {
  name: "supervised-sae-melbo",
  summary: "the sparsest combination of SAE latents that makes the model say the action",
  score:
    "size of the latent's coordinate in the found vector, in units of its typical activation (raw units on request)",
  objective: "cross-entropy",
  sae: "required",
  options: ["steps", "vectors", "lambda", "radius", "optimizer", "learningRate", "signed", "units", "patience"],
  async run(input) {
    checkInput(this, input);
    const objective = actionObjective(input);
    const sae = requiredSae(input);
    const options = input.options ?? {};
    const signed = options.signed ?? false;
    const { units, scale, rows } = latentScale(this.name, input, sae);
    const count = vectorCount(this.name, input);
    const steps = options.steps ?? (options.lambda === undefined ? PATH_STEPS : FIXED_STEPS);
    const radius = options.radius;
    const optimizer = options.optimizer ?? "adam";
    const report = progressReporter(input, count * (steps + 1));
    const complement = new OrthogonalComplement();
    const map = new LatentMap(sae, rows, complement);
    const unit =
      units === "raw" && input.typicalActivation !== undefined ? percentile(input.typicalActivation, 0.5) : 1;
    const free = problem(objective, map, signed);

    let firstRate: number | null = null;
    const vectors: FoundVector[] = [];
    for (let index = 0; index < count; index++) {
      input.signal?.throwIfAborted();
      const zero = new Float32Array(map.latents);
      const atZero = await free.evaluate(zero);
      const unsteered = atZero.loss;
      const lambdaMax = smallestZeroLambda(atZero.gradient, signed);
      const start =
        radius === undefined
          ? zero
          : await fixedNormStart(map, atZero.gradient, options.lambda ?? lambdaMax / 2, radius, signed);
      const learningRate = options.learningRate ?? LEARNING_RATE * (radius === undefined ? unit : largest(start));
      firstRate ??= learningRate;
      const descent = new Descent(
        radius === undefined ? free : fixedNormProblem(objective, map, radius, signed),
        start,
        {
          optimizer,
          learningRate,
          patience: options.patience,
          report: report(index),
          signal: input.signal,
        },
      );
      await descent.evaluate(options.lambda ?? 0, radius === undefined ? atZero : undefined);
      let lambda: number;
      let elicits: boolean;
      if (options.lambda === undefined) {
        ({ lambda, elicits } = await followLambdaPath(descent, {
          lambdaMax,
          steps,
          unsteered,
          rate: input.elicitation,
        }));
      } else {
        lambda = options.lambda;
        await descent.run(steps, lambda);
        elicits = await doesElicit(descent.last.theta, descent.last.loss, unsteered, input.elicitation);
      }
      complement.exclude(descent.last.theta);
      vectors.push(foundInLatents(descent, scale, { index, initial: unsteered, lambda, elicits }));
    }
    return {
      vectors,
      hyperparameters: {
        steps,
        vectors: count,
        lambda: options.lambda ?? "path",
        radius: radius ?? null,
        optimizer,
        learningRate: optimizer === "adam" ? firstRate : null,
        signed,
        units,
        patience: options.patience ?? null,
        orthogonality: "θ = P D z, residual space",
      },
    };
  },
};

function problem(objective: Objective, map: LatentMap, signed: boolean): Problem {
  return {
    async evaluate(u) {
      const theta = await map.theta(u); // [d]
      const { losses, gradients } = await objective.evaluate(theta);
      return { loss: losses[0]!, gradient: await map.adjoint(gradients), penalty: absoluteSum(u), theta };
    },
    constrain: (u, lambda, stepSizes) => shrink(u, signed, (j) => lambda * stepSizes[j]!),
    proximal: (u, lambda, stepSize) => shrink(u, signed, () => lambda * stepSize),
  };
}

function largest(u: Float32Array): number {
  return u.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}

/** The smallest λ at which u = 0 is stationary. */
function smallestZeroLambda(gradient: Float32Array, signed: boolean): number {
  let largest = 0;
  for (let j = 0; j < gradient.length; j++)
    largest = Math.max(largest, signed ? Math.abs(gradient[j]!) : -gradient[j]!);
  return largest;
}
