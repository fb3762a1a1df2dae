/** The engine over a PyTorch process: batches in, operations of python/antecedent_torch asked, results back in the caller's order. */
import { z } from "zod";
import { InputError } from "../../formats/input-error.js";
import type { Sequence } from "../../model/sequence.js";
import { type BatchRoom, batchTokens, CPU_ROOM, chunkByLength } from "../chunks.js";
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
import type { Finetunable, LinearModule, StartingPair, Trainer, TrainerState, TrainingEngine } from "../training.js";
import type { TorchClient, TorchInstallation } from "./client.js";
import { generateReplies } from "./generate.js";
import { TorchLayerChange } from "./layer-change.js";
import { TorchObjective } from "./objective.js";
import type { TorchModel, TorchOptions } from "./open.js";
import {
  actionRows,
  f32,
  floats,
  i32,
  integers,
  joinInts,
  packIds,
  packRows,
  teacherForced,
  totalLength,
} from "./packing.js";
import { textLogprobs } from "./text.js";
import { TorchTrainer } from "./trainer.js";

/** A GPU holds its rows' activations beside everything else: an eighth of what is free forward, a third with what is kept. */
const GPU_SHARES = { forward: 1 / 8, backward: 1 / 3 };
const GPU_TOKENS = 32_768;

export class TorchEngine implements Engine, Unembedding, TrainingEngine, Finetunable {
  readonly cost: Cost = { forwardTokens: 0, backwardTokens: 0 };
  readonly model: ModelInfo;
  private readonly room: BatchRoom;

  constructor(
    readonly client: TorchClient,
    readonly opened: TorchModel,
    readonly options: TorchOptions,
    readonly installation: TorchInstallation,
    /** Whether closing this engine ends the process. */
    private readonly owner = true,
  ) {
    const { dModel, layers, vocabulary, devices, freeBytes } = opened;
    const { name, device, dtype, quantize } = options;
    this.model = {
      name,
      dModel,
      layers,
      vocabulary,
      dtype: quantize === null ? dtype : `${quantize} weights, ${dtype}`,
      engine: `torch/${device}${devices > 1 ? ` × ${devices}` : ""}`,
    };
    this.room =
      freeBytes === null
        ? CPU_ROOM
        : {
            forwardValues: (freeBytes * GPU_SHARES.forward) / Float32Array.BYTES_PER_ELEMENT,
            backwardValues: (freeBytes * GPU_SHARES.backward) / Float32Array.BYTES_PER_ELEMENT,
            tokens: GPU_TOKENS,
          };
  }

  get layers(): number {
    return this.opened.layers;
  }

  get linears(): readonly LinearModule[] {
    return this.opened.linears.map((linear) => ({ ...linear, peftName: linear.name }));
  }

  /** The same weights without their adapter, in the same process. */
  async withoutAdapter(name: string): Promise<TorchEngine> {
    const { answer } = await this.client.call("share", { model: this.opened.model });
    const { model } = z.object({ model: z.number() }).parse(answer);
    return new TorchEngine(this.client, { ...this.opened, model }, { ...this.options, name }, this.installation, false);
  }

  async residuals(
    sequences: readonly Sequence[],
    layer: number,
    options: CallOptions & { positions?: "masked" | "all" } = {},
  ): Promise<Residual[]> {
    const found = new Array<Residual>(sequences.length);
    const { dModel } = this.model;
    const lengths = sequences.map(({ prompt }) => prompt.length);
    await this.inChunks(lengths, options, async (chunk) => {
      const prompts = chunk.map((i) => sequences[i]!.prompt);
      const tokens = chunk.map((i) => {
        const { prompt, mask } = sequences[i]!;
        return Int32Array.from(prompt.keys()).filter((t) => options.positions === "all" || mask[t]);
      });
      const select = packRows(prompts, tokens);
      const { tensors } = await this.ask("residuals", { layer }, { ...packIds(prompts), select });
      this.cost.forwardTokens += totalLength(prompts);
      const values = floats(tensors, "residual", totalLength(tokens) * dModel);
      this.requireNumbers(values);
      let from = 0;
      chunk.forEach((i, k) => {
        const to = from + tokens[k]!.length * dModel;
        found[i] = { tokens: tokens[k]!, values: values.slice(from, to) };
        from = to;
      });
    });
    return found;
  }

  async score(sequences: readonly Sequence[], options: CallOptions & { steering?: Steering } = {}): Promise<Score[]> {
    const { steering } = options;
    const scores = new Array<Score>(sequences.length);
    const lengths = sequences.map(({ prompt, action }) => prompt.length + action.length);
    await this.inChunks(lengths, options, async (chunk) => {
      const batch = chunk.map((i) => sequences[i]!);
      const forced = batch.map(teacherForced);
      const targets = joinInts(batch.map(({ action }) => action));
      const { tensors } = await this.ask(
        "score",
        { layer: steering?.layer ?? null },
        {
          ...packIds(forced),
          readout: packRows(forced, batch.map(actionRows)),
          targets: i32(targets),
          ...(steering ? this.steeringTensors(batch, forced, steering) : {}),
        },
      );
      this.cost.forwardTokens += totalLength(forced);
      const logprobs = floats(tensors, "logprobs", targets.length);
      const likeliest = integers(tensors, "greedy", targets.length);
      if (!steering) this.requireNumbers(logprobs);
      let at = 0;
      batch.forEach(({ action }, k) => {
        const start = at;
        at += action.length;
        scores[chunk[k]!] = {
          tokenLogprobs: logprobs.slice(start, at),
          greedyMatch: action.every((token, j) => likeliest[start + j] === token),
        };
      });
    });
    return scores;
  }

  textLogprobs(
    sequences: readonly Sequence[],
    options: CallOptions & { splice?: Splice } = {},
  ): Promise<Float32Array[]> {
    return textLogprobs(this, sequences, options);
  }

  steeringObjective(
    sequences: readonly Sequence[],
    layer: number,
    options: CallOptions = {},
  ): Promise<SteeringObjective> {
    return TorchObjective.prepare(this, sequences, layer, options);
  }

  layerChangeObjective(
    sequences: readonly Sequence[],
    layer: number,
    measure: LayerChange,
    options: CallOptions = {},
  ): Promise<LayerChangeObjective> {
    return TorchLayerChange.prepare(this, sequences, layer, measure, options);
  }

  generate(sequences: readonly Sequence[], options: GenerateOptions): Promise<Reply[]> {
    return generateReplies(this, sequences, options);
  }

  async logitLens(directions: Float32Array): Promise<Float32Array> {
    const { dModel, vocabulary } = this.model;
    const count = directions.length / dModel;
    const { tensors } = await this.ask("lens", {}, { directions: f32(directions, [count, dModel]) });
    return floats(tensors, "logits", count * vocabulary);
  }

  /** Weights by their names in the checkpoint, in f32. */
  trainer(isTrained: (name: string) => boolean, state?: TrainerState): Promise<Trainer> {
    const names = this.opened.weights.map(({ name }) => name).filter(isTrained);
    return TorchTrainer.create(this, names, new Map(), state);
  }

  async withPairs(pairs: ReadonlyMap<string, StartingPair>): Promise<TrainingEngine & { close(): Promise<void> }> {
    const names = [...pairs.keys()].flatMap((module) => [`${module}.lora_A`, `${module}.lora_B`]);
    return {
      trainer: async (isTrained, state) => {
        const left = names.find((name) => !isTrained(name));
        if (left !== undefined) throw new RangeError(`${left}: pairs are trained whole`);
        return TorchTrainer.create(this, [], pairs, state);
      },
      close: async () => undefined,
    };
  }

  /** Most memory that the process held since this was last asked, in bytes: on its GPUs, or else its own. */
  async peakMemory(): Promise<number> {
    const { answer } = await this.client.call("memory");
    return z.object({ peakBytes: z.number() }).parse(answer).peakBytes;
  }

  async close(): Promise<void> {
    if (this.owner) await this.client.close();
    else await this.client.call("drop", { kept: this.opened.model });
  }

  /** An operation on this model. */
  ask(op: string, header: Readonly<Record<string, unknown>>, tensors: Parameters<TorchClient["call"]>[2] = {}) {
    return this.client.call(op, { ...header, model: this.opened.model }, tensors);
  }

  requireNumbers(values: Float32Array | Float64Array): void {
    if (values.some(Number.isNaN))
      throw new InputError(`${this.model.name}: computes values that are not numbers; its weights are damaged`);
  }

  /** How much of the vector each packed token gets: masked prompt tokens, and what follows the prompt where it says so. */
  steeringTensors(sequences: readonly Sequence[], computed: readonly Int32Array[], steering: Steering) {
    const { vector, scale = 1, afterPrompt = false } = steering;
    const weights = new Float32Array(totalLength(computed));
    let at = 0;
    sequences.forEach(({ mask }, k) => {
      for (let t = 0; t < computed[k]!.length; t++, at++) if (mask[t] ?? afterPrompt) weights[at] = scale;
    });
    return { weights: f32(weights), vector: f32(vector) };
  }

  /** Tokens of one batch; `keptLayers` as in `batchTokens`. */
  batchTokens(keptLayers: number): number {
    return batchTokens(this.opened, keptLayers, this.room);
  }

  /** Runs `work` on batches of sequences of the given lengths. */
  async inChunks(
    lengths: readonly number[],
    options: CallOptions,
    work: (chunk: number[]) => Promise<void>,
    keptLayers = 0,
  ): Promise<void> {
    let done = 0;
    for (const chunk of chunkByLength(lengths, this.batchTokens(keptLayers))) {
      options.signal?.throwIfAborted();
      await work(chunk);
      done += chunk.length;
      options.onProgress?.(done, lengths.length);
    }
  }
}
