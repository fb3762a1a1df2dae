/** Rows to train on, wherever they come from: an endless stream of passes over them, each pass in a seeded order of its own. */
import { Random } from "../random/random.js";

export interface RowSource {
  readonly dModel: number;
  /** Rows of one pass. */
  readonly count: number;
  /** Rows that scale, mean and first directions are taken from, [n, d]: all, or as many as are held at once. Good until the next call. */
  first(): Promise<Float32Array>;
  /** Samples [from, from + count) of the stream, a new [count, d]. The same numbers give the same rows, whatever was asked before. */
  samples(from: number, count: number): Promise<Float32Array>;
}

/** All of `rows` [n, d], held in memory. */
export function memoryRows(rows: Float32Array, d: number, seed: number): RowSource {
  const n = rows.length / d;
  const order = new Uint32Array(n);
  let epoch = -1;
  return {
    dModel: d,
    count: n,
    first: async () => rows,
    samples: async (from, count) => {
      const picked = new Float32Array(count * d);
      for (let i = 0; i < count; i++) {
        const wanted = Math.floor((from + i) / n);
        if (wanted !== epoch) {
          epoch = wanted;
          for (let j = 0; j < n; j++) order[j] = j;
          shuffle(order, new Random(seed, `epoch ${epoch}`));
        }
        const row = order[from + i - wanted * n]!;
        picked.set(rows.subarray(row * d, (row + 1) * d), i * d);
      }
      return picked;
    },
  };
}

/** In place (Fisher and Yates). */
export function shuffle(order: Uint32Array, random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const swap = order[i]!;
    order[i] = order[j]!;
    order[j] = swap;
  }
}
