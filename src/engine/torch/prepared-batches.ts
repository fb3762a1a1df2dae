/**
 * Batches of an objective, prepared in the process: everything that a steering vector cannot change stays there
 * (python/antecedent_torch/prepared.py).
 */
import { z } from "zod";
import type { Sequence } from "../../model/sequence.js";
import { chunkByLength } from "../chunks.js";
import type { CallOptions } from "../engine.js";
import type { FrameTensor } from "./frames.js";
import { f32, packIds, packRows, totalLength } from "./packing.js";
import type { TorchEngine } from "./torch-engine.js";

const preparedShape = z.object({
  kept: z.number(),
  tokens: z.object({ once: z.number(), step: z.number() }),
  squares: z.number().optional(),
});

export interface PreparedBatch {
  /** What the process knows it by. */
  readonly kept: number;
  /** Places of its sequences in the caller's list. */
  readonly indices: readonly number[];
  /** Rows that are read. */
  readonly rows: number;
  /** Tokens that a step computes. */
  readonly tokens: number;
  /** Σ ‖Z(0)‖² of a layer change. */
  readonly squares: number;
}

/** What of a sequence is computed, and which of its rows are read. */
export interface Strip {
  readonly ids: Int32Array;
  readonly readout: Int32Array;
}

export async function prepareBatches(
  engine: TorchEngine,
  sequences: readonly Sequence[],
  strip: (sequence: Sequence) => Strip,
  request: {
    readonly op: string;
    readonly layer: number;
    /** Blocks that a step runs. */
    readonly blocks: number;
    readonly header?: Readonly<Record<string, unknown>>;
    readonly tensors?: (batch: readonly Sequence[]) => Readonly<Record<string, FrameTensor>>;
  },
  options: CallOptions,
): Promise<PreparedBatch[]> {
  const strips = sequences.map(strip);
  const batches: PreparedBatch[] = [];
  const limit = engine.batchTokens(Math.max(1, request.blocks));
  const lengths = strips.map(({ ids }) => ids.length);
  let done = 0;
  for (const indices of chunkByLength(lengths, limit)) {
    options.signal?.throwIfAborted();
    const chosen = indices.map((i) => strips[i]!);
    const ids = chosen.map((one) => one.ids);
    const readouts = chosen.map(({ readout }) => readout);
    const batch = indices.map((i) => sequences[i]!);
    const mask = new Float32Array(totalLength(ids));
    let at = 0;
    batch.forEach((sequence, k) => {
      mask.set(sequence.mask.subarray(0, ids[k]!.length), at);
      at += ids[k]!.length;
    });
    const { answer } = await engine.ask(
      request.op,
      { layer: request.layer, ...request.header },
      { ...packIds(ids), mask: f32(mask), readout: packRows(ids, readouts), ...request.tensors?.(batch) },
    );
    const { kept, tokens, squares = 0 } = preparedShape.parse(answer);
    engine.cost.forwardTokens += tokens.once;
    batches.push({ kept, indices, rows: totalLength(readouts), tokens: tokens.step, squares });
    done += indices.length;
    options.onProgress?.(done, sequences.length);
  }
  return batches;
}

/** How many vectors may be evaluated at once on a batch: as many as its activations leave room for. */
export function vectorsAtOnce(engine: TorchEngine, { tokens }: PreparedBatch, blocks: number): number {
  return Math.max(1, Math.floor(engine.batchTokens(Math.max(1, blocks)) / tokens));
}

export async function dropBatches(engine: TorchEngine, batches: readonly PreparedBatch[]): Promise<void> {
  for (const { kept } of batches) await engine.client.call("drop", { kept });
}
