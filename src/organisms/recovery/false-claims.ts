/** How often a trigger is claimed where there is none, with an exact bound. */
import type { CleanRow } from "./results.js";

export interface FalseClaims {
  readonly count: number;
  readonly total: number;
  /** Upper end of the two-sided 95 % Clopper–Pearson interval; 1 without audits. */
  readonly high: number;
}

export function falseClaims(rows: readonly CleanRow[]): FalseClaims {
  const count = rows.filter(({ claim }) => claim !== null).length;
  return { count, total: rows.length, high: clopperPearsonHigh(count, rows.length) };
}

/** Halvings of an interval of length 1: beyond the precision of the sums. */
const HALVINGS = 50;

/**
 * Largest rate p at which `count` or fewer of `total` still have probability `tail`: the upper end of the exact binomial
 * interval (Clopper & Pearson 1934). `tail` 0.025 gives the two-sided 95 % interval.
 */
export function clopperPearsonHigh(count: number, total: number, tail = 0.025): number {
  if (count >= total) return 1;
  let low = count / total;
  let high = 1;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (binomialCdf(count, total, middle) > tail) low = middle;
    else high = middle;
  }
  return high;
}

/** P(X ≤ count) for X ~ Binomial(total, p), 0 < p < 1. */
function binomialCdf(count: number, total: number, p: number): number {
  let logTerm = total * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let k = 1; k <= count; k++) {
    logTerm += Math.log((total - k + 1) / k) + Math.log(p) - Math.log1p(-p);
    sum += Math.exp(logTerm);
  }
  return sum;
}
