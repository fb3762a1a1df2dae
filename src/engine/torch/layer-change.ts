/** How much θ changes a later layer (see engine.ts), evaluated in the PyTorch process. */
import type { Sequence } from "../../model/sequence.js";
import type { CallOptions, Evaluation, LayerChange, LayerChangeObjective } from "../engine.js";
import { evaluateBatches } from "./objective.js";
import { f32, floats } from "./packing.js";
import { dropBatches, type PreparedBatch, prepareBatches, type Strip } from "./prepared-batches.js";
import type { TorchEngine } from "./torch-engine.js";

export class TorchLayerChange implements LayerChangeObjective {
  private constructor(
    private readonly engine: TorchEngine,
    readonly layer: number,
    readonly measure: LayerChange,
    private readonly all: readonly Sequence[],
    private batches: PreparedBatch[],
    readonly unsteeredNorm: number,
  ) {}

  static async prepare(
    engine: TorchEngine,
    sequences: readonly Sequence[],
    layer: number,
    measure: LayerChange,
    options: CallOptions,
  ): Promise<TorchLayerChange> {
    const { targetLayer: target, p, q, norm } = measure;
    const { layers } = engine.model;
    if (!(layer >= 0 && target > layer && target < layers))
      throw new RangeError(`layers ${layer} and ${target} of ${layers}: the target lies above the steered one`);
    const request = { op: "layerChange", layer, blocks: target - layer, header: { target, p, q, norm } };
    const batches = await prepareBatches(engine, sequences, maskedStrip, request, options);
    const squares = batches.reduce((sum, batch) => sum + batch.squares, 0);
    const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
    engine.requireNumbers(Float64Array.of(squares));
    return new TorchLayerChange(engine, layer, measure, sequences, batches, Math.sqrt(squares / rows));
  }

  get sequences(): number {
    return this.all.length;
  }

  async evaluate(theta: Float32Array, count = 1): Promise<Evaluation> {
    return evaluateBatches(this.engine, this.batches, theta, count, this.measure.targetLayer - this.layer);
  }

  async change(theta: Float32Array): Promise<Float32Array> {
    return this.inOrder("change", theta, 0);
  }

  async jacobianProduct(v: Float32Array): Promise<Float32Array> {
    return this.inOrder("jacobian", v, 2);
  }

  async dispose(): Promise<void> {
    await dropBatches(this.engine, this.batches);
    this.batches = [];
  }

  /** The masked rows of all batches, put into the order of the sequences. */
  private async inOrder(op: string, vector: Float32Array, backwardPasses: number): Promise<Float32Array> {
    const { dModel } = this.engine.model;
    const lengths = this.all.map(({ mask }) => dModel * mask.reduce((sum, on) => sum + on, 0));
    const starts: number[] = [];
    let total = 0;
    for (const length of lengths) {
      starts.push(total);
      total += length;
    }
    const whole = new Float32Array(total);
    for (const { kept, indices, rows, tokens } of this.batches) {
      const { tensors } = await this.engine.client.call(op, { kept }, { theta: f32(vector, [1, dModel]) });
      this.engine.cost.forwardTokens += tokens;
      this.engine.cost.backwardTokens += backwardPasses * tokens;
      const values = floats(tensors, "rows", rows * dModel);
      let from = 0;
      for (const index of indices) {
        whole.set(values.subarray(from, from + lengths[index]!), starts[index]!);
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
    readout: Int32Array.from(prompt.keys()).filter((t) => mask[t] === 1),
  };
}
