/** How sequences are cut into batches. Batching never changes a result: each row is computed on its own. */

/** What the size of activations depends on. */
export interface Widths {
  readonly dModel: number;
  /** Width of the MLP. */
  readonly ff: number;
  readonly vocabulary: number;
}

/** How much a batch may take. */
export interface BatchRoom {
  /** f32 values that the activations of one forward batch may take. */
  readonly forwardValues: number;
  /** The same for a batch whose activations are kept for the backward pass. */
  readonly backwardValues: number;
  /** More rows than this gain nothing. */
  readonly tokens: number;
}

/** 256 MiB forward, 1 GiB with what is kept, and as many rows as keep the cores busy. */
export const CPU_ROOM: BatchRoom = { forwardValues: 64 << 20, backwardValues: 256 << 20, tokens: 4096 };

/** Tokens that one batch may hold. `keptLayers`: blocks whose activations stay until the backward pass, 0 for none. */
export function batchTokens(widths: Widths, keptLayers: number, room: BatchRoom = CPU_ROOM): number {
  const perLayer = 6 * widths.ff + 10 * widths.dModel;
  const logits = widths.vocabulary / 2; // roughly one readout row for each two tokens
  const fitting =
    keptLayers > 0
      ? room.backwardValues / (perLayer * keptLayers + 3 * logits)
      : room.forwardValues / (perLayer + 2 * logits);
  return Math.max(1, Math.min(room.tokens, Math.floor(fitting)));
}

/** Groups indices 0 … n−1 into batches of at most `limit` tokens, similar lengths together; a longer sequence stands alone. */
export function chunkByLength(lengths: readonly number[], limit: number): number[][] {
  const order = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const chunks: number[][] = [];
  let room = 0;
  for (const index of order) {
    if (lengths[index]! > room || chunks.length === 0) {
      chunks.push([]);
      room = limit;
    }
    chunks.at(-1)!.push(index);
    room -= lengths[index]!;
  }
  return chunks;
}
