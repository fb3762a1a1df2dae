/** The cross-entropy of the action under θ (see engine.ts), evaluated in the PyTorch process. */
import type { Sequence } from "../../model/sequence.js";
import type { CallOptions, Evaluation, SteeringObjective } from "../engine.js";
import { actionRows, doubles, f32, floats, i32, joinInts, teacherForced } from "./packing.js";
import { dropBatches, type PreparedBatch, prepareBatches, vectorsAtOnce } from "./prepared-batches.js";
import type { TorchEngine } from "./torch-engine.js";

export class TorchObjective implements SteeringObjective {
  private constructor(
    private readonly engine: TorchEngine,
    readonly layer: number,
    readonly sequences: number,
    private batches: PreparedBatch[],
  ) {}

  static async prepare(
    engine: TorchEngine,
    sequences: readonly Sequence[],
    layer: number,
    options: CallOptions,
  ): Promise<TorchObjective> {
    const batches = await prepareBatches(
      engine,
      sequences,
      (sequence) => ({ ids: teacherForced(sequence), readout: actionRows(sequence) }),
      {
        op: "objective",
        layer,
        blocks: engine.model.layers - layer - 1,
        tensors: (batch) => ({ targets: i32(joinInts(batch.map(({ action }) => action))) }),
      },
      options,
    );
    return new TorchObjective(engine, layer, sequences.length, batches);
  }

  async evaluate(theta: Float32Array, count = 1): Promise<Evaluation> {
    return evaluateBatches(this.engine, this.batches, theta, count, this.engine.model.layers - this.layer - 1, {
      sequences: this.sequences,
    });
  }

  async attribute(): Promise<{ losses: Float64Array; gradients: Float32Array }> {
    const { dModel } = this.engine.model;
    const losses = new Float64Array(this.sequences);
    const gradients = new Float32Array(this.sequences * dModel);
    for (const { kept, indices, tokens } of this.batches) {
      const { tensors } = await this.engine.client.call("attribute", { kept });
      countStep(this.engine, tokens);
      const batchLosses = doubles(tensors, "losses", indices.length);
      const batchGradients = floats(tensors, "gradients", indices.length * dModel);
      indices.forEach((index, k) => {
        losses[index] = batchLosses[k]!;
        gradients.set(batchGradients.subarray(k * dModel, (k + 1) * dModel), index * dModel);
      });
    }
    return { losses, gradients };
  }

  async dispose(): Promise<void> {
    await dropBatches(this.engine, this.batches);
    this.batches = [];
  }
}

/** Losses and gradients of `count` vectors, added up over the batches; as many vectors at once as fit. */
export async function evaluateBatches(
  engine: TorchEngine,
  batches: readonly PreparedBatch[],
  theta: Float32Array,
  count: number,
  blocks: number,
  header: Readonly<Record<string, unknown>> = {},
): Promise<Evaluation> {
  const { dModel } = engine.model;
  const losses = new Float64Array(count);
  const gradients = new Float32Array(count * dModel);
  for (const batch of batches) {
    const atOnce = vectorsAtOnce(engine, batch, blocks);
    for (let from = 0; from < count; from += atOnce) {
      const some = Math.min(atOnce, count - from);
      const vectors = theta.subarray(from * dModel, (from + some) * dModel);
      const { tensors } = await engine.client.call(
        "evaluate",
        { ...header, kept: batch.kept },
        { theta: f32(vectors, [some, dModel]) },
      );
      countStep(engine, some * batch.tokens);
      const parts = doubles(tensors, "losses", some);
      for (let v = 0; v < some; v++) losses[from + v]! += parts[v]!;
      const slopes = floats(tensors, "gradients", some * dModel);
      for (let i = 0; i < slopes.length; i++) gradients[from * dModel + i]! += slopes[i]!;
    }
  }
  return { losses, gradients };
}

function countStep(engine: TorchEngine, tokens: number): void {
  engine.cost.forwardTokens += tokens;
  engine.cost.backwardTokens += tokens;
}
