/** Rows of latents from dense to sparse, and what is read off sparse rows. */
import type { SparseLatents } from "./sae.js";

/** Collects sparse rows as they come. */
export class SparseRows {
  readonly #rowStart: number[] = [0];
  #ids = new Int32Array(1024);
  #values = new Float32Array(1024);
  #count = 0;

  /** Appends the positive entries of dense rows [n, m]. NaN is an error: the activations were not finite. */
  addDense(dense: Float32Array, latents: number): void {
    // Most entries are 0, and two of them side by side are one f64 that is 0.
    const doubles =
      latents % 2 === 0 && dense.byteOffset % 8 === 0
        ? new Float64Array(dense.buffer, dense.byteOffset, dense.length / 2)
        : undefined;
    for (let at = 0; at < dense.length; at += latents) {
      if (doubles) {
        for (let pair = at / 2; pair < (at + latents) / 2; pair++) {
          if (doubles[pair] === 0) continue;
          this.#add(dense, at, 2 * pair);
          this.#add(dense, at, 2 * pair + 1);
        }
      } else for (let i = at; i < at + latents; i++) this.#add(dense, at, i);
      this.#rowStart.push(this.#count);
    }
  }

  /** Appends entry `i` of the row that starts at `from`, if it is positive. */
  #add(dense: Float32Array, from: number, i: number): void {
    const value = dense[i]!;
    if (value > 0) this.#push(i - from, value);
    else if (Number.isNaN(value)) throw notANumber(i - from);
  }

  /** Appends, of each dense row [n, m], the positive ones among its k largest entries. */
  addTopK(dense: Float32Array, latents: number, k: number): void {
    const heap = new Float32Array(k); // the k largest so far, smallest on top
    for (let at = 0; at < dense.length; at += latents) {
      let size = 0;
      for (let j = 0; j < latents; j++) {
        const value = dense[at + j]!;
        if (Number.isNaN(value)) throw notANumber(j);
        if (!(value > 0)) continue;
        if (size < k) siftUp(heap, size++, value);
        else if (value > heap[0]!) siftDown(heap, size, value);
      }
      const threshold = size < k ? 0 : heap[0]!;
      // Among values equal to the threshold the first ones are kept, so that exactly k remain.
      let ties = 0;
      if (size === k) for (const value of heap) ties += value === threshold ? 1 : 0;
      for (let j = 0; j < latents; j++) {
        const value = dense[at + j]!;
        if (value > threshold || (value === threshold && ties-- > 0)) this.#push(j, value);
      }
      this.#rowStart.push(this.#count);
    }
  }

  /** Appends, of each dense row [n, m], the largest entry of each of k groups of neighbours, where it is positive. */
  addGroupMax(dense: Float32Array, latents: number, k: number): void {
    const group = latents / k;
    for (let at = 0; at < dense.length; at += latents) {
      for (let from = 0; from < latents; from += group) {
        let best = from;
        for (let j = from; j < from + group; j++) {
          const value = dense[at + j]!;
          if (Number.isNaN(value)) throw notANumber(j);
          if (value > dense[at + best]!) best = j;
        }
        if (dense[at + best]! > 0) this.#push(best, dense[at + best]!);
      }
      this.#rowStart.push(this.#count);
    }
  }

  finish(): SparseLatents {
    return {
      rowStart: Int32Array.from(this.#rowStart),
      ids: this.#ids.slice(0, this.#count),
      values: this.#values.slice(0, this.#count),
    };
  }

  #push(id: number, value: number): void {
    if (this.#count === this.#ids.length) {
      const ids = new Int32Array(2 * this.#count);
      const values = new Float32Array(2 * this.#count);
      ids.set(this.#ids);
      values.set(this.#values);
      this.#ids = ids;
      this.#values = values;
    }
    this.#ids[this.#count] = id;
    this.#values[this.#count] = value;
    this.#count += 1;
  }
}

function notANumber(latent: number): Error {
  return new Error(`latent ${latent} is not a number: the rows hold values that are not finite`);
}

function siftUp(heap: Float32Array, at: number, value: number): void {
  let child = at;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[child] = heap[parent]!;
    child = parent;
  }
  heap[child] = value;
}

function siftDown(heap: Float32Array, size: number, value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && heap[child + 1]! < heap[child]!) child += 1;
    if (heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
}

/** Rows [from, to) of `latents` as a dense [to − from, m]. */
export function denseRows(latents: SparseLatents, m: number, from: number, to: number): Float32Array {
  const dense = new Float32Array((to - from) * m);
  for (let r = from; r < to; r++)
    for (let at = latents.rowStart[r]!; at < latents.rowStart[r + 1]!; at++)
      dense[(r - from) * m + latents.ids[at]!] = latents.values[at]!;
  return dense;
}

/** Largest activation of each latent over some rows, ids ascending, and where it was. */
export interface Maxima {
  readonly ids: Int32Array;
  readonly values: Float32Array;
  /** Label of the row of the maximum (the prompt's token index); the first on ties. */
  readonly tokens: Int32Array;
}

/** Per-latent maxima over rows [from, to) of `latents`; `tokens` labels every row of `latents`. */
export function tokenMaxima(latents: SparseLatents, tokens: Int32Array, from = 0, to = tokens.length): Maxima {
  const best = new Map<number, number>(); // latent → position of its maximum in `values`
  const row = new Map<number, number>();
  for (let r = from; r < to; r++) {
    for (let at = latents.rowStart[r]!; at < latents.rowStart[r + 1]!; at++) {
      const id = latents.ids[at]!;
      const present = best.get(id);
      if (present !== undefined && latents.values[present]! >= latents.values[at]!) continue;
      best.set(id, at);
      row.set(id, r);
    }
  }
  const ids = Int32Array.from(best.keys()).sort();
  return {
    ids,
    values: Float32Array.from(ids, (id) => latents.values[best.get(id)!]!),
    tokens: Int32Array.from(ids, (id) => tokens[row.get(id)!]!),
  };
}
