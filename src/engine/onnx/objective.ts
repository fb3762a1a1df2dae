/**
 * The cross-entropy of the action under θ (see engine.ts). Beyond what `cached-batches.ts` keeps, a step computes blocks
 * layer + 1 … on the tokens from the first steered one on, forward and backward, with logits only where the action is.
 */
import type { Sequence } from "../../model/sequence.js";
import type { CallOptions, Evaluation, SteeringObjective } from "../engine.js";
import type { Feeds } from "../runtime.js";
import { type CachedBatch, type CachedBatches, cacheBatches, steerMasked, steerMatrix } from "./cached-batches.js";
import { float32, int32, joinActions, teacherForced } from "./layout.js";
import type { OnnxEngine } from "./onnx-engine.js";
import { objectiveProgram } from "./programs.js";

export class OnnxObjective implements SteeringObjective {
  private constructor(
    private readonly engine: OnnxEngine,
    readonly layer: number,
    readonly sequences: number,
    private cached: CachedBatches,
  ) {}

  static async prepare(
    engine: OnnxEngine,
    sequences: readonly Sequence[],
    layer: number,
    options: CallOptions,
  ): Promise<OnnxObjective> {
    const cached = await cacheBatches(engine, sequences, layer, engine.model.layers, teacherForced, options);
    return new OnnxObjective(engine, layer, sequences.length, cached);
  }

  async evaluate(theta: Float32Array, count = 1): Promise<Evaluation> {
    const { dModel } = this.engine.model;
    const losses = new Float64Array(count);
    const gradients = new Float32Array(count * dModel);
    for (let v = 0; v < count; v++) {
      const vector = theta.slice(v * dModel, (v + 1) * dModel);
      for (const batch of this.cached.batches) {
        const { logprobs, gradient } = await this.run(
          batch,
          steerMasked(batch),
          vector,
          1,
          (action) => 1 / (this.sequences * action),
        );
        losses[v]! += weightedLoss(batch, logprobs).reduce((sum, loss) => sum + loss, 0) / this.sequences;
        for (let i = 0; i < dModel; i++) gradients[v * dModel + i]! += gradient[i]!;
      }
    }
    return { losses, gradients };
  }

  async attribute(): Promise<{ losses: Float64Array; gradients: Float32Array }> {
    const { dModel } = this.engine.model;
    const losses = new Float64Array(this.sequences);
    const gradients = new Float32Array(this.sequences * dModel);
    for (const batch of this.cached.batches) {
      const count = batch.indices.length;
      const users = batch.sequences.map(({ mask }) => mask.reduce((sum, on) => sum + on, 0));
      const matrix = steerMatrix(batch, count, (k, t) => (batch.sequences[k]!.mask[t] ? [k, 1 / users[k]!] : null));
      const vectors = new Float32Array(count * dModel);
      const { logprobs, gradient } = await this.run(batch, matrix, vectors, count, (action) => 1 / action);
      const batchLosses = weightedLoss(batch, logprobs);
      batch.indices.forEach((index, k) => {
        losses[index] = batchLosses[k]!;
        gradients.set(gradient.subarray(k * dModel, (k + 1) * dModel), index * dModel);
      });
    }
    return { losses, gradients };
  }

  async dispose(): Promise<void> {
    await this.engine.runtime.drop(this.cached.resident);
    this.cached = { batches: [], resident: [] };
  }

  private async run(
    batch: CachedBatch,
    matrix: Feeds[string],
    vectors: Float32Array,
    count: number,
    weight: (actionTokens: number) => number,
  ) {
    const { engine, layer } = this;
    const weights = Float32Array.from(
      batch.sequences.flatMap(({ action }) => Array.from(action, () => weight(action.length))),
    );
    const targets = joinActions(batch.sequences);
    const program = await engine.program(`objective ${layer} ${batch.past}`, () =>
      objectiveProgram(engine.opened, layer, batch.past),
    );
    const { logprobs, gradient } = await program.run({
      ...batch.feeds,
      targets: int32(targets, [targets.length]),
      steerMatrix: matrix,
      vectors: float32(vectors, [count, engine.model.dModel]),
      weights: float32(weights, [weights.length, 1]),
    });
    engine.cost.forwardTokens += batch.rows;
    engine.cost.backwardTokens += batch.rows;
    return { logprobs: logprobs!.data as Float32Array, gradient: gradient!.data as Float32Array };
  }
}

/** Each sequence's mean of −log p over its action tokens. */
function weightedLoss({ sequences }: CachedBatch, logprobs: Float32Array): number[] {
  let at = 0;
  return sequences.map(({ action }) => {
    const part = logprobs.subarray(at, at + action.length);
    at += action.length;
    return -part.reduce((sum, value) => sum + value, 0) / action.length;
  });
}
