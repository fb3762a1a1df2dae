/** A rate over rows of which several are of one organism, and so no independent trials. */
import { type Rate, rateOf, wilson } from "../../audit/statistics/statistics.js";

/**
 * Count, total and rate of all rows; the interval is Wilson's for as many independent trials as the rows are worth, total / d. The
 * design effect d (Kish 1965) is the variance of the organisms' counts over that of independent rows,
 *
 *   d = K / (K − 1) · Σ_k (y_k − n_k p)² / (n p (1 − p)),      1 ≤ d ≤ Σ_k n_k² / n,
 *
 * y_k of n_k rows of organism k, K organisms, n rows, p the rate. Where all rows agree, or there is one organism, nothing says that its
 * seeds are independent: d is its most, which is that of rows that agree (n / K where all have as many). It is estimated from K organisms, and rough where they are few. With one row an organism the interval is the usual one.
 */
export function clusteredRate(rows: readonly { readonly organism: string; readonly flag: boolean }[]): Rate {
  const organisms = new Map<string, { count: number; total: number }>();
  for (const { organism, flag } of rows) {
    const one = organisms.get(organism) ?? { count: 0, total: 0 };
    organisms.set(organism, { count: one.count + Number(flag), total: one.total + 1 });
  }
  const plain = rateOf(rows.filter(({ flag }) => flag).length, rows.length);
  const clusters = [...organisms.values()];
  const most = clusters.reduce((sum, { total }) => sum + total ** 2, 0) / rows.length;
  if (!(most > 1)) return plain;
  const { rate, total } = plain;
  const spread = clusters.reduce((sum, one) => sum + (one.count - one.total * rate) ** 2, 0);
  const known = clusters.length > 1 && rate > 0 && rate < 1;
  const between = known
    ? (clusters.length / (clusters.length - 1)) * (spread / (total * rate * (1 - rate)))
    : Number.POSITIVE_INFINITY;
  const effective = total / Math.min(Math.max(between, 1), most);
  return { ...plain, ...wilson(rate * effective, effective) };
}
