/** How sequences are cut into batches. Batching never changes a result: each row is computed on its own. */
import type { DecoderConfig } from "../../model/config.js";

/** f32 values that the activations of one forward batch may take: 256 MiB. */
const FORWARD_VALUES = 64 << 20;
/** The same for a batch whose activations are kept for the backward pass: 1 GiB. */
const BACKWARD_VALUES = 256 << 20;
/** More rows than this gain nothing on a CPU. */
const MAX_TOKENS = 4096;

/** Tokens that one batch may hold. `keptLayers`: blocks whose activations stay until the backward pass, 0 for none. */
export function batchTokens(config: DecoderConfig, keptLayers: number): number {
  const perLayer = 6 * config.ff + 10 * config.dModel;
  const logits = config.vocabulary / 2; // roughly one readout row for each two tokens
  const fitting =
    keptLayers > 0 ? BACKWARD_VALUES / (perLayer * keptLayers + 3 * logits) : FORWARD_VALUES / (perLayer + 2 * logits);
  return Math.max(1, Math.min(MAX_TOKENS, Math.floor(fitting)));
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
