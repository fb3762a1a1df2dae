/**
 * SAE-MELBO, unsupervised ("Discovering Backdoor Triggers", Qin et al. 2025).
 *
 *   max over z of  Σ_x ( Σ_t ‖Z_{x,t}(D z) − Z_{x,t}(0)‖ᵖ )^{1/q} − λ ‖u‖₁,    z_j = s_j u_j,  ‖P D z‖₂ = R
 *
 * s_j is the typical activation of latent j (`units: "typical"`) or 1 (`units: "raw"`), as in Supervised SAE-MELBO. P removes the
 * earlier vectors' θ; u ≥ 0 unless `signed`. What is steered and measured: as in `melbo.ts`, variant "post".
 *
 * Difference from the post: the norm of θ is fixed. At p = 2, q = 1 the change grows faster with z than a penalty does, which only moves
 * where the growth begins to pay, so the post's formula alone has no maximum; R bounds it as it does in MELBO, calibrated where it is not given.
 * λ then chooses how few latents share the length R. Further: z ≥ 0 and typical units, as in Supervised SAE-MELBO (docs/methods.md).
 *
 * `fixed-norm-latents.ts` has the problem without scale that is minimised, −change for its L.
 *
 * 1. Start: a random direction r read by the decoder, u = s ⊙ Dᵀ P r (its positive part unless `signed`): off zero, where nothing
 *    changes and the norm has no gradient, and about along r.
 * 2. Adam's step on the smooth part.
 * 3. The proximal step of λ‖u‖₁ in Adam's metric (as in Supervised SAE-MELBO): exact zeros. The limit of large λ is one latent.
 * 4. λ not given: a path from dense to sparse. λ = 0 first; its change c over its ‖u‖₁ is the λ at which penalty and change are
 *    alike, and the path doubles from 1/8 of that, eight times. The sparsest point that keeps half of c is taken: latents that the change
 *    does not need go, and it still is a vector that changes much. No action is asked for. λ = 0 has a third of the steps, each
 *    later λ an eighth of the others; those that are left when the path ends early are not used.
 * 5. Adam's learning rate: 1/100 of the median over latents of R / (s_j ‖d_j‖), the coordinate of a latent that alone gives θ its
 *    length; so the unit of u, of the residual stream and R do not matter.
 * 6. The last iterate at that λ. score_j = u_j; signed: |u_j|.
 */

import { InputError } from "../formats/input-error.js";
import { Random } from "../random/random.js";
import type { Sae } from "../sae/sae.js";
import { percentile } from "../sae/units.js";
import { changeObjective, checkInput, requiredSae, vectorCount } from "./check-input.js";
import { fixedNormProblem, stretch } from "./fixed-norm-latents.js";
import { foundInLatents } from "./found-vector.js";
import { latentScale } from "./latent-coordinates.js";
import { LatentMap } from "./latent-map.js";
import { describeMeasure } from "./layer-change.js";
import type { FoundVector, Method } from "./method.js";
import { Descent, progressReporter } from "./optimise.js";
import { OrthogonalComplement } from "./orthogonality.js";
import { radiusFor } from "./radius.js";

const DEFAULT_SEED = 42;
const STEPS = 300;
/** Share of a path's steps that the dense vector gets, against which the others are measured. */
const DENSE_SHARE = 1 / 3;
/** Stages of the path after it. */
const STAGES = 8;
/** First λ of the path, as a share of the one at which penalty and change are alike. */
const FIRST_LAMBDA = 1 / 8;
/** Share of the dense vector's change that a sparser one must keep. */
const KEPT_CHANGE = 0.5;
/** Adam steps in which a latent grows from nothing to where it alone would give θ its length. */
const STEPS_TO_GROW = 100;

export const saeMelbo: Method = {
  name: "sae-melbo",
  summary: "few SAE latents that together, at one length, change a later layer the most; needs no action",
  score:
    "size of the latent's coordinate in the found vector, in units of its typical activation (raw units on request)",
  objective: "layer-change",
  sae: "required",
  options: [
    "steps",
    "vectors",
    "lambda",
    "radius",
    "learningRate",
    "seed",
    "signed",
    "units",
    "patience",
    "p",
    "q",
    "targetLayer",
  ],
  async run(input) {
    checkInput(this, input);
    const objective = changeObjective(input);
    const sae = requiredSae(input);
    const { dModel, options = {} } = input;
    const signed = options.signed ?? false;
    const { units, scale, rows } = latentScale(this.name, input, sae);
    const count = vectorCount(this.name, input);
    const steps = options.steps ?? STEPS;
    const seed = options.seed ?? DEFAULT_SEED;
    const { radius, about } = await radiusFor(input, objective, seed);
    const learningRate = options.learningRate ?? (await coordinateAlone(sae, rows, radius)) / STEPS_TO_GROW;

    const random = new Random(seed);
    const report = progressReporter(input, count * (steps + 2));
    const complement = new OrthogonalComplement();
    const map = new LatentMap(sae, rows, complement);
    const problem = fixedNormProblem(objective, map, radius, signed);
    const vectors: FoundVector[] = [];
    for (let index = 0; index < count; index++) {
      const direction = input.starts?.[index]?.slice() ?? Float32Array.from({ length: dModel }, () => random.normal());
      const start = await readStart(sae, complement.project(direction), rows, signed);
      await stretch(map, start, radius);
      const descent = new Descent(problem, start, {
        learningRate,
        patience: options.patience,
        report: report(index),
        signal: input.signal,
      });
      const { loss: initial } = await descent.evaluate(options.lambda ?? 0);
      let { lambda } = options;
      if (lambda === undefined) lambda = await followPath(descent, steps);
      else await descent.run(steps, lambda);
      complement.exclude(descent.last.theta);
      vectors.push(foundInLatents(descent, scale, { index, initial, lambda, elicits: null }));
    }
    return {
      vectors,
      hyperparameters: {
        steps,
        vectors: count,
        lambda: options.lambda ?? "path",
        ...about,
        ...describeMeasure(objective.measure),
        learningRate,
        signed,
        units,
        seed,
        patience: options.patience ?? null,
        orthogonality: "θ = P D z, residual space",
      },
    };
  },
};

/** u₀ [m] = s ⊙ Dᵀ r, or its positive part; of −r where no latent points along r. */
async function readStart(
  sae: Sae,
  direction: Float32Array,
  rows: Float32Array | undefined,
  signed: boolean,
): Promise<Float32Array> {
  const along = await sae.projectDecoder(direction); // [m]
  const sign = along.some((x) => x > 0) ? 1 : -1;
  return along.map((x, j) => (signed ? x : Math.max(sign * x, 0)) * (rows?.[j] ?? 1));
}

/** λ from 0 upwards, `steps` updates in all; leaves `descent` at the sparsest point that keeps the change. */
async function followPath(descent: Descent, steps: number): Promise<number> {
  const dense = Math.ceil(DENSE_SHARE * steps);
  const until = (stage: number) => Math.floor(((steps - dense) * stage) / STAGES);
  await descent.run(dense, 0);
  const change = -descent.last.loss;
  const alike = change / descent.last.penalty;
  let kept = { lambda: 0, u: descent.x.slice() };
  for (let stage = 0; stage < STAGES; stage++) {
    const share = until(stage + 1) - until(stage);
    if (share === 0) continue;
    const lambda = FIRST_LAMBDA * 2 ** stage * alike;
    await descent.run(share, lambda);
    if (-descent.last.loss < KEPT_CHANGE * change) {
      descent.x.set(kept.u);
      await descent.evaluate(kept.lambda);
      break;
    }
    kept = { lambda, u: descent.x.slice() };
  }
  return kept.lambda;
}

/** Median over latents of the u_j at which latent j alone gives θ the length R: R / (s_j ‖d_j‖). */
async function coordinateAlone(sae: Sae, rows: Float32Array | undefined, radius: number): Promise<number> {
  const norms = await sae.decoderNorms();
  const alone = norms.map((length, j) => radius / (length * (rows?.[j] ?? 1))).filter(Number.isFinite);
  if (alone.length === 0) throw new InputError(`${sae.info.name}: every decoder row is zero`);
  return percentile(alone, 0.5);
}
