import type { LayerChangeObjective, SteeringObjective } from "../engine/engine.js";

/** Wall time that an objective's evaluations took. */
export interface Timing {
  /** Loss-and-gradient evaluations of one vector over all sequences; `attribute` counts as one. */
  evaluations: number;
  seconds: number;
  /** Seconds that the search for a radius took: changes and Jacobian products, which are no evaluations. */
  radiusSeconds: number;
}

/** The same objective, with the time of its calls added to `timing`. `now` is in milliseconds. */
export function timedObjective(objective: SteeringObjective, timing: Timing, now?: () => number): SteeringObjective;
export function timedObjective(
  objective: SteeringObjective | LayerChangeObjective,
  timing: Timing,
  now?: () => number,
): SteeringObjective | LayerChangeObjective;
export function timedObjective(
  objective: SteeringObjective | LayerChangeObjective,
  timing: Timing,
  now: () => number = () => performance.now(),
): SteeringObjective | LayerChangeObjective {
  const timed = async <T>(call: () => Promise<T>, add: (seconds: number) => void): Promise<T> => {
    const start = now();
    const result = await call();
    add((now() - start) / 1000);
    return result;
  };
  const evaluation = <T>(vectors: number, call: () => Promise<T>) =>
    timed(call, (seconds) => {
      timing.evaluations += vectors;
      timing.seconds += seconds;
    });
  const forRadius = <T>(call: () => Promise<T>) =>
    timed(call, (seconds) => {
      timing.radiusSeconds += seconds;
    });
  const shared = {
    layer: objective.layer,
    sequences: objective.sequences,
    evaluate: (theta: Float32Array, count = 1) => evaluation(count, () => objective.evaluate(theta, count)),
    dispose: () => objective.dispose(),
  };
  if ("attribute" in objective) return { ...shared, attribute: () => evaluation(1, () => objective.attribute()) };
  return {
    ...shared,
    measure: objective.measure,
    unsteeredNorm: objective.unsteeredNorm,
    change: (theta) => forRadius(() => objective.change(theta)),
    jacobianProduct: (v) => forRadius(() => objective.jacobianProduct(v)),
  };
}
