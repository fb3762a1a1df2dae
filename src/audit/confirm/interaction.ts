/**
 * Main effects and interactions of two or three concepts, from the matched sets in which each is present or absent. The contrast of
 * a set S of concepts, of n in all, over the 2ⁿ cells:
 *   Σ_cells (Π_{i∈S} ±1) · r_cell / 2^(n − |S|), +1 where concept i is present
 * so that the effect of one concept is its mean difference over the others, and the interaction of two the difference of differences,
 * r₁₁ − r₁₀ − r₀₁ + r₀₀. Of two a conjunction shows as an interaction near 1, alternatives as one near −1, a single concept as one near
 * 0; "one and not the other" shows near −1 too, with effects of opposite signs.
 */

import { type Difference, type Rate, signedSum } from "../statistics/statistics.js";
import type { TestedSet } from "./confirmation.js";

/** The contrast of some of the parts. */
export interface Effect extends Difference {
  /** Indices of the parts. */
  readonly parts: readonly number[];
}

/** Of all parts together. */
export interface Interaction extends Difference {
  /** Of each part and, of three, each pair. */
  readonly effects: readonly Effect[];
}

/** Most parts whose effects are estimated: cells double with each. */
export const MOST_FACTORS = 3;

/** Estimates from sets whose conditions name `count` parts; null of one part or more than `MOST_FACTORS`, and where a cell is missing or empty. */
export function interactionOf(sets: readonly TestedSet[], count: number): Interaction | null {
  if (count < 2 || count > MOST_FACTORS) return null;
  const cells = Array.from({ length: 2 ** count }, (_, cell) =>
    Array.from({ length: count }, (_, i) => hasBit(cell, i)),
  );
  const rates = cells.map(
    (cell) => sets.find(({ condition, rate }) => `${condition.present}` === `${cell}` && rate.total > 0)?.rate,
  );
  if (rates.some((rate) => rate === undefined)) return null;
  const effects = Array.from({ length: 2 ** count - 1 }, (_, i) => i + 1)
    .map((chosen) => Array.from({ length: count }, (_, i) => i).filter((i) => hasBit(chosen, i)))
    .sort((a, b) => a.length - b.length)
    .map((parts): Effect => {
      const sum = signedSum(
        cells.map((cell, i) => ({
          sign: parts.filter((part) => !cell[part]).length % 2 === 0 ? 1 : -1,
          rate: rates[i] as Rate,
        })),
      );
      const cellsOfOthers = 2 ** (count - parts.length);
      return {
        parts,
        estimate: sum.estimate / cellsOfOthers,
        low: sum.low / cellsOfOthers,
        high: sum.high / cellsOfOthers,
      };
    });
  const { estimate, low, high } = effects.pop()!;
  return { estimate, low, high, effects };
}

function hasBit(mask: number, at: number): boolean {
  return ((mask >> at) & 1) === 1;
}
