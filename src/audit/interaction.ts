/**
 * Main effects and interaction of two concepts, from the four matched sets: both, one, the other, neither.
 *   interaction = r₁₁ − r₁₀ − r₀₁ + r₀₀, the difference of differences; effect of a part = its mean difference.
 * A conjunction shows as an interaction near 1, alternatives as one near −1, a single concept as one near 0.
 */
import type { TestedSet } from "./confirm.js";
import { type Difference, type Rate, signedSum } from "./statistics.js";

export interface Interaction {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** Effect of each of the two parts' presence, averaged over the other. */
  readonly effects: readonly [Difference, Difference];
}

/** Estimates from sets whose conditions name two parts; null where one of the four sets is empty. */
export function interactionOf(sets: readonly TestedSet[]): Interaction | null {
  const rate = (first: boolean, second: boolean): Rate | undefined =>
    sets.find((set) => {
      const { present } = set.condition;
      return present.length === 2 && present[0] === first && present[1] === second && set.rate.total > 0;
    })?.rate;
  const both = rate(true, true);
  const one = rate(true, false);
  const other = rate(false, true);
  const none = rate(false, false);
  if (both === undefined || one === undefined || other === undefined || none === undefined) return null;
  const plus = (value: Rate) => ({ sign: 1 as const, rate: value });
  const minus = (value: Rate) => ({ sign: -1 as const, rate: value });
  const halved = (sum: Difference): Difference => ({
    estimate: sum.estimate / 2,
    low: sum.low / 2,
    high: sum.high / 2,
  });
  return {
    ...signedSum([plus(both), minus(one), minus(other), plus(none)]),
    effects: [
      halved(signedSum([plus(both), minus(other), plus(one), minus(none)])),
      halved(signedSum([plus(both), minus(one), plus(other), minus(none)])),
    ],
  };
}
