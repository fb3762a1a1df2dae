/**
 * What a steering vector θ cannot change, computed once and kept beside the session, batch by batch:
 *   1. blocks 0 … layer, for every token: the residual stream that θ is added to;
 *   2. keys and values above `layer` of the tokens before the first steered one, one copy for each distinct prefix.
 * A step then runs the blocks above on the remaining tokens alone. Shared by the objectives, which differ in what they read.
 */
import type { Sequence } from "../../model/sequence.js";
import { batchTokens, chunkByLength } from "../chunks.js";
import type { CallOptions } from "../engine.js";
import type { Feeds, TensorData } from "../runtime.js";
import { float32, int32, layoutFeeds, pastPositions, rowCount, type Strip } from "./layout.js";
import type { OnnxEngine } from "./onnx-engine.js";
import { prefixProgram } from "./programs.js";

/** One batch with everything cached. */
export interface CachedBatch {
  /** Places of its sequences in the caller's list. */
  readonly indices: readonly number[];
  readonly sequences: readonly Sequence[];
  /** Each sequence from its first masked token on. */
  readonly strips: readonly Strip[];
  /** Tokens of all strips. */
  readonly rows: number;
  /** Whether keys and values of earlier tokens are fed. */
  readonly past: boolean;
  /** The layout, "residual" and, with `past`, the prefix's keys and values. */
  readonly feeds: Feeds;
}

export interface CachedBatches {
  readonly batches: readonly CachedBatch[];
  /** Names of the resident tensors, to drop. */
  readonly resident: readonly string[];
}

let made = 0;

/**
 * Caches every sequence up to `layer`. `strip` says which tokens of a sequence are run and read, from its start (start 0);
 * blocks (layer, to) run at each step.
 */
export async function cacheBatches(
  engine: OnnxEngine,
  sequences: readonly Sequence[],
  layer: number,
  to: number,
  strip: (sequence: Sequence) => Strip,
  options: CallOptions,
): Promise<CachedBatches> {
  const name = `cached${made++}`;
  const limit = batchTokens(engine.opened.config, Math.max(1, to - layer - 1));
  const strips = sequences.map(strip);
  const batches: CachedBatch[] = [];
  const resident: string[] = [];
  let done = 0;
  for (const indices of chunkByLength(
    strips.map(({ ids }) => ids.length),
    limit,
  )) {
    options.signal?.throwIfAborted();
    const batch = new BatchCache(engine, layer, to, `${name}.${batches.length}`, resident);
    const chosen = indices.map((i) => sequences[i]!);
    const whole = indices.map((i) => strips[i]!);
    batches.push({ indices, sequences: chosen, ...(await batch.fill(chosen, whole)) });
    done += indices.length;
    options.onProgress?.(done, sequences.length);
  }
  return { batches, resident };
}

class BatchCache {
  constructor(
    private readonly engine: OnnxEngine,
    private readonly layer: number,
    private readonly to: number,
    private readonly name: string,
    private readonly resident: string[],
  ) {}

  async fill(sequences: readonly Sequence[], whole: readonly Strip[]) {
    const { engine, layer, name } = this;
    const { config } = engine.opened;
    const firsts = sequences.map(({ mask }) => mask.indexOf(1));
    const strips: Strip[] = whole.map(({ ids, readout }, k) => ({
      ids: ids.subarray(firsts[k]!),
      start: firsts[k]!,
      readout: readout!.map((t) => t - firsts[k]!),
    }));

    const residuals = await engine.residualProgram(layer);
    const select = new Int32Array(rowCount(strips));
    let at = 0;
    let row = 0;
    whole.forEach(({ ids }, k) => {
      for (let t = firsts[k]!; t < ids.length; t++) select[at++] = row + t;
      row += ids.length;
    });
    await residuals.run(
      { ...layoutFeeds(config, whole), select: int32(select, [select.length]) },
      { keep: { residual: `${name}.residual` } },
    );
    this.resident.push(`${name}.residual`);
    engine.cost.forwardTokens += row;

    const past = layer + 1 < this.to && Math.max(...firsts) > 0;
    const feeds: Record<string, Feeds[string]> = {
      ...layoutFeeds(config, strips, past ? pastPositions(strips) : undefined),
      residual: { resident: `${name}.residual` },
    };
    if (past) Object.assign(feeds, await this.prefixFeeds(sequences, firsts));
    return { strips, rows: rowCount(strips), past, feeds };
  }

  /** Keys and values of each distinct prefix, kept; every sequence of the batch is told which one is its own. */
  private async prefixFeeds(
    sequences: readonly Sequence[],
    firsts: readonly number[],
  ): Promise<Record<string, Feeds[string]>> {
    const { engine, layer, to, name } = this;
    const distinct = new Map<string, number>();
    const prefixes: Int32Array[] = [];
    const which = sequences.map(({ prompt }, k) => {
      const prefix = prompt.subarray(0, firsts[k]!);
      const key = prefix.join(",");
      if (!distinct.has(key)) distinct.set(key, prefixes.push(prefix) - 1);
      return distinct.get(key)!;
    });
    // A raw prompt has no prefix; a dummy of one token keeps the shapes regular and is masked by its position.
    const strips: Strip[] = prefixes.map((ids) => ({ ids: ids.length > 0 ? ids : Int32Array.of(0), start: 0 }));
    const program = await engine.program(`prefix ${layer + 1} ${to}`, () =>
      prefixProgram(engine.opened, layer + 1, to),
    );
    const feeds: Record<string, Feeds[string]> = { pastRow: int32(Int32Array.from(which), [which.length]) };
    const keep: Record<string, string> = {};
    for (let l = layer + 1; l < to; l++)
      for (const [kind, input] of [
        ["key", `pastKey${l}`],
        ["value", `pastValue${l}`],
      ] as const) {
        keep[`${kind}${l}`] = `${name}.${kind}${l}`;
        feeds[input] = { resident: `${name}.${kind}${l}` };
      }
    await program.run(layoutFeeds(engine.opened.config, strips), { keep });
    this.resident.push(...Object.values(keep));
    engine.cost.forwardTokens += rowCount(strips);
    return feeds;
  }
}

/** steerMatrix [rows, vectors] of a batch: `entry` gives (vector, weight) of a prompt token. */
export function steerMatrix(
  batch: CachedBatch,
  vectors: number,
  entry: (sequence: number, token: number) => [number, number] | null,
): TensorData {
  const matrix = new Float32Array(batch.rows * vectors);
  let row = 0;
  batch.strips.forEach(({ ids, start }, k) => {
    for (let t = 0; t < ids.length; t++, row++) {
      const place = entry(k, start + t);
      if (place) matrix[row * vectors + place[0]] = place[1];
    }
  });
  return float32(matrix, [batch.rows, vectors]);
}

/** θ itself at every masked token. */
export function steerMasked(batch: CachedBatch): TensorData {
  return steerMatrix(batch, 1, (k, t) => (batch.sequences[k]!.mask[t] ? [0, 1] : null));
}
