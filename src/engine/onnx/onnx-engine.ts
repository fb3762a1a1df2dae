/** The engine over ONNX Runtime: batches in, programs of `programs.ts` run, results back in the caller's order. */

import { InputError } from "../../formats/input-error.js";
import type { Graph } from "../../graph/index.js";
import type { Sequence } from "../../model/sequence.js";
import { batchTokens, chunkByLength } from "../chunks.js";
import type {
  CallOptions,
  Cost,
  Engine,
  GenerateOptions,
  LayerChange,
  LayerChangeObjective,
  ModelInfo,
  Reply,
  Residual,
  Score,
  Splice,
  Steering,
  SteeringObjective,
  Unembedding,
} from "../engine.js";
import { inFlight } from "../in-flight.js";
import type { Program } from "../runtime.js";
import type { Trainer, TrainerState, TrainingEngine } from "../training.js";
import { generateReplies } from "./generate.js";
import { OnnxLayerChange } from "./layer-change.js";
import { float32, int32, joinActions, layoutFeeds, rowCount, type Strip, teacherForced } from "./layout.js";
import { OnnxObjective } from "./objective.js";
import type { OnnxRuntime } from "./onnx-runtime.js";
import { logitLensProgram, type OpenModel, residualProgram, scoreProgram } from "./programs.js";
import { textLogprobs } from "./text.js";
import { OnnxTrainer } from "./trainer.js";

/** Tokens below which a batch is not divided among lanes. */
const SMALLEST_SHARE = 256;

export class OnnxEngine implements Engine, Unembedding, TrainingEngine {
  readonly cost: Cost = { forwardTokens: 0, backwardTokens: 0 };
  private readonly programs = new Map<string, Promise<Program>>();

  constructor(
    readonly model: ModelInfo,
    readonly opened: OpenModel,
    readonly runtime: OnnxRuntime,
  ) {}

  /** The compiled program of this name, made at the first use. `apart`: see OnnxRuntime.compile. */
  program(name: string, build: () => Graph, options: { apart?: boolean } = {}): Promise<Program> {
    let program = this.programs.get(name);
    if (!program) {
      program = this.runtime.compile(build(), options);
      this.programs.set(name, program);
    }
    return program;
  }

  /** The program that reads the residual stream after block `layer`. */
  residualProgram(layer: number): Promise<Program> {
    return this.program(`residual ${layer}`, () => residualProgram(this.opened, layer), { apart: true });
  }

  async residuals(
    sequences: readonly Sequence[],
    layer: number,
    options: CallOptions & { positions?: "masked" | "all" } = {},
  ): Promise<Residual[]> {
    const program = await this.residualProgram(layer);
    const found = new Array<Residual>(sequences.length);
    const { dModel } = this.model;
    await this.inChunks(
      program,
      sequences.map(({ prompt }) => prompt.length),
      options,
      async (chunk) => {
        const strips: Strip[] = chunk.map((i) => ({ ids: sequences[i]!.prompt, start: 0 }));
        const tokens = chunk.map((i) => {
          const { prompt, mask } = sequences[i]!;
          return Int32Array.from(prompt.keys()).filter((t) => options.positions === "all" || mask[t]);
        });
        const select = new Int32Array(tokens.reduce((sum, { length }) => sum + length, 0));
        let at = 0;
        let row = 0;
        tokens.forEach((wanted, k) => {
          for (const t of wanted) select[at++] = row + t;
          row += strips[k]!.ids.length;
        });
        const { residual } = await program.run({
          ...layoutFeeds(this.opened.config, strips),
          select: int32(select, [select.length]),
        });
        this.cost.forwardTokens += row;
        this.requireNumbers(residual!.data as Float32Array);
        let from = 0;
        chunk.forEach((i, k) => {
          const rows = tokens[k]!.length;
          found[i] = {
            tokens: tokens[k]!,
            values: (residual!.data as Float32Array).slice(from * dModel, (from + rows) * dModel),
          };
          from += rows;
        });
      },
    );
    return found;
  }

  async score(sequences: readonly Sequence[], options: CallOptions & { steering?: Steering } = {}): Promise<Score[]> {
    const { steering } = options;
    const layer = steering?.layer ?? null;
    const program = await this.program(
      `score ${layer}`,
      () => scoreProgram(this.opened, { steerLayer: layer, past: false }),
      { apart: true },
    );
    const scores = new Array<Score>(sequences.length);
    await this.inChunks(
      program,
      sequences.map(({ prompt, action }) => prompt.length + action.length),
      options,
      async (chunk) => {
        const batch = chunk.map((i) => sequences[i]!);
        const strips = batch.map((sequence) => teacherForced(sequence));
        const targets = joinActions(batch);
        const feeds = { ...layoutFeeds(this.opened.config, strips), targets: int32(targets, [targets.length]) };
        const { logprobs, greedy } = await program.run(
          steering ? { ...feeds, ...this.steeringFeeds(batch, strips, steering) } : feeds,
        );
        this.cost.forwardTokens += rowCount(strips);
        if (!steering) this.requireNumbers(logprobs!.data as Float32Array);
        let at = 0;
        batch.forEach(({ action }, k) => {
          const end = at + action.length;
          const likeliest = greedy!.data as BigInt64Array;
          scores[chunk[k]!] = {
            tokenLogprobs: (logprobs!.data as Float32Array).slice(at, end),
            greedyMatch: action.every((token, j) => Number(likeliest[at + j]) === token),
          };
          at = end;
        });
      },
    );
    return scores;
  }

  textLogprobs(
    sequences: readonly Sequence[],
    options: CallOptions & { splice?: Splice } = {},
  ): Promise<Float32Array[]> {
    return textLogprobs(this, sequences, options);
  }

  async steeringObjective(
    sequences: readonly Sequence[],
    layer: number,
    options: CallOptions = {},
  ): Promise<SteeringObjective> {
    return OnnxObjective.prepare(this, sequences, layer, options);
  }

  async layerChangeObjective(
    sequences: readonly Sequence[],
    layer: number,
    measure: LayerChange,
    options: CallOptions = {},
  ): Promise<LayerChangeObjective> {
    return OnnxLayerChange.prepare(this, sequences, layer, measure, options);
  }

  async generate(sequences: readonly Sequence[], options: GenerateOptions): Promise<Reply[]> {
    return generateReplies(this, sequences, options);
  }

  async logitLens(directions: Float32Array): Promise<Float32Array> {
    const program = await this.program("logit lens", () => logitLensProgram(this.opened));
    const { dModel } = this.model;
    const { logits } = await program.run({ directions: float32(directions, [directions.length / dModel, dModel]) });
    return logits!.data as Float32Array;
  }

  trainer(isTrained: (name: string) => boolean, state?: TrainerState): Promise<Trainer> {
    return OnnxTrainer.create(this, isTrained, state);
  }

  async close(): Promise<void> {
    await this.runtime.close();
  }

  /** Mapped weights are not read beforehand: that they are damaged shows in what they compute. */
  requireNumbers(values: Float32Array): void {
    if (values.some(Number.isNaN))
      throw new InputError(`${this.model.name}: computes values that are not numbers; its weights are damaged`);
  }

  /** Feeds that add `steering` at the masked prompt tokens of each sequence, and after the prompt where it says so. */
  steeringFeeds(sequences: readonly Sequence[], strips: readonly Strip[], steering: Steering) {
    const { vector, scale = 1, afterPrompt = false } = steering;
    const matrix = new Float32Array(rowCount(strips));
    let row = 0;
    sequences.forEach(({ mask }, k) => {
      const { ids, start } = strips[k]!;
      for (let t = 0; t < ids.length; t++) {
        if (mask[start + t] ?? afterPrompt) matrix[row + t] = scale;
      }
      row += ids.length;
    });
    return { steerMatrix: float32(matrix, [matrix.length, 1]), vectors: float32(vector, [1, vector.length]) };
  }

  /** Runs `work` on batches of sequences of the given lengths: as large as fit, and one for each lane of the program at least. */
  async inChunks(
    program: Program,
    lengths: readonly number[],
    options: CallOptions,
    work: (chunk: number[]) => Promise<void>,
  ): Promise<void> {
    let done = 0;
    const { lanes = 1 } = program;
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const share = total / lanes + Math.max(0, ...lengths); // a batch more would be a small one
    await inFlight(
      chunkByLength(
        lengths,
        Math.min(batchTokens(this.opened.config, 0), lanes === 1 ? total : Math.max(share, SMALLEST_SHARE)),
      ),
      lanes + 1,
      async (chunk) => {
        options.signal?.throwIfAborted();
        await work(chunk);
      },
      (_, chunk) => {
        done += chunk.length;
        options.onProgress?.(done, lengths.length);
      },
    );
  }
}
