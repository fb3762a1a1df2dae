/**
 * Adam on a typed array: Kingma & Ba 2015; decoupled weight decay: Loshchilov & Hutter 2019 (AdamW); amsgrad: Reddi et
 * al. 2018. Same arithmetic as torch.optim.AdamW.
 *
 *   m ← β₁ m + (1 − β₁) g            v ← β₂ v + (1 − β₂) g²
 *   m̂ = m / (1 − β₁ᵗ)                v̂ = v / (1 − β₂ᵗ)      (amsgrad: v̂ from the largest v so far)
 *   x ← x − lr·decay·x − lr · m̂ / (√v̂ + ε)
 */
export interface AdamOptions {
  readonly learningRate: number;
  /** β₁, β₂. */
  readonly betas?: readonly [number, number];
  /** ε. */
  readonly epsilon?: number;
  readonly weightDecay?: number;
  readonly amsgrad?: boolean;
}

/** What a later run needs to continue exactly. */
export interface AdamState {
  readonly step: number;
  readonly first: Float32Array;
  readonly second: Float32Array;
  readonly largestSecond?: Float32Array;
}

export class Adam {
  readonly #options: Required<AdamOptions>;
  #step = 0;
  /** m and v, one number a parameter. */
  readonly #first: Float32Array;
  readonly #second: Float32Array;
  readonly #largestSecond: Float32Array | undefined;

  /** For `size` parameters; `state` continues an earlier run. */
  constructor(size: number, options: AdamOptions, state?: AdamState) {
    this.#options = { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0, amsgrad: false, ...options };
    this.#step = state?.step ?? 0;
    this.#first = state?.first ?? new Float32Array(size);
    this.#second = state?.second ?? new Float32Array(size);
    if (this.#options.amsgrad) this.#largestSecond = state?.largestSecond ?? new Float32Array(size);
  }

  get learningRate(): number {
    return this.#options.learningRate;
  }

  /**
   * One step on `x` in place. `stepSizes`, when given, receives lr / (√v̂ + ε) of each coordinate: the metric in which
   * a proximal step after this one has to be taken. `rate` scales the learning rate of this step (schedules).
   */
  step(x: Float32Array, gradient: Float32Array, stepSizes?: Float32Array, rate = 1): void {
    const { betas, epsilon, weightDecay } = this.#options;
    const learningRate = this.#options.learningRate * rate;
    const [beta1, beta2] = betas;
    this.#step += 1;
    const correction1 = 1 - beta1 ** this.#step;
    const correction2 = 1 - beta2 ** this.#step;
    const m = this.#first;
    const v = this.#second;
    const largest = this.#largestSecond;
    for (let i = 0; i < x.length; i++) {
      const g = gradient[i]!;
      const mi = beta1 * m[i]! + (1 - beta1) * g;
      const vi = beta2 * v[i]! + (1 - beta2) * g * g;
      m[i] = mi;
      v[i] = vi;
      let second = vi;
      if (largest !== undefined) {
        second = Math.max(largest[i]!, vi);
        largest[i] = second;
      }
      const size = learningRate / (Math.sqrt(second / correction2) + epsilon);
      if (stepSizes !== undefined) stepSizes[i] = size;
      x[i] = x[i]! * (1 - learningRate * weightDecay) - (size * mi) / correction1;
    }
  }

  /** The state, not copied. */
  state(): AdamState {
    const state = { step: this.#step, first: this.#first, second: this.#second };
    return this.#largestSecond === undefined ? state : { ...state, largestSecond: this.#largestSecond };
  }
}
