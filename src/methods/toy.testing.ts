/** Problems small enough to solve on paper, for the tests of this room. */
import type { Evaluation, SteeringObjective } from "../engine/engine.js";

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
