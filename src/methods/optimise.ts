/**
 * The loop every optimising method shares:
 *   1. evaluate loss and gradient at x, write a line to the log;
 *   2. a step: Adam's (here), or a proximal gradient step with a line search (`proximal.ts`);
 *   3. the method's own constraint on x (proximal step, projection, fixed norm).
 * Deterministic: nothing here draws random numbers or reads a clock.
 */
import { Adam, type AdamOptions } from "../sae/adam.js";
import type { MethodInput, Optimizer, StepLog } from "./method.js";
import { norm } from "./orthogonality.js";
import { type Evaluated, PROGRESS, type Problem, smoothGradient } from "./problem.js";
import { type ProximalState, proximalRun } from "./proximal.js";

export interface DescentSettings {
  /** Adam where not given. */
  readonly optimizer?: Optimizer | undefined;
  /** Adam's. */
  readonly learningRate: number;
  /** Other settings of Adam than its defaults. */
  readonly adam?: Omit<AdamOptions, "learningRate"> | undefined;
  readonly patience?: number | undefined;
  readonly report: (entry: StepLog) => void;
  readonly signal?: AbortSignal | undefined;
}

/** One vector being found: x, its optimiser and its log. Runs at several λ continue from each other (warm starts). */
export class Descent {
  readonly x: Float32Array;
  readonly log: StepLog[] = [];
  readonly #problem: Problem;
  readonly #settings: DescentSettings;
  readonly #adam: Adam;
  readonly #stepSizes: Float32Array;
  readonly #patience: number;
  readonly #proximal: ProximalState = { stepSize: null };
  #steps = 0;
  #last: Evaluated | undefined;

  constructor(problem: Problem, start: Float32Array, settings: DescentSettings) {
    this.#problem = problem;
    this.x = start;
    this.#settings = settings;
    this.#adam = new Adam(start.length, { ...settings.adam, learningRate: settings.learningRate });
    this.#stepSizes = new Float32Array(start.length);
    this.#patience = settings.patience ?? Number.POSITIVE_INFINITY;
  }

  /** Evaluations made after the start: Adam's updates, or every point that a line search tried. */
  get steps(): number {
    return this.#steps;
  }

  /** Objective at the present x. */
  get last(): Evaluated {
    if (this.#last === undefined) throw new Error("evaluate first");
    return this.#last;
  }

  /** Evaluates at x without a step, and logs it; `known`: the value there, where it is known already. */
  async evaluate(lambda: number, known?: Evaluated): Promise<Evaluated> {
    const { signal, report } = this.#settings;
    signal?.throwIfAborted();
    const value = known ?? (await this.#problem.evaluate(this.x));
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
    report(entry);
    signal?.throwIfAborted();
    return value;
  }

  /** Up to `steps` evaluations at λ, fewer at the optimum or when patience runs out. Goes from `last` to a new `last`. */
  async run(steps: number, lambda: number): Promise<void> {
    if (this.#settings.optimizer !== "proximal") return this.#adamRun(steps, lambda);
    this.#last = await proximalRun(this.#problem, this.x, this.last, {
      steps,
      lambda,
      patience: this.#patience,
      state: this.#proximal,
      evaluate: () => {
        this.#steps += 1;
        return this.evaluate(lambda);
      },
    });
  }

  async #adamRun(steps: number, lambda: number): Promise<void> {
    let best = Number.POSITIVE_INFINITY;
    let waited = 0;
    let value = this.last;
    for (let k = 0; k < steps && waited < this.#patience; k++) {
      const gradient = smoothGradient(value, lambda);
      this.#problem.addPenalty?.(gradient, this.x, lambda);
      this.#adam.step(this.x, gradient, this.#stepSizes);
      await this.#problem.constrain?.(this.x, lambda, this.#stepSizes);
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
