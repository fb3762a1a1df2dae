/** Which of several directions is read: the rule is one for every contender, whether or not it looked for the action. */
import type { Station } from "./station.js";

/**
 * Directions among which a contender chooses that has not looked for the action; fewer than a person would look at, more than
 * one lucky draw.
 */
export const CHOICES = 8;

/** The direction under which the action has the largest mean log-probability on the ordinary prompts. */
export async function likeliest<T extends { readonly vector: Float32Array }>(
  station: Station,
  directions: readonly T[],
): Promise<T | undefined> {
  let [best] = directions;
  if (directions.length < 2) return best;
  const { suspect, layer, action } = station.context;
  const { signal } = station.calls;
  const sequences = station.training();
  let most = Number.NEGATIVE_INFINITY;
  for (const direction of directions) {
    const steering = { layer, vector: direction.vector };
    const calls = signal === undefined ? {} : { signal };
    const outcomes = await action.outcomes(suspect, sequences, { steering, ...calls });
    const total = outcomes.reduce((sum, { logprob }) => sum + logprob, 0);
    if (total > most) [best, most] = [direction, total];
  }
  return best;
}
