/**
 * Training in the same engine: weights are graph inputs, their gradients outputs, AdamW runs beside the session. Which
 * weights: all of an in-memory model, or the LoRA pairs of its adapter.
 */
import type { StoredWeight } from "../../model/weights.js";
import { chunkByLength } from "../chunks.js";
import type { Program } from "../runtime.js";
import {
  type AdamWSettings,
  decays,
  type LossMean,
  lossRows,
  lossWeights,
  type Trainer,
  type TrainerState,
  type TrainingSequence,
} from "../training.js";
import { float32, int32, layoutFeeds, rowCount, type Strip } from "./layout.js";
import type { OnnxEngine } from "./onnx-engine.js";
import { trainProgram } from "./programs.js";

export class OnnxTrainer implements Trainer {
  step = 0;

  private constructor(
    private readonly engine: OnnxEngine,
    private readonly program: Program,
    /** Names of the trained weights, sorted. */
    readonly parameters: readonly string[],
    private readonly shapes: ReadonlyMap<string, readonly number[]>,
  ) {}

  /** Compiles loss and gradients for the weights that `isTrained` names, and places their values beside the session. */
  static async create(
    engine: OnnxEngine,
    isTrained: (name: string) => boolean,
    state?: TrainerState,
  ): Promise<OnnxTrainer> {
    const { graph, parameters } = trainProgram(engine.opened, isTrained);
    const program = await engine.runtime.compile(graph);
    const shapes = new Map<string, readonly number[]>();
    for (const name of parameters) {
      const stored = storedWeight(engine, name);
      shapes.set(name, stored.shape);
      await engine.runtime.put(name, float32(state?.tensors.get(name) ?? memoryValues(name, stored), stored.shape));
      for (const moment of [`${name}.m`, `${name}.v`]) {
        const values = state?.tensors.get(moment);
        if (values) await engine.runtime.put(moment, float32(values, [values.length]));
      }
    }
    const trainer = new OnnxTrainer(engine, program, parameters, shapes);
    trainer.step = state?.step ?? 0;
    return trainer;
  }

  async train(
    batch: readonly TrainingSequence[],
    settings: Omit<AdamWSettings, "step">,
    mean: LossMean = "tokens",
    rate: (name: string) => number = () => 1,
  ): Promise<{ loss: number; norm: number }> {
    const keep = Object.fromEntries(this.parameters.map((name) => [`gradient.${name}`, `${name}.gradient`]));
    const { loss } = await this.program.run(this.feeds(batch, mean), { keep });
    this.step++;
    const updates = this.parameters.map((name) => ({
      name,
      gradient: `${name}.gradient`,
      decay: decays(name, this.shapes.get(name)!.length),
      rate: rate(name),
    }));
    const norm = await this.engine.runtime.adamw(updates, { ...settings, step: this.step });
    return { loss: (loss!.data as Float32Array)[0]!, norm };
  }

  async loss(batch: readonly TrainingSequence[], mean: LossMean = "tokens"): Promise<number> {
    const { loss } = await this.program.run(this.feeds(batch, mean), { outputs: ["loss"] });
    return (loss!.data as Float32Array)[0]!;
  }

  async gradientNorms(batch: readonly TrainingSequence[]): Promise<{ loss: number; norms: Record<string, number> }> {
    const { loss, ...parts } = await this.program.run(this.feeds(batch, "sequences"));
    const norms = Object.entries(parts).map(([name, { data }]) => [
      name.replace(/^gradient\./, ""),
      Math.hypot(...(data as Float32Array)),
    ]);
    return { loss: (loss!.data as Float32Array)[0]!, norms: Object.fromEntries(norms) };
  }

  async weights(): Promise<Map<string, Float32Array>> {
    return this.take(this.parameters);
  }

  async state(): Promise<TrainerState> {
    const moments = this.step > 0 ? this.parameters.flatMap((name) => [`${name}.m`, `${name}.v`]) : [];
    return { step: this.step, tensors: await this.take([...this.parameters, ...moments]) };
  }

  async dispose(): Promise<void> {
    await this.program.release();
    await this.engine.runtime.drop(
      this.parameters.flatMap((name) => [name, `${name}.m`, `${name}.v`, `${name}.gradient`]),
    );
  }

  private async take(names: readonly string[]): Promise<Map<string, Float32Array>> {
    const tensors = await this.engine.runtime.take(names);
    return new Map(names.map((name) => [name, tensors[name]!.data as Float32Array]));
  }

  private feeds(batch: readonly TrainingSequence[], mean: LossMean) {
    // Longest first, so that the padded grid of attention is as in every other batch.
    const ordered = chunkByLength(
      batch.map(({ ids }) => ids.length),
      Number.POSITIVE_INFINITY,
    )[0]!.map((i) => batch[i]!);
    const strips: Strip[] = ordered.map((sequence) => ({
      ids: sequence.ids.subarray(0, -1),
      start: 0,
      readout: lossRows(sequence),
    }));
    const counts = strips.map(({ readout }) => readout!.length);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const targets = Int32Array.from(
      ordered.flatMap(({ ids }, k) => Array.from(strips[k]!.readout!, (row) => ids[row + 1]!)),
    );
    const weights = lossWeights(counts, mean);
    this.engine.cost.forwardTokens += rowCount(strips);
    this.engine.cost.backwardTokens += rowCount(strips);
    return {
      ...layoutFeeds(this.engine.opened.config, strips),
      targets: int32(targets, [total]),
      weights: float32(weights, [total, 1]),
      ...Object.fromEntries(this.parameters.map((name) => [name, { resident: name }])),
    };
  }
}

/** A weight of the model, or one half of an adapter's pair ("<module>.lora_A"). */
function storedWeight(engine: OnnxEngine, name: string): StoredWeight {
  const half = /^(.*)\.lora_(A|B)$/.exec(name);
  const stored = half
    ? engine.opened.adapter.get(half[1]!)?.[half[2] === "A" ? "a" : "b"]
    : engine.opened.weights.get(name);
  if (!stored) throw new Error(`no weight ${name} to train`);
  return stored;
}

function memoryValues(name: string, { values }: StoredWeight): Float32Array {
  if (!("bytes" in values)) throw new Error(`${name} is mapped from its file; only weights in memory are trained`);
  return new Float32Array(values.bytes.slice().buffer);
}
