/**
 * BatchTopK (Bussmann, Leask, Nanda 2024): of a whole batch the k · B largest positive entries are active. The finished SAE has
 * one threshold for all latents instead, the mean over batches of the smallest selected value.
 */
import type { Selection, Sparsity } from "./sparsity.js";

export class BatchTopK implements Sparsity {
  /** Of the last batch. */
  #threshold = 0;
  #sum = 0;
  #batches = 0;

  constructor(
    private readonly latents: number,
    private readonly k: number,
  ) {}

  select(p: Float32Array, B: number): BatchSelection {
    const selected = selectLargest(p, B, Math.round(this.k * B), this.#threshold);
    this.#threshold = selected.threshold;
    return selected;
  }

  /** Entries that are not selected have no part in the loss. */
  addGradients(): void {}

  measure(p: Float32Array, B: number): void {
    this.#sum += this.select(p, B).threshold;
    this.#batches += 1;
  }

  thresholds(): Float32Array {
    return new Float32Array(this.latents).fill(this.#sum / this.#batches);
  }
}

/** The largest latents of a batch, row after row. */
export interface BatchSelection extends Selection {
  /** Smallest value selected; 0 when nothing is positive. */
  readonly threshold: number;
}

/** A guess at the threshold from the last batch: entries below this share of it are not even looked at, at first. */
const GUESS_SHARE = 0.6;

/**
 * Selects from `dense` [rows, m] the `count` largest positive entries (all of them where fewer are positive; on ties at the
 * threshold the first). `guess` is the threshold of a similar batch and only saves time.
 */
export function selectLargest(dense: Float32Array, rows: number, count: number, guess = 0): BatchSelection {
  const m = dense.length / rows;
  let entries = entriesAbove(dense, guess * GUESS_SHARE, 2 * count + 1);
  if (entries.values.length < count && guess > 0) entries = entriesAbove(dense, 0, 2 * count + 1);
  const taken = Math.min(count, entries.values.length);
  const rowStart = new Int32Array(rows + 1);
  const ids = new Int32Array(taken);
  const values = new Float32Array(taken);
  if (taken === 0) return { rowStart, ids, values, threshold: 0 };
  const threshold = nthLargest(entries.values.slice(), taken);
  let ties = taken;
  for (const value of entries.values) if (value > threshold) ties -= 1;
  let at = 0;
  for (let i = 0; i < entries.values.length; i++) {
    const value = entries.values[i]!;
    if (value < threshold || (value === threshold && ties-- <= 0)) continue;
    const index = entries.indices[i]!;
    const row = Math.floor(index / m);
    ids[at] = index - row * m;
    values[at] = value;
    at += 1;
    rowStart[row + 1] = at;
  }
  for (let r = 0; r < rows; r++) rowStart[r + 1] = Math.max(rowStart[r]!, rowStart[r + 1]!);
  return { rowStart, ids, values, threshold };
}

/** Entries greater than `bound` in order, and where they are; `expected` is a first guess of how many. */
function entriesAbove(
  dense: Float32Array,
  bound: number,
  expected: number,
): { values: Float32Array; indices: Uint32Array } {
  let values = new Float32Array(expected);
  let indices = new Uint32Array(expected);
  let count = 0;
  for (let i = 0; i < dense.length; i++) {
    const value = dense[i]!;
    if (!(value > bound)) continue;
    if (count === values.length) {
      const wider = new Float32Array(2 * count);
      const widerIndices = new Uint32Array(2 * count);
      wider.set(values);
      widerIndices.set(indices);
      values = wider;
      indices = widerIndices;
    }
    values[count] = value;
    indices[count] = i;
    count += 1;
  }
  return { values: values.subarray(0, count), indices: indices.subarray(0, count) };
}

/** The n-th largest (from 1) of values; reorders them (Hoare's quickselect). */
export function nthLargest(values: Float32Array, n: number): number {
  let low = 0;
  let high = values.length - 1;
  const wanted = n - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! > pivot) i += 1;
      while (values[j]! < pivot) j -= 1;
      if (i <= j) {
        const swap = values[i]!;
        values[i++] = values[j]!;
        values[j--] = swap;
      }
    }
    if (wanted <= j) high = j;
    else if (wanted >= i) low = i;
    else break;
  }
  return values[wanted]!;
}
