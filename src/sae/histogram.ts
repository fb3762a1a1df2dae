/** Counts of values on bins of equal width, as in the figure of the post: the learned coordinates, nearly all of them about 0. */

export interface Histogram {
  /** [bins + 1], ascending; bin i is [edges[i], edges[i + 1]), 0 is an edge. */
  readonly edges: readonly number[];
  /** [bins] */
  readonly counts: readonly number[];
  /** Values that are exactly 0; they are in `counts` too. */
  readonly zeros: number;
}

/** About so many bins between the smallest and the largest value; rounding their width makes it 16 to 42. */
const BINS = 40;
/** Bin widths are one of these times a power of ten. */
const ROUND = [1, 2, 5, 10];

/** The histogram of `values`, with round edges; 0 is always within. Values that are not finite fall into no bin. */
export function histogram(values: Float32Array): Histogram {
  const finite = values.filter(Number.isFinite);
  let low = 0;
  let high = 0;
  let zeros = 0;
  for (const value of finite) {
    low = Math.min(low, value);
    high = Math.max(high, value);
    if (value === 0) zeros += 1;
  }
  const width = high === low ? 1 : roundUp((high - low) / BINS);
  const bin = (value: number) => Math.floor(value / width);
  const first = bin(low);
  const counts = new Array<number>(bin(high) - first + 1).fill(0);
  for (const value of finite) {
    const at = bin(value) - first;
    counts[at] = counts[at]! + 1;
  }
  // Twelve digits take the rounding out of 3 · 0.1.
  const edges = Array.from({ length: counts.length + 1 }, (_, i) => Number(((first + i) * width).toPrecision(12)));
  return { edges, counts, zeros };
}

function roundUp(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width));
  return power * ROUND.find((step) => step * power >= width * (1 - 1e-9))!;
}
