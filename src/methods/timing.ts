import type { SteeringObjective } from "../engine/engine.js";

/** Wall time that an objective's evaluations took. */
export interface Timing {
  /** Loss-and-gradient evaluations of one vector over all sequences; `attribute` counts as one. */
  evaluations: number;
  seconds: number;
}

/** The same objective, with the time of its evaluations added to `timing`. `now` is in milliseconds. */
export function timedObjective(
  objective: SteeringObjective,
  timing: Timing,
  now: () => number = () => performance.now(),
): SteeringObjective {
  const timed = async <T>(vectors: number, evaluate: () => Promise<T>): Promise<T> => {
    const start = now();
    const result = await evaluate();
    timing.evaluations += vectors;
    timing.seconds += (now() - start) / 1000;
    return result;
  };
  return {
    layer: objective.layer,
    sequences: objective.sequences,
    evaluate: (theta, count = 1) => timed(count, () => objective.evaluate(theta, count)),
    attribute: () => timed(1, () => objective.attribute()),
    dispose: () => objective.dispose(),
  };
}
