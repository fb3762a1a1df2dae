/** Problems small enough to solve on paper, for the tests of this room. */
import type { Evaluation, LayerChangeObjective, SteeringObjective } from "../engine/engine.js";

export { toySae } from "../sae/toy.testing.js";

/**
 * loss(θ) = floor + ½ ‖θ − target‖² as an objective, which counts its evaluations. `attribute` returns the given rows.
 */
export function quadraticObjective(
  target: readonly number[],
  floor = 0,
  attribution: readonly (readonly number[])[] = [target.map((x) => -x)],
): SteeringObjective & { evaluations: number } {
  const d = target.length;
  return {
    layer: 0,
    sequences: attribution.length,
    evaluations: 0,
    async evaluate(theta, count = 1): Promise<Evaluation> {
      this.evaluations += 1;
      const losses = new Float64Array(count).fill(floor);
      const gradients = new Float32Array(count * d);
      for (let k = 0; k < count; k++) {
        for (let i = 0; i < d; i++) {
          const difference = theta[k * d + i]! - target[i]!;
          gradients[k * d + i] = difference;
          losses[k] = losses[k]! + 0.5 * difference * difference;
        }
      }
      return { losses, gradients };
    },
    async attribute() {
      return { losses: new Float64Array(attribution.length).fill(1), gradients: Float32Array.from(attribution.flat()) };
    },
    async dispose() {},
  };
}

/**
 * Δ(θ) = W θ + curvature · θ ∘ θ for a square W, at one token of one prompt: loss = −‖Δ‖², and J = W.
 */
export function changeToy(w: readonly (readonly number[])[], curvature = 0): LayerChangeObjective {
  const d = w.length;
  const product = (v: Float32Array) => Float32Array.from(w, (row) => row.reduce((sum, x, i) => sum + x * v[i]!, 0));
  const change = (theta: Float32Array) => product(theta).map((x, i) => x + curvature * theta[i]! ** 2);
  return {
    layer: 0,
    sequences: 1,
    measure: { targetLayer: 1, p: 2, q: 1, norm: "token" },
    unsteeredNorm: 10,
    async evaluate(theta) {
      const delta = change(theta);
      const gradients = Float32Array.from(
        { length: d },
        (_, i) =>
          -2 * (w.reduce((sum, row, k) => sum + row[i]! * delta[k]!, 0) + 2 * curvature * theta[i]! * delta[i]!),
      );
      return { losses: Float64Array.of(-delta.reduce((sum, x) => sum + x * x, 0)), gradients };
    },
    change: async (theta) => change(theta),
    jacobianProduct: async (v) => product(v),
    async dispose() {},
  };
}
