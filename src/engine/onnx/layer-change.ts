/**
 * How much θ changes a later layer (see engine.ts), with everything cached that `cached-batches.ts` keeps and Z(0) besides. A
 * step runs blocks layer + 1 … target on the tokens from the first masked one to the last, whatever follows them; the
 * target block's queries and MLP only at masked ones.
 */
import type { Sequence } from "../../model/sequence.js";
import type { CallOptions, Evaluation, LayerChange, LayerChangeObjective } from "../engine.js";
import type { Program } from "../runtime.js";
import { type CachedBatch, type CachedBatches, cacheBatches, steerMasked } from "./cached-batches.js";
import { jacobianProgram, layerChangeProgram, streamProgram } from "./layer-change-programs.js";
import { float32, type Strip } from "./layout.js";
import type { OnnxEngine } from "./onnx-engine.js";

export class OnnxLayerChange implements LayerChangeObjective {
  /** Z(0) [masked tokens, dModel] of each batch. */
  private readonly unsteered: Float32Array[] = [];

  private constructor(
    private readonly engine: OnnxEngine,
    readonly layer: number,
    readonly measure: LayerChange,
    private readonly all: readonly Sequence[],
    private cached: CachedBatches,
  ) {}

  static async prepare(
    engine: OnnxEngine,
    sequences: readonly Sequence[],
    layer: number,
    measure: LayerChange,
    options: CallOptions,
  ): Promise<OnnxLayerChange> {
    const { targetLayer } = measure;
    const { layers } = engine.model;
    if (!(layer >= 0 && targetLayer > layer && targetLayer < layers))
      throw new RangeError(`layers ${layer} and ${targetLayer} of ${layers}: the target lies above the steered one`);
    const cached = await cacheBatches(engine, sequences, layer, targetLayer + 1, maskedStrip, options);
    const objective = new OnnxLayerChange(engine, layer, measure, sequences, cached);
    const zero = new Float32Array(engine.model.dModel);
    for (const batch of cached.batches) {
      const stream = await objective.stream(batch, zero);
      engine.requireNumbers(stream);
      objective.unsteered.push(stream);
    }
    return objective;
  }

  get sequences(): number {
    return this.all.length;
  }

  get unsteeredNorm(): number {
    let squares = 0;
    let rows = 0;
    for (const stream of this.unsteered) {
      for (const value of stream) squares += value * value;
      rows += stream.length / this.engine.model.dModel;
    }
    return Math.sqrt(squares / rows);
  }

  async evaluate(theta: Float32Array, count = 1): Promise<Evaluation> {
    const { dModel } = this.engine.model;
    const losses = new Float64Array(count);
    const gradients = new Float32Array(count * dModel);
    const { layer, measure, engine } = this;
    for (let v = 0; v < count; v++) {
      const vector = theta.slice(v * dModel, (v + 1) * dModel);
      for (const [b, batch] of this.cached.batches.entries()) {
        const key = `layer change ${layer} ${batch.past} ${JSON.stringify(measure)}`;
        const program = await engine.program(key, () => layerChangeProgram(engine.opened, layer, measure, batch.past));
        const result = await this.run(program, batch, vector, { unsteered: this.unsteered[b]! });
        engine.cost.backwardTokens += batch.rows;
        for (const loss of result.losses as Float32Array) losses[v]! += loss;
        const gradient = result.gradient as Float32Array;
        for (let i = 0; i < dModel; i++) gradients[v * dModel + i]! += gradient[i]!;
      }
    }
    return { losses, gradients };
  }

  async change(theta: Float32Array): Promise<Float32Array> {
    return this.inOrder(async (batch, b) => {
      const stream = await this.stream(batch, theta.slice());
      return stream.map((value, i) => value - this.unsteered[b]![i]!);
    });
  }

  async jacobianProduct(v: Float32Array): Promise<Float32Array> {
    const { engine, layer, measure } = this;
    const zero = new Float32Array(engine.model.dModel);
    return this.inOrder(async (batch) => {
      const program = await engine.program(`jacobian ${layer} ${measure.targetLayer} ${batch.past}`, () =>
        jacobianProgram(engine.opened, layer, measure.targetLayer, batch.past),
      );
      const { product } = await this.run(program, batch, zero, { direction: v.slice() });
      engine.cost.backwardTokens += 2 * batch.rows;
      return product as Float32Array;
    });
  }

  async dispose(): Promise<void> {
    await this.engine.runtime.drop(this.cached.resident);
    this.cached = { batches: [], resident: [] };
    this.unsteered.length = 0;
  }

  /** Z(θ) at a batch's masked tokens, [masked tokens, dModel]. */
  private async stream(batch: CachedBatch, theta: Float32Array): Promise<Float32Array> {
    const { engine, layer, measure } = this;
    const program = await engine.program(`stream ${layer} ${measure.targetLayer} ${batch.past}`, () =>
      streamProgram(engine.opened, layer, measure.targetLayer, batch.past),
    );
    return (await this.run(program, batch, theta)).stream as Float32Array;
  }

  /** Runs a program at θ; `rows` are further inputs of rows of dModel. */
  private async run(
    program: Program,
    batch: CachedBatch,
    theta: Float32Array,
    rows: Readonly<Record<string, Float32Array>> = {},
  ) {
    const { dModel } = this.engine.model;
    const inputs = Object.entries({ vectors: theta, ...rows }).map(
      ([name, data]) => [name, float32(data, [data.length / dModel, dModel])] as const,
    );
    const results = await program.run({
      ...batch.feeds,
      ...Object.fromEntries(inputs),
      steerMatrix: steerMasked(batch),
    });
    this.engine.cost.forwardTokens += batch.rows;
    return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
  }

  /** The masked rows of all batches, put into the order of the sequences. */
  private async inOrder(rowsOf: (batch: CachedBatch, b: number) => Promise<Float32Array>): Promise<Float32Array> {
    const { dModel } = this.engine.model;
    const lengths = this.all.map(({ mask }) => dModel * mask.reduce((sum, on) => sum + on, 0));
    const starts = lengths.map((_, i) => lengths.slice(0, i).reduce((sum, length) => sum + length, 0));
    const whole = new Float32Array(lengths.reduce((sum, length) => sum + length, 0));
    for (const [b, batch] of this.cached.batches.entries()) {
      const rows = await rowsOf(batch, b);
      let from = 0;
      for (const index of batch.indices) {
        whole.set(rows.subarray(from, from + lengths[index]!), starts[index]!);
        from += lengths[index]!;
      }
    }
    return whole;
  }
}

/** The prompt up to its last masked token, read at masked ones: nothing later can change what is read. */
function maskedStrip({ prompt, mask }: Sequence): Strip {
  return {
    ids: prompt.subarray(0, mask.lastIndexOf(1) + 1),
    start: 0,
    readout: Int32Array.from(prompt.keys()).filter((t) => mask[t] === 1),
  };
}
