/**
 * Proximal gradient with Barzilai–Borwein steps and a non-monotone line search (SpaRSA: Wright, Nowak & Figueiredo 2009),
 * for F(x) = loss(x) + λ · penalty(x), the loss smooth and the penalty with a closed proximal step.
 *
 *   1. x⁺ = prox of a·λ·penalty at x − a ∇loss(x).
 *   2. Taken if F(x⁺) ≤ max of the last MEMORY values of F − DECREASE/(2a) · ‖x⁺ − x‖²; else a ← a/2, and again.
 *   3. Next a = ‖Δx‖² / ⟨Δx, Δ∇loss⟩: the inverse curvature along the step just made.
 *   4. Ends at a step that moves x by less than TOLERANCE of its length: the optimum at this λ.
 *
 * Every tried point costs one evaluation, and counts. Unlike Adam it has no learning rate, gives exact zeros at once, and knows
 * when it is done, so that a path of λ from warm starts spends its steps where something still changes.
 */
import { type Evaluated, PROGRESS, type Problem, smoothGradient } from "./problem.js";

/** Values of F that a new one is compared with: Barzilai–Borwein steps are fast because they may rise now and then. */
const MEMORY = 5;
/** Share of the decrease that the quadratic model promises. */
const DECREASE = 1e-4;
/** Relative move of x that counts as none: f32 gradients carry six digits, their step about four. */
const TOLERANCE = 1e-4;
/** A first step, or one across negative curvature, goes as far as would bring the loss to zero if it were linear, times this. */
const BOLDNESS = 0.5;
/** Curvature is measured on one step only: the next one is at most so many times as long. */
const MOST_GROWTH = 50;
/** Halvings of one step; after so many the objective is flat to its rounding. */
const MOST_HALVINGS = 20;

/** What a run leaves to the next one at another λ. */
export interface ProximalState {
  /** a; null before the first step. */
  stepSize: number | null;
}

/**
 * Minimises from `x`, whose value is `start`, in place. Returns the value at the new x: the best point that was met.
 * `evaluate` gives the value at the present x.
 */
export async function proximalRun(
  problem: Problem,
  x: Float32Array,
  start: Evaluated,
  settings: {
    readonly steps: number;
    readonly lambda: number;
    readonly patience: number;
    readonly state: ProximalState;
    readonly evaluate: () => Promise<Evaluated>;
  },
): Promise<Evaluated> {
  const { steps, lambda, patience, state, evaluate } = settings;
  const total = (value: Evaluated) => value.loss + lambda * value.penalty;
  let value = start;
  let gradient = smoothGradient(value, lambda);
  let best = { x: x.slice(), value };
  const recent = [total(value)];
  let used = 0;
  let waited = 0;
  let a = state.stepSize ?? boldStep(value, gradient);
  while (used < steps && waited < patience) {
    const from = x.slice();
    const reference = Math.max(...recent);
    let next = value;
    let moved = 0;
    let taken = false;
    for (let halvings = 0; used < steps && !taken && halvings <= MOST_HALVINGS; halvings++) {
      for (let i = 0; i < x.length; i++) x[i] = from[i]! - a * gradient[i]!;
      await problem.proximal(x, lambda, a);
      moved = squaredDistance(x, from);
      if (moved <= TOLERANCE ** 2 * squaredLength(x)) break;
      next = await evaluate();
      used += 1;
      taken = total(next) <= reference - (DECREASE / (2 * a)) * moved;
      if (!taken) a /= 2;
    }
    if (!taken) {
      x.set(from);
      break;
    }
    const nextGradient = smoothGradient(next, lambda);
    let curvature = 0;
    for (let i = 0; i < x.length; i++) curvature += (x[i]! - from[i]!) * (nextGradient[i]! - gradient[i]!);
    a = curvature > 0 ? Math.min(moved / curvature, MOST_GROWTH * a) : Math.max(a, boldStep(next, nextGradient));
    value = next;
    gradient = nextGradient;
    recent.push(total(value));
    if (recent.length > MEMORY) recent.shift();
    waited = total(value) < total(best.value) - PROGRESS * Math.abs(total(best.value)) ? 0 : waited + 1;
    if (total(value) < total(best.value)) best = { x: x.slice(), value };
  }
  x.set(best.x);
  state.stepSize = a;
  return best.value;
}

/** The step along −gradient that would bring a linear loss to zero, times BOLDNESS. */
function boldStep({ loss }: Evaluated, gradient: Float32Array): number {
  const slope = squaredLength(gradient);
  return slope > 0 ? (BOLDNESS * Math.abs(loss)) / slope : 1;
}

function squaredLength(x: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!;
  return sum;
}

function squaredDistance(x: Float32Array, y: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! - y[i]!) ** 2;
  return sum;
}
