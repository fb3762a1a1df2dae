/** Training in the PyTorch process: weights of the model, or low-rank pairs beside its linear layers. */
import { z } from "zod";
import { chunkByLength } from "../chunks.js";
import {
  type AdamWSettings,
  decays,
  type LossMean,
  lossRows,
  lossWeights,
  type StartingPair,
  type Trainer,
  type TrainerState,
  type TrainingSequence,
} from "../training.js";
import type { FrameTensor } from "./frames.js";
import { f32, i32, joinInts, packIds, packRows, totalLength } from "./packing.js";
import type { TorchEngine } from "./torch-engine.js";

/** Tensors that are fetched in one message; the largest, an embedding, takes 2 GiB at most. */
const TENSORS_AT_ONCE = 16;

const keptShape = z.object({ kept: z.number() });
const stepShape = z.object({ loss: z.number(), norm: z.number() });
const lossShape = z.object({ loss: z.number() });
const normsShape = z.object({ loss: z.number(), norms: z.record(z.string(), z.number()) });

export class TorchTrainer implements Trainer {
  step = 0;

  private constructor(
    private readonly engine: TorchEngine,
    private readonly kept: number,
    readonly parameters: readonly string[],
    /** Of the model's own weights; the halves of pairs are matrices. */
    private readonly dimensions: ReadonlyMap<string, number>,
  ) {}

  static async create(
    engine: TorchEngine,
    names: readonly string[],
    pairs: ReadonlyMap<string, StartingPair>,
    state?: TrainerState,
  ): Promise<TorchTrainer> {
    const tensors: Record<string, FrameTensor> = {};
    const halves: string[] = [];
    for (const [module, { a, b, rank }] of pairs)
      for (const [side, values, shape] of [
        ["A", a, [rank, a.length / rank]],
        ["B", b, [b.length / rank, rank]],
      ] as const) {
        const name = `${module}.lora_${side}`;
        tensors[name] = f32(state?.tensors.get(name) ?? values, shape);
        halves.push(name);
      }
    for (const [name, values] of state?.tensors ?? []) tensors[name] ??= f32(values);
    const { answer } = await engine.ask(
      "train",
      { names, pairs: [...pairs].map(([module, { scale }]) => ({ module, scale })) },
      tensors,
    );
    const dimensions = new Map(engine.opened.weights.map((weight) => [weight.name, weight.dimensions]));
    const parameters = [...names, ...halves].sort();
    const trainer = new TorchTrainer(engine, keptShape.parse(answer).kept, parameters, dimensions);
    trainer.step = state?.step ?? 0;
    return trainer;
  }

  async train(
    batch: readonly TrainingSequence[],
    settings: Omit<AdamWSettings, "step">,
    mean: LossMean = "tokens",
    rate: (name: string) => number = () => 1,
  ): Promise<{ loss: number; norm: number }> {
    this.step++;
    const updates = Object.fromEntries(
      this.parameters.map((name) => [name, { decay: decays(name, this.dimensions.get(name) ?? 2), rate: rate(name) }]),
    );
    // JSON knows no infinity.
    const maxNorm = Math.min(settings.maxNorm, Number.MAX_VALUE);
    const header = { kept: this.kept, settings: { ...settings, maxNorm, step: this.step }, updates };
    const { answer } = await this.engine.client.call("step", header, this.tensors(batch, mean));
    return stepShape.parse(answer);
  }

  async loss(batch: readonly TrainingSequence[], mean: LossMean = "tokens"): Promise<number> {
    const { answer } = await this.engine.client.call("loss", { kept: this.kept }, this.tensors(batch, mean));
    return lossShape.parse(answer).loss;
  }

  async gradientNorms(batch: readonly TrainingSequence[]): Promise<{ loss: number; norms: Record<string, number> }> {
    const header = { kept: this.kept };
    const { answer } = await this.engine.client.call("gradientNorms", header, this.tensors(batch, "sequences"));
    return normsShape.parse(answer);
  }

  async weights(): Promise<Map<string, Float32Array>> {
    return this.take(this.parameters);
  }

  async state(): Promise<TrainerState> {
    const moments = this.step > 0 ? this.parameters.flatMap((name) => [`${name}.m`, `${name}.v`]) : [];
    return { step: this.step, tensors: await this.take([...this.parameters, ...moments]) };
  }

  async dispose(): Promise<void> {
    await this.engine.client.call("drop", { kept: this.kept });
  }

  private async take(names: readonly string[]): Promise<Map<string, Float32Array>> {
    const found = new Map<string, Float32Array>();
    for (let from = 0; from < names.length; from += TENSORS_AT_ONCE) {
      const some = names.slice(from, from + TENSORS_AT_ONCE);
      const { tensors } = await this.engine.client.call("take", { kept: this.kept, names: some });
      for (const name of some) {
        const tensor = tensors[name];
        if (tensor?.dtype === "f32") found.set(name, tensor.data);
      }
    }
    return found;
  }

  private tensors(batch: readonly TrainingSequence[], mean: LossMean): Record<string, FrameTensor> {
    const ordered = chunkByLength(
      batch.map(({ ids }) => ids.length),
      Number.POSITIVE_INFINITY,
    )[0]!.map((i) => batch[i]!);
    const computed = ordered.map(({ ids }) => ids.subarray(0, -1));
    const rows = ordered.map(lossRows);
    const targets = joinInts(ordered.map(({ ids }, k) => rows[k]!.map((row) => ids[row + 1]!)));
    const weights = lossWeights(
      rows.map(({ length }) => length),
      mean,
    );
    this.engine.cost.forwardTokens += totalLength(computed);
    this.engine.cost.backwardTokens += totalLength(computed);
    return { ...packIds(computed), rows: packRows(computed, rows), targets: i32(targets), weights: f32(weights) };
  }
}
