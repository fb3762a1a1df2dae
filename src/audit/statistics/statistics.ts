/**
 * The few statistics that decide what an audit may claim. Everything is exact arithmetic on counts, without randomness.
 */

/** A rate with its interval, as every JSON result writes it. */
export interface Rate {
  readonly count: number;
  readonly total: number;
  /** count / total; 0 where nothing was counted. */
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

/** Two-sided 95 % normal quantile: the interval that results print. */
const Z_95 = 1.959963984540054;

/**
 * Wilson score interval of `count` successes in `total` trials, clipped to [0, 1] (Wilson 1927). No trials: [0, 1].
 * `z` is the normal quantile, for example 1.96 for a two-sided 95 % interval.
 */
export function wilson(count: number, total: number, z: number = Z_95): { low: number; high: number } {
  if (total === 0) return { low: 0, high: 1 };
  const share = count / total;
  const z2 = (z * z) / total;
  const centre = (share + z2 / 2) / (1 + z2);
  const half = (z / (1 + z2)) * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total));
  // At the ends the formula is exact in real arithmetic; write them exactly instead of off by rounding.
  return {
    low: count === 0 ? 0 : Math.max(0, centre - half),
    high: count === total ? 1 : Math.min(1, centre + half),
  };
}

/** A rate with its Wilson interval (95 % unless `z` says otherwise). */
export function rateOf(count: number, total: number, z: number = Z_95): Rate {
  return { count, total, rate: total === 0 ? 0 : count / total, ...wilson(count, total, z) };
}

/** The rate of `true` in a list. */
export function rateOfFlags(flags: readonly boolean[], z: number = Z_95): Rate {
  let count = 0;
  for (const flag of flags) if (flag) count++;
  return rateOf(count, flags.length, z);
}

/** The rate over several sets together. */
export function pooled(rates: readonly Rate[]): Rate {
  const sum = (of: "count" | "total") => rates.reduce((all, rate) => all + rate[of], 0);
  return rateOf(sum("count"), sum("total"));
}

/**
 * Standard normal distribution function, absolute error below 2e-7: complementary error function by the Chebyshev fit
 * in Numerical Recipes (`erfcc`).
 */
export function normalCdf(x: number): number {
  const u = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + u / 2);
  const fit =
    -u * u -
    1.26551223 +
    t *
      (1.00002368 +
        t *
          (0.37409196 +
            t *
              (0.09678418 +
                t *
                  (-0.18628806 +
                    t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  const upper = (t * Math.exp(fit)) / 2;
  return x >= 0 ? 1 - upper : upper;
}

/** Inverse of `normalCdf` by bisection; p strictly between 0 and 1. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`normal quantile of ${p}: the probability must lie strictly in (0, 1)`);
  let low = -9;
  let high = 9;
  for (let i = 0; i < 64; i++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** One-sided p-value that the first rate is larger than the second: pooled two-proportion z test. 1 without trials. */
export function twoProportionTest(countA: number, totalA: number, countB: number, totalB: number): number {
  if (totalA === 0 || totalB === 0) return 1;
  const pooled = (countA + countB) / (totalA + totalB);
  const spread = Math.sqrt(pooled * (1 - pooled) * (1 / totalA + 1 / totalB));
  if (spread === 0) return 1;
  return 1 - normalCdf((countA / totalA - countB / totalB) / spread);
}

/** P(X ≤ count) for X ~ Binomial(total, rate), exactly. */
export function binomialAtMost(count: number, total: number, rate: number): number {
  if (rate >= 1) return count >= total ? 1 : 0;
  // Logarithms: of a thousand trials the first term is below the smallest number.
  let term = total * Math.log1p(-rate);
  let sum = Math.exp(term);
  for (let k = 1; k <= count; k++) {
    term += Math.log(((total - k + 1) / k) * (rate / (1 - rate)));
    sum += Math.exp(term);
  }
  return Math.min(1, sum);
}

/**
 * One-sided p-value that the mean behind the first values is larger than behind the second: Welch's statistic against the
 * normal distribution, so for samples of twenty or more. 1 where a sample has fewer than two values or nothing varies.
 */
export function meanDifferenceTest(first: readonly number[], second: readonly number[]): number {
  if (first.length < 2 || second.length < 2) return 1;
  const [a, b] = [moments(first), moments(second)];
  const spread = Math.sqrt(a.variance / first.length + b.variance / second.length);
  return spread === 0 ? 1 : 1 - normalCdf((a.mean - b.mean) / spread);
}

/** Mean and unbiased variance. */
function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) };
}

/** Error allowed to each of `tests` tests so that the family's error stays below `family` (Bonferroni). */
export function bonferroni(family: number, tests: number): number {
  if (tests < 1) throw new RangeError(`Bonferroni over ${tests} tests: at least one is needed`);
  return family / tests;
}

/** Log-likelihood, nats, of `count` successes in `total` Bernoulli trials at their own rate. */
function bernoulliLogLikelihood(count: number, total: number): number {
  if (count === 0 || count === total) return 0;
  const share = count / total;
  return count * Math.log(share) + (total - count) * Math.log(1 - share);
}

/** Gain in log-likelihood, nats (≥ 0), when (countIn of totalIn) inside a split gets a rate of its own. */
export function bernoulliGain(countIn: number, totalIn: number, count: number, total: number): number {
  return (
    bernoulliLogLikelihood(countIn, totalIn) +
    bernoulliLogLikelihood(count - countIn, total - totalIn) -
    bernoulliLogLikelihood(count, total)
  );
}

/**
 * Area under the ROC curve: the chance that a positive scores above a negative, ties counting one half.
 * NaN where one side is empty.
 */
export function auroc(positives: ArrayLike<number>, negatives: ArrayLike<number>): number {
  const sorted = Float64Array.from(negatives).sort();
  if (sorted.length === 0 || positives.length === 0) return Number.NaN;
  let wins = 0;
  for (let i = 0; i < positives.length; i++) {
    const value = positives[i] as number;
    wins += (firstAbove(sorted, value, false) + firstAbove(sorted, value, true)) / 2;
  }
  return wins / (positives.length * sorted.length);
}

/** Index of the first entry that is ≥ value (or > value where `strict`) in an ascending list. */
function firstAbove(sorted: Float64Array, value: number, strict: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = sorted[middle] as number;
    if (strict ? entry <= value : entry < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Linear-interpolated percentile, `share` in [0, 1], of unsorted values (NumPy's default rule). 0 of an empty list. */
export function percentile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return 0;
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (position - below);
}

/** Mean and its 95 % normal interval for a difference of differences of independent rates. */
export interface Difference {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Σ sign·rate with a 95 % interval. Each rate's variance uses the Agresti–Caffo shift (one success and one failure
 * added), so that rates of 0 and 1 keep an interval.
 */
export function signedSum(terms: readonly { readonly sign: 1 | -1; readonly rate: Rate }[]): Difference {
  let estimate = 0;
  let variance = 0;
  for (const { sign, rate } of terms) {
    const shifted = (rate.count + 1) / (rate.total + 2);
    estimate += sign * rate.rate;
    variance += (shifted * (1 - shifted)) / (rate.total + 2);
  }
  const half = Z_95 * Math.sqrt(variance);
  return { estimate, low: estimate - half, high: estimate + half };
}
