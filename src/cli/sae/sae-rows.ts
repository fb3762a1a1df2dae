/** The activations that an SAE is trained on: held in memory where they fit, else computed as training goes. */
import { createHash } from "node:crypto";
import type { Sequence } from "../../model/sequence.js";
import { maskedTokens, readRows } from "../../sae/readings.js";
import { memoryRows, type RowSource } from "../../sae/row-source.js";
import { streamedRows } from "../../sae/row-stream.js";
import type { OpenedModel } from "../model/open-model.js";
import type { Io } from "../terminal/io.js";

/** Rows held at once where no number is given: 1 GiB, which is 2 million rows at a width of 128 and 65,536 at 4,096. */
const BUFFER_BYTES = 2 ** 30;

export interface TrainingRows {
  readonly source: RowSource;
  /** Most rows held at once; null where all are held. */
  readonly buffer: number | null;
  /** Tells these rows from others. */
  readonly stamp: string;
}

export interface RowsWanted {
  readonly layer: number;
  /** At most this many, from the first prompts. */
  readonly limit: number;
  /** Rows held at once. */
  readonly buffer: number | undefined;
  readonly seed: number;
}

export async function trainingRows(
  io: Io,
  { engine }: OpenedModel,
  sequences: readonly Sequence[],
  { layer, limit, buffer: wanted, seed }: RowsWanted,
): Promise<TrainingRows> {
  const { dModel } = engine.model;
  const buffer = wanted ?? Math.floor(BUFFER_BYTES / (4 * dModel));
  const calls = { onProgress: io.progress("reading prompts"), signal: io.signal };
  const total = sequences.reduce((sum, sequence) => sum + maskedTokens(sequence), 0);
  if (Math.min(total, limit) <= buffer) {
    const rows = await readRows(engine, sequences, layer, { limit, ...calls });
    const stamp = createHash("sha256").update(`${rows.length}`).update(rows).digest("hex");
    return { source: memoryRows(rows, dModel, seed), buffer: null, stamp };
  }
  const chosen = firstSequences(sequences, limit);
  const source = streamedRows(engine, chosen, layer, { buffer, seed, ...calls });
  await source.first(); // with its progress; later parts are read within the training's
  const hash = createHash("sha256").update(`in parts of ${buffer}`);
  for (const { prompt, mask } of chosen) hash.update(`${prompt.length}`).update(prompt).update(mask);
  return { source, buffer, stamp: hash.digest("hex") };
}

/** As many whole sequences from the first on as have no more than `limit` masked tokens. */
function firstSequences(sequences: readonly Sequence[], limit: number): Sequence[] {
  let left = limit;
  return sequences.filter((sequence) => {
    left -= maskedTokens(sequence);
    return left >= 0;
  });
}
