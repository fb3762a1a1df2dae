/**
 * The loop every optimising method shares:
 *   1. evaluate loss and gradient at x, write a line to the log;
 *   2. Adam's step on the loss and on a differentiable penalty;
 *   3. the method's own constraint on x (proximal step, projection, fixed norm).
 * Deterministic: nothing here draws random numbers or reads a clock.
 */
import { Adam, type AdamOptions } from "../sae/adam.js";
import type { MethodInput, StepLog } from "./method.js";
import { norm } from "./orthogonality.js";

/** Progress smaller than this share of the total objective does not reset patience. */
const PROGRESS = 1e-3;

/** Value of the objective at a point x. */
export interface Evaluated {
  /** Objective without penalty. */
  readonly loss: number;
  /** Gradient of the loss with respect to x. */
  readonly gradient: Float32Array;
  /** Penalty without its λ. */
  readonly penalty: number;
  /** θ [d] at x. */
  readonly theta: Float32Array;
}

export interface Problem {
  /** May first put x, in place, where it has to be (a fixed norm that takes arithmetic which `constrain` cannot wait for). */
  evaluate(x: Float32Array): Promise<Evaluated>;
  /** Adds the gradient of a penalty that is differentiable, in place; others belong into `constrain`. */
  addPenalty?(gradient: Float32Array, x: Float32Array, lambda: number): void;
  /** After Adam's step, in place; `stepSizes` is Adam's lr / (√v̂ + ε) of each coordinate. */
  constrain?(x: Float32Array, lambda: number, stepSizes: Float32Array): void;
}

/** One vector being found: x, its optimiser and its log. Runs at several λ continue from each other (warm starts). */
export class Descent {
  readonly x: Float32Array;
  readonly log: StepLog[] = [];
  readonly #problem: Problem;
  readonly #adam: Adam;
  readonly #stepSizes: Float32Array;
  readonly #report: (entry: StepLog) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #patience: number;
  #steps = 0;
  #last: Evaluated | undefined;

  constructor(
    problem: Problem,
    start: Float32Array,
    settings: {
      readonly learningRate: number;
      /** Other settings of Adam than its defaults. */
      readonly adam?: Omit<AdamOptions, "learningRate"> | undefined;
      readonly patience?: number | undefined;
      readonly report: (entry: StepLog) => void;
      readonly signal?: AbortSignal | undefined;
    },
  ) {
    this.#problem = problem;
    this.x = start;
    this.#adam = new Adam(start.length, { ...settings.adam, learningRate: settings.learningRate });
    this.#stepSizes = new Float32Array(start.length);
    this.#patience = settings.patience ?? Number.POSITIVE_INFINITY;
    this.#report = settings.report;
    this.#signal = settings.signal;
  }

  /** Updates made so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Objective at the present x. */
  get last(): Evaluated {
    if (this.#last === undefined) throw new Error("evaluate first");
    return this.#last;
  }

  /** Evaluates at x without a step, and logs it. */
  async evaluate(lambda: number): Promise<Evaluated> {
    this.#signal?.throwIfAborted();
    const value = await this.#problem.evaluate(this.x);
    this.#last = value;
    const entry: StepLog = {
      step: this.#steps,
      loss: value.loss,
      penalty: lambda * value.penalty,
      lambda,
      norm: norm(value.theta),
      nonZero: countNonZero(this.x),
    };
    this.log.push(entry);
    this.#report(entry);
    this.#signal?.throwIfAborted();
    return value;
  }

  /** Up to `steps` updates at λ, fewer when patience runs out. Starts from `last` and leaves `last` at the new x. */
  async run(steps: number, lambda: number): Promise<void> {
    let best = Number.POSITIVE_INFINITY;
    let waited = 0;
    let value = this.last;
    for (let k = 0; k < steps && waited < this.#patience; k++) {
      const gradient = value.gradient.slice();
      this.#problem.addPenalty?.(gradient, this.x, lambda);
      this.#adam.step(this.x, gradient, this.#stepSizes);
      this.#problem.constrain?.(this.x, lambda, this.#stepSizes);
      this.#steps += 1;
      value = await this.evaluate(lambda);
      const total = value.loss + lambda * value.penalty;
      if (total < best - PROGRESS * Math.abs(best === Number.POSITIVE_INFINITY ? total : best)) {
        best = total;
        waited = 0;
      } else waited += 1;
    }
  }
}

/** Reports progress over the whole run of a method: evaluations done of the most there can be. */
export function progressReporter(input: MethodInput, cap: number): (vector: number) => (entry: StepLog) => void {
  let done = 0;
  return (vector) => (entry) => {
    done += 1;
    input.onStep?.(vector, entry);
    input.onProgress?.(Math.min(done, cap), cap);
  };
}

function countNonZero(x: Float32Array): number {
  let count = 0;
  for (let i = 0; i < x.length; i++) if (x[i] !== 0) count += 1;
  return count;
}
