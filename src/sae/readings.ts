/**
 * What an SAE reads on prompts: engine → residual rows at masked tokens → latents. Batched, and nothing is kept but what
 * is asked for, so that a corpus of any length fits: per-prompt maxima of a latent are what units, labels and audits use.
 */
import type { CallOptions, Engine, Residual } from "../engine/engine.js";
import { inFlight } from "../engine/in-flight.js";
import type { Sequence } from "../model/sequence.js";
import type { Sae, SparseLatents } from "./sae.js";
import { type Maxima, tokenMaxima } from "./sparse.js";

/** Masked tokens read at once: keeps the rows of a batch within 64 MiB at a width of 4,096. */
const BATCH_ROWS = 4096;
/** Prompts read at once, so that progress is seen on long corpora of short prompts. */
const BATCH_PROMPTS = 256;

/** Latents of one prompt: row i of `latents` belongs to prompt token `tokens[i]`. */
export interface PromptLatents {
  readonly tokens: Int32Array;
  readonly latents: SparseLatents;
}

/**
 * For each prompt the largest activation of each latent over masked tokens, and the token it fires at. `onLatents` sees every
 * latent of every batch before all but the maxima is dropped.
 */
export async function readMaxima(
  engine: Engine,
  sae: Sae,
  sequences: readonly Sequence[],
  layer: number,
  options: CallOptions & { readonly onLatents?: (latents: SparseLatents) => void } = {},
): Promise<Maxima[]> {
  const all: Maxima[] = [];
  const encode = async (residuals: Residual[]) => ({
    residuals,
    latents: await sae.encode(joinedRows(residuals, sae.info.dModel)),
  });
  await inBatches(engine, sequences, layer, options, encode, ({ residuals, latents }) => {
    options.onLatents?.(latents);
    const tokens = new Int32Array(latents.rowStart.length - 1);
    let row = 0;
    for (const residual of residuals) {
      tokens.set(residual.tokens, row);
      all.push(tokenMaxima(latents, tokens, row, row + residual.tokens.length));
      row += residual.tokens.length;
    }
  });
  return all;
}

/** Every non-zero latent at every masked token. */
export async function readLatents(
  engine: Engine,
  sae: Sae,
  sequences: readonly Sequence[],
  layer: number,
  options: CallOptions = {},
): Promise<PromptLatents[]> {
  const all: PromptLatents[] = [];
  const encode = async (residuals: Residual[]) => {
    const made: PromptLatents[] = [];
    for (const { tokens, values } of residuals) made.push({ tokens, latents: await sae.encode(values) });
    return made;
  };
  await inBatches(engine, sequences, layer, options, encode, (made) => {
    all.push(...made);
  });
  return all;
}

/**
 * Residual rows of all masked tokens of `sequences`, [rows, d]: what an SAE is trained on. At most `limit` rows; `into` an array that
 * has room for them, of which the part that they fill is returned.
 */
export async function readRows(
  engine: Engine,
  sequences: readonly Sequence[],
  layer: number,
  options: CallOptions & {
    readonly limit?: number;
    readonly positions?: "masked" | "all";
    readonly into?: Float32Array;
  } = {},
): Promise<Float32Array> {
  const d = engine.model.dModel;
  const length = (sequence: Sequence) =>
    options.positions === "all" ? sequence.prompt.length : maskedTokens(sequence);
  const total = sequences.reduce((sum, sequence) => sum + length(sequence), 0);
  const values = d * Math.min(total, options.limit ?? total);
  const rows = options.into?.subarray(0, values) ?? new Float32Array(values);
  let at = 0;
  const same = async (residuals: Residual[]) => residuals;
  await inBatches(engine, sequences, layer, options, same, (residuals) => {
    for (const { values } of residuals) {
      const part = values.subarray(0, rows.length - at);
      rows.set(part, at);
      at += part.length;
    }
    return at < rows.length;
  });
  return rows;
}

/** Reads residuals batch by batch: `make` of one batch goes on beside the next one's, `use` gets them in order. */
async function inBatches<Made>(
  engine: Engine,
  sequences: readonly Sequence[],
  layer: number,
  { onProgress, signal, positions = "masked" }: CallOptions & { readonly positions?: "masked" | "all" },
  make: (residuals: Residual[]) => Promise<Made>,
  use: (made: Made) => unknown,
): Promise<void> {
  await inFlight(
    rowBatches(sequences, positions),
    2,
    async ({ from, to }) => {
      signal?.throwIfAborted();
      const options = { positions, ...(signal ? { signal } : {}) };
      return make(await engine.residuals(sequences.slice(from, to), layer, options));
    },
    (made, { to }) => {
      const more = use(made);
      onProgress?.(to, sequences.length);
      return more;
    },
  );
}

/** Runs of sequences, [from, to), whose rows are read at once. */
export function rowBatches(
  sequences: readonly Sequence[],
  positions: "masked" | "all" = "masked",
): { from: number; to: number }[] {
  const batches: { from: number; to: number }[] = [];
  for (let from = 0; from < sequences.length; from = batches.at(-1)!.to) {
    let to = from;
    let rows = 0;
    while (to < sequences.length && to - from < BATCH_PROMPTS && (to === from || rows < BATCH_ROWS)) {
      rows += positions === "all" ? sequences[to]!.prompt.length : maskedTokens(sequences[to]!);
      to += 1;
    }
    batches.push({ from, to });
  }
  return batches;
}

export function maskedTokens(sequence: Sequence): number {
  let count = 0;
  for (const bit of sequence.mask) count += bit;
  return count;
}

/** All rows one after another, [rows, width]. */
export function joinedRows(residuals: readonly Residual[], width: number): Float32Array {
  const rows = new Float32Array(width * residuals.reduce((sum, { tokens }) => sum + tokens.length, 0));
  let at = 0;
  for (const { values } of residuals) {
    rows.set(values, at);
    at += values.length;
  }
  return rows;
}
