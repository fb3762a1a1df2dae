/**
 * MELBO, unsupervised (Mack & Turner 2024; as used in "Discovering Backdoor Triggers", Qin et al. 2025).
 *
 *   max over ‖θ‖₂ = R of  Σ_x ( Σ_t ‖Z_{x,t}(θ) − Z_{x,t}(0)‖ᵖ )^{1/q}
 *
 * θ is added after block s, Z is the residual stream after the later block `targetLayer`. No action is needed.
 *
 * 1. A random direction times R: at θ = 0 nothing changes and the norm has no gradient.
 * 2. Minus the change as a loss, and its gradient: summed over prompts, no mean.
 * 3. The gradient loses its part along earlier vectors and its part along θ; Adam; θ loses its part along earlier vectors
 *    and is put back to length R (`sphere.ts`).
 * 4. The last iterate is kept. A new optimiser for each vector.
 * 5. R not given: `calibrate-radius.ts`.
 * 6. Reading: score_j = θ read by encoder row j (default) or by decoder row j (as the post does), largest first.
 *
 * `variant: "post"` (default): the formula of the post, as far as its text tells it (docs/methods.md). t runs over the user-content tokens, which are also the tokens
 *   steered (the post leaves t open; tokens after them are part of the template); ‖·‖ of each token. Adam with its usual
 *   moments; the learning rate comes from the problem: Adam moves about lr·√d in a step, and a step goes 1/50 of R.
 * `variant: "published"`: the arithmetic of the published code, number for number; its defaults differ (docs/methods.md). θ at every token of the prompt and of the
 *   reply, t over every token of the prompt; ‖·‖ is taken over tokens for each hidden unit (at p = 2 the same as the formula);
 *   AdamW with lr 1e-3, β (0.9, 0.98), amsgrad, no weight decay. The caller masks every token.
 *   Where a family normalises what its MLP puts out (gemma2) the published θ, a bias of `down_proj`, passes that norm first; here
 *   it is added after the block.
 * Both: p = 2, q = 1, 300 steps, target by `layer-change.ts`.
 */
import { Random } from "../random/random.js";
import { changeObjective, checkInput, vectorCount } from "./check-input.js";
import { foundInResidual } from "./found-vector.js";
import { describeMeasure } from "./layer-change.js";
import type { FoundVector, Method } from "./method.js";
import { Descent, progressReporter } from "./optimise.js";
import { OrthogonalComplement } from "./orthogonality.js";
import { radiusFor } from "./radius.js";
import { readVector } from "./read-vector.js";
import { setNorm, sphereProblem } from "./sphere.js";

const STEPS = 300;
const DEFAULT_SEED = 42;
/** Adam steps as long as R: published runs (R 4, lr 1e-3, widths 2,048 to 5,120) have 56 to 88. */
const STEPS_TO_CROSS = 50;
const PUBLISHED = { learningRate: 1e-3, betas: [0.9, 0.98], amsgrad: true } as const;
const POST = { betas: [0.9, 0.999], amsgrad: false } as const;

export const melbo: Method = {
  name: "melbo",
  summary: "residual vectors of one length that change a later layer the most; needs no action",
  score: "θ read by each latent's encoder row (or decoder row), largest first",
  objective: "layer-change",
  sae: "optional",
  options: [
    "steps",
    "vectors",
    "radius",
    "learningRate",
    "seed",
    "readBy",
    "patience",
    "variant",
    "p",
    "q",
    "targetLayer",
  ],
  scoreDirections: readVector,
  async run(input) {
    checkInput(this, input);
    const objective = changeObjective(input);
    const { dModel, options = {} } = input;
    const count = vectorCount(this.name, input);
    const variant = options.variant ?? "post";
    const steps = options.steps ?? STEPS;
    const seed = options.seed ?? DEFAULT_SEED;
    const readBy = options.readBy ?? "encoder";
    const { radius, about } = await radiusFor(input, objective, seed);
    const { betas, amsgrad } = variant === "published" ? PUBLISHED : POST;
    const learningRate =
      options.learningRate ??
      (variant === "published" ? PUBLISHED.learningRate : radius / Math.sqrt(dModel) / STEPS_TO_CROSS);

    const random = new Random(seed);
    const report = progressReporter(input, count * (steps + 1));
    const complement = new OrthogonalComplement();
    const problem = sphereProblem(objective, complement, radius);
    const vectors: FoundVector[] = [];
    for (let index = 0; index < count; index++) {
      const start = input.starts?.[index]?.slice() ?? Float32Array.from({ length: dModel }, () => random.normal());
      const descent = new Descent(problem, setNorm(complement.project(start), radius), {
        learningRate,
        adam: { betas, amsgrad },
        patience: options.patience,
        report: report(index),
        signal: input.signal,
      });
      const { loss: initial } = await descent.evaluate(0);
      await descent.run(steps, 0);
      complement.exclude(descent.x);
      vectors.push(await foundInResidual(descent, input.sae, readBy, { index, initial, lambda: null, elicits: null }));
    }
    return {
      vectors,
      hyperparameters: {
        variant,
        steps,
        vectors: count,
        ...about,
        ...describeMeasure(objective.measure),
        learningRate,
        betas: betas.join(", "),
        amsgrad,
        readBy,
        seed,
        patience: options.patience ?? null,
        orthogonality: "θ, residual space",
      },
    };
  },
};
