/** Replies batch by batch, the longest prompts first, so that those generated together are about equally long. */
import type { Sequence } from "../model/sequence.js";
import type { GenerateOptions, Reply } from "./engine.js";

/** Sequences generated together; more gain little on a CPU and hold more memory. */
const BATCH = 64;

/**
 * `generate` gets some sequences, and their places in `sequences`, which their draws go by; it tells `onShare` how much of
 * its work is done, 0 to 1.
 */
export async function replyInBatches(
  sequences: readonly Sequence[],
  options: GenerateOptions,
  generate: (batch: Sequence[], streams: number[], onShare: (share: number) => void) => Promise<Reply[]>,
): Promise<Reply[]> {
  const replies = new Array<Reply>(sequences.length);
  const order = [...sequences.keys()].sort(
    (a, b) => sequences[b]!.prompt.length - sequences[a]!.prompt.length || a - b,
  );
  for (let from = 0; from < order.length; from += BATCH) {
    const batch = order.slice(from, from + BATCH);
    const made = await generate(
      batch.map((i) => sequences[i]!),
      batch,
      (share) => options.onProgress?.(Math.floor(from + share * batch.length), order.length),
    );
    batch.forEach((index, k) => {
      replies[index] = made[k]!;
    });
    options.onProgress?.(Math.min(from + BATCH, order.length), order.length);
  }
  return replies;
}
