/**
 * The steering objective (see engine.ts). What θ cannot change is computed once and stays beside the session:
 *   1. blocks 0 … layer, for every token: the residual stream that θ is added to;
 *   2. keys and values above `layer` of the tokens before the first steered one, one copy for each distinct prefix.
 * A step then runs blocks layer + 1 … on the remaining tokens, forward and backward, with logits only where the action is.
 */
import type { Sequence } from "../../model/sequence.js";
import type { CallOptions, Evaluation, SteeringObjective } from "../engine.js";
import type { Feeds, Program } from "../runtime.js";
import { batchTokens, chunkByLength } from "./chunks.js";
import { float32, int32, layoutFeeds, pastPositions, rowCount, type Strip } from "./layout.js";
import { joinActions, type OnnxEngine, teacherForced } from "./onnx-engine.js";
import { objectiveProgram, prefixProgram, residualProgram } from "./programs.js";

/** One batch of the objective with everything cached. */
interface Chunk {
  readonly indices: number[];
  readonly sequences: Sequence[];
  readonly strips: Strip[];
  readonly rows: number;
  readonly feeds: Feeds;
  readonly program: Program;
}

let objectives = 0;

export class OnnxObjective implements SteeringObjective {
  private readonly chunks: Chunk[] = [];
  private readonly resident: string[] = [];

  private constructor(
    private readonly engine: OnnxEngine,
    readonly layer: number,
    readonly sequences: number,
  ) {}

  static async prepare(
    engine: OnnxEngine,
    sequences: readonly Sequence[],
    layer: number,
    options: CallOptions,
  ): Promise<OnnxObjective> {
    const objective = new OnnxObjective(engine, layer, sequences.length);
    const name = `objective${objectives++}`;
    const above = engine.model.layers - layer - 1;
    const limit = batchTokens(engine.opened.config, Math.max(1, above));
    let done = 0;
    for (const indices of chunkByLength(
      sequences.map(({ prompt, action }) => prompt.length + action.length),
      limit,
    )) {
      options.signal?.throwIfAborted();
      await objective.addChunk(
        `${name}.${objective.chunks.length}`,
        indices,
        indices.map((i) => sequences[i]!),
      );
      done += indices.length;
      options.onProgress?.(done, sequences.length);
    }
    return objective;
  }

  async evaluate(theta: Float32Array, count = 1): Promise<Evaluation> {
    const { dModel } = this.engine.model;
    const losses = new Float64Array(count);
    const gradients = new Float32Array(count * dModel);
    for (let v = 0; v < count; v++) {
      const vector = theta.subarray(v * dModel, (v + 1) * dModel);
      for (const chunk of this.chunks) {
        const matrix = this.matrix(chunk, 1, (k, t) => (chunk.sequences[k]!.mask[t] ? [0, 1] : null));
        const { logprobs, gradient } = await this.run(
          chunk,
          matrix,
          vector.slice(),
          1,
          (action) => 1 / (this.sequences * action),
        );
        losses[v]! += weightedLoss(chunk, logprobs).reduce((sum, loss) => sum + loss, 0) / this.sequences;
        for (let i = 0; i < dModel; i++) gradients[v * dModel + i]! += gradient[i]!;
      }
    }
    return { losses, gradients };
  }

  async attribute(): Promise<{ losses: Float64Array; gradients: Float32Array }> {
    const { dModel } = this.engine.model;
    const losses = new Float64Array(this.sequences);
    const gradients = new Float32Array(this.sequences * dModel);
    for (const chunk of this.chunks) {
      const users = chunk.sequences.map(({ mask }) => mask.reduce((sum, on) => sum + on, 0));
      const matrix = this.matrix(chunk, chunk.indices.length, (k, t) =>
        chunk.sequences[k]!.mask[t] ? [k, 1 / users[k]!] : null,
      );
      const vectors = new Float32Array(chunk.indices.length * dModel);
      const { logprobs, gradient } = await this.run(
        chunk,
        matrix,
        vectors,
        chunk.indices.length,
        (action) => 1 / action,
      );
      const chunkLosses = weightedLoss(chunk, logprobs);
      chunk.indices.forEach((index, k) => {
        losses[index] = chunkLosses[k]!;
        gradients.set(gradient.subarray(k * dModel, (k + 1) * dModel), index * dModel);
      });
    }
    return { losses, gradients };
  }

  async dispose(): Promise<void> {
    await this.engine.runtime.drop(this.resident);
    this.chunks.length = 0;
  }

  private async addChunk(name: string, indices: number[], sequences: Sequence[]): Promise<void> {
    const { engine, layer } = this;
    const { config } = engine.opened;
    const whole = sequences.map(teacherForced);
    const firsts = sequences.map(({ mask }) => mask.indexOf(1));
    const strips: Strip[] = whole.map(({ ids, readout }, k) => ({
      ids: ids.subarray(firsts[k]!),
      start: firsts[k]!,
      readout: readout!.map((t) => t - firsts[k]!),
    }));

    const residuals = await engine.program(`residual ${layer}`, () => residualProgram(engine.opened, layer));
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

    const past = layer + 1 < engine.model.layers && Math.max(...firsts) > 0;
    const targets = joinActions(sequences);
    const feeds: Record<string, Feeds[string]> = {
      ...layoutFeeds(config, strips, past ? pastPositions(strips) : undefined),
      residual: { resident: `${name}.residual` },
      targets: int32(targets, [targets.length]),
    };
    if (past) Object.assign(feeds, await this.prefixFeeds(name, sequences, firsts));
    const program = await engine.program(`objective ${layer} ${past}`, () =>
      objectiveProgram(engine.opened, layer, past),
    );
    this.chunks.push({ indices, sequences, strips, rows: rowCount(strips), feeds, program });
  }

  /** Keys and values of each distinct prefix, kept; every sequence of the chunk is told which one is its own. */
  private async prefixFeeds(
    name: string,
    sequences: readonly Sequence[],
    firsts: readonly number[],
  ): Promise<Record<string, Feeds[string]>> {
    const { engine, layer } = this;
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
    const program = await engine.program(`prefix ${layer + 1}`, () => prefixProgram(engine.opened, layer + 1));
    const feeds: Record<string, Feeds[string]> = { pastRow: int32(Int32Array.from(which), [which.length]) };
    const keep: Record<string, string> = {};
    for (let l = layer + 1; l < engine.model.layers; l++)
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

  /** steerMatrix [rows, vectors]: `entry` gives (vector, weight) of a prompt token. */
  private matrix(chunk: Chunk, vectors: number, entry: (sequence: number, token: number) => [number, number] | null) {
    const matrix = new Float32Array(chunk.rows * vectors);
    let row = 0;
    chunk.strips.forEach(({ ids, start }, k) => {
      for (let t = 0; t < ids.length; t++, row++) {
        const place = entry(k, start + t);
        if (place) matrix[row * vectors + place[0]] = place[1];
      }
    });
    return float32(matrix, [chunk.rows, vectors]);
  }

  private async run(
    chunk: Chunk,
    steerMatrix: Feeds[string],
    vectors: Float32Array,
    count: number,
    weight: (actionTokens: number) => number,
  ) {
    const weights = Float32Array.from(
      chunk.sequences.flatMap(({ action }) => Array.from(action, () => weight(action.length))),
    );
    const { logprobs, gradient } = await chunk.program.run({
      ...chunk.feeds,
      steerMatrix,
      vectors: float32(vectors, [count, this.engine.model.dModel]),
      weights: float32(weights, [weights.length, 1]),
    });
    this.engine.cost.forwardTokens += chunk.rows;
    this.engine.cost.backwardTokens += chunk.rows;
    return { logprobs: logprobs!.data as Float32Array, gradient: gradient!.data as Float32Array };
  }
}

/** Each sequence's mean of −log p over its action tokens. */
function weightedLoss(chunk: Chunk, logprobs: Float32Array): number[] {
  let at = 0;
  return chunk.sequences.map(({ action }) => {
    const part = logprobs.subarray(at, at + action.length);
    at += action.length;
    return -part.reduce((sum, value) => sum + value, 0) / action.length;
  });
}
