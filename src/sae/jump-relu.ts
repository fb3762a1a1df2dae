/**
 * JumpReLU (Rajamanoharan et al. 2024, "Jumping Ahead", arXiv 2407.14435): each latent learns its own threshold θ.
 *
 *   f_j  = p_j H(p_j − θ_j),   θ_j = exp(t_j)                                 H: step function
 *   loss = mean ‖x − x̂‖² + λ (L0 / k − 1)²,   L0 = mean over the batch of Σ_j H(p_j − θ_j)
 *
 * Steps have no gradient. The paper's straight-through estimator takes that of the expected loss instead, with a kernel of width ε
 * around the threshold, here the rectangle K(u) = 1 where |u| < ½:
 *
 *   ∂f_j / ∂θ_j       = −(θ_j / ε) K((p_j − θ_j) / ε)           ∂f_j / ∂p_j = H(p_j − θ_j)
 *   ∂H(p_j − θ_j)/∂θ_j = −(1 / ε) K((p_j − θ_j) / ε)             nothing goes to p_j
 *   ∂loss / ∂t_j      = θ_j ∂loss / ∂θ_j
 *
 * The penalty is the one they name for training to a given L0, on the batch's mean: so --k means what it does for BatchTopK.
 * λ = weight · d, d being the size of ‖x‖², and rises from 0 over the first steps.
 *
 * Not from the paper, where θ starts near 0 and some hundred times as many steps are taken: the first steps are BatchTopK's, which
 * bring the thresholds, one for all, to where they cut k latents a row; from then on each latent learns its own. Latents that went
 * silent are revived by the auxiliary loss of `training.ts`.
 */
import { selectLargest } from "./batch-topk.js";
import type { Selection, Sparsity } from "./sparsity.js";
import type { TrainingParameters } from "./training-state.js";

export interface JumpReluSettings {
  /** λ / d. */
  readonly weight: number;
  /** ε, in the units of training, in which rows have norm √d on average. */
  readonly bandwidth: number;
}

/**
 * On 30,000 rows of the pocket model (256 latents, k 4, 400 steps of 256): explained variance 0.745 at L0 4.1, where BatchTopK has
 * 0.739 at 4.0; a width of 1 gave 0.742. With thresholds of their own from the first step most latents died.
 */
export const JUMP_RELU_DEFAULTS: JumpReluSettings = { weight: 1, bandwidth: 0.3 };

/** Share of the steps that are BatchTopK's, and of those after them over which λ rises. */
const COMMON_SHARE = 0.5;
const WARM_UP_SHARE = 0.1;
/** How fast the common threshold, as its logarithm, follows that of the batches. */
const FOLLOW = 0.1;

/** Entries of a batch within ε / 2 of their threshold; not those at 0, which are as far below it as the ReLU hides. */
interface Near {
  readonly rows: number[];
  readonly ids: number[];
}

export class JumpRelu implements Sparsity {
  #near: Near = { rows: [], ids: [] };
  /** Active latents of the last batch, and its rows. */
  #active = 0;
  #rows = 0;

  readonly #settings: JumpReluSettings;

  /** Learns `logThreshold` of the parameters, t [m]. */
  constructor(
    private readonly parameters: TrainingParameters,
    private readonly options: { readonly k: number; readonly steps: number },
    settings: Partial<JumpReluSettings> = {},
  ) {
    this.#settings = { ...JUMP_RELU_DEFAULTS, ...settings };
  }

  select(p: Float32Array, B: number, step: number): Selection {
    return step < this.#commonSteps ? this.#selectCommon(p, B, step) : this.#selectOwn(p, B);
  }

  get #commonSteps(): number {
    return Math.floor(COMMON_SHARE * this.options.steps);
  }

  #selectCommon(p: Float32Array, B: number, step: number): Selection {
    const before = this.#logThreshold[0]!;
    const selected = selectLargest(p, B, Math.round(this.options.k * B), step === 0 ? 0 : Math.exp(before));
    const now = Math.log(Math.max(selected.threshold, this.#settings.bandwidth));
    this.#logThreshold.fill(step === 0 ? now : before + FOLLOW * (now - before));
    this.#near = { rows: [], ids: [] };
    return selected;
  }

  #selectOwn(p: Float32Array, B: number): Selection {
    const m = p.length / B;
    const half = this.#settings.bandwidth / 2;
    const theta = this.thresholds();
    const near: Near = { rows: [], ids: [] };
    const rowStart = new Int32Array(B + 1);
    const ids: number[] = [];
    const values: number[] = [];
    for (let r = 0; r < B; r++) {
      for (let j = 0; j < m; j++) {
        const value = p[r * m + j]!;
        const above = value - theta[j]!;
        if (above <= -half || value <= 0) continue;
        if (above < half) {
          near.rows.push(r);
          near.ids.push(j);
        }
        if (above <= 0) continue;
        ids.push(j);
        values.push(value);
      }
      rowStart[r + 1] = ids.length;
    }
    this.#near = near;
    this.#active = ids.length;
    this.#rows = B;
    return { rowStart, ids: Int32Array.from(ids), values: Float32Array.from(values) };
  }

  addGradients(error: Float32Array, gradients: TrainingParameters, step: number): void {
    const { k, steps } = this.options;
    const { weight, bandwidth } = this.#settings;
    const B = this.#rows;
    const d = error.length / B;
    const { decoder } = this.parameters;
    const theta = this.thresholds();
    const lambda = weight * d * Math.min(1, (step + 1 - this.#commonSteps) / Math.max(1, WARM_UP_SHARE * steps));
    const perLatent = (2 * lambda * (this.#active / B / k - 1)) / (k * B); // ∂ penalty / ∂ H
    this.#near.ids.forEach((j, n) => {
      const row = this.#near.rows[n]! * d;
      let df = 0; // ∂ mean ‖x − x̂‖² / ∂f
      for (let i = 0; i < d; i++) df += (2 * error[row + i]! * decoder[j * d + i]!) / B;
      const ofTheta = -(theta[j]! * df + perLatent) / bandwidth;
      gradients.logThreshold![j] = gradients.logThreshold![j]! + theta[j]! * ofTheta;
    });
  }

  measure(): void {}

  thresholds(): Float32Array {
    return this.#logThreshold.map(Math.exp);
  }

  get #logThreshold(): Float32Array {
    return this.parameters.logThreshold!;
  }
}
