import type { LayerChangeObjective, SteeringObjective } from "../engine/engine.js";

/** Wall time that an objective's evaluations took. */
export interface Timing {
  /** Loss-and-gradient evaluations of one vector over all sequences; `attribute` counts as one. */
  evaluations: number;
  seconds: number;
}

/**
 * The same objective, with the time of its evaluations added to `timing`; what a search for the radius asks for is not an
 * evaluation. `now` is in milliseconds.
 */
export function timedObjective(
  objective: SteeringObjective | LayerChangeObjective,
  timing: Timing,
  now: () => number = () => performance.now(),
): SteeringObjective | LayerChangeObjective {
  const timed = async <T>(vectors: number, evaluate: () => Promise<T>): Promise<T> => {
    const start = now();
    const result = await evaluate();
    timing.evaluations += vectors;
    timing.seconds += (now() - start) / 1000;
    return result;
  };
  const shared = {
    layer: objective.layer,
    sequences: objective.sequences,
    evaluate: (theta: Float32Array, count = 1) => timed(count, () => objective.evaluate(theta, count)),
    dispose: () => objective.dispose(),
  };
  if ("attribute" in objective) return { ...shared, attribute: () => timed(1, () => objective.attribute()) };
  return {
    ...shared,
    measure: objective.measure,
    unsteeredNorm: objective.unsteeredNorm,
    change: (theta) => objective.change(theta),
    jacobianProduct: (v) => objective.jacobianProduct(v),
  };
}
