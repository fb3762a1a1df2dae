/**
 * How well an SAE keeps what a model computes with, on a text that it was not trained on: reconstruction, sparsity, and what the
 * model itself loses when it goes on from the reconstruction.
 *
 *   CE(r) = mean over the tokens t that the SAE reads of −log p(token t + 1 | tokens 0 … t), nats, where the rows r stand in
 *           for the residual stream after the layer at all those tokens
 *   loss recovered = 1 − (CE(x̂) − CE(x)) / (CE(ablated) − CE(x))
 *
 * 1 where the reconstruction costs nothing, 0 where it is no better than what it is compared with: zeros, as SAELens
 * (`ce_loss_score` in its evals) and most published numbers have it, and the mean row of the text. Which of them is harder to
 * beat depends on the model, so both are given.
 *
 * 1. The mean of the rows.
 * 2. Batch by batch: rows, latents, reconstruction; then the text four times: as it is, from x̂, from zeros, from the mean.
 */
import type { CallOptions, Engine, Residual } from "../engine/engine.js";
import type { Sequence } from "../model/sequence.js";
import type { SaeQuality } from "./quality.js";
import { joinedRows, rowBatches } from "./readings.js";
import type { Sae, SparseLatents } from "./sae.js";

/** What stands in the residual stream. */
const STREAMS = ["original", "reconstructed", "zero", "mean"] as const;
type Stream = (typeof STREAMS)[number];

export interface ModelQuality extends SaeQuality {
  /** Tokens that are predicted from a row that the SAE reads. */
  readonly tokens: number;
  /** CE with each stream, nats a token; null where nothing is predicted. */
  readonly loss: Readonly<Record<Stream, number>> | null;
  /** Against zeros; null where zeros do no harm. */
  readonly lossRecovered: number | null;
  /** Against the mean row. */
  readonly lossRecoveredFromMean: number | null;
}

/** Measures `sae` at the masked tokens of `sequences`, of which there must be some. */
export async function modelQuality(
  engine: Engine,
  sae: Sae,
  sequences: readonly Sequence[],
  layer: number,
  { onProgress, signal }: CallOptions = {},
): Promise<ModelQuality> {
  const calls = signal ? { signal } : {};
  const { dModel: d, latents: m } = sae.info;
  const batches = rowBatches(sequences);
  const steps = 2 * batches.length;
  let done = 0;
  const step = () => onProgress?.(++done, steps);

  let rows = 0;
  const mean = new Float64Array(d);
  for (const { from, to } of batches) {
    for (const { values } of await engine.residuals(sequences.slice(from, to), layer, calls)) {
      for (let at = 0; at < values.length; at++) mean[at % d] = mean[at % d]! + values[at]!;
      rows += values.length / d;
    }
    step();
  }
  for (let i = 0; i < d; i++) mean[i] = mean[i]! / rows;

  const reconstruction = new Reconstruction(mean, m);
  const losses = { original: 0, reconstructed: 0, zero: 0, mean: 0 };
  let tokens = 0;
  for (const { from, to } of batches) {
    const some = sequences.slice(from, to);
    const residuals = await engine.residuals(some, layer, calls);
    const x = joinedRows(residuals, d);
    const { latents, rows: back } = await sae.reconstruct(x);
    reconstruction.add(x, back, latents);
    const replacements: Record<Exclude<Stream, "original">, Residual[]> = {
      reconstructed: inPlaceOf(residuals, (values, at) => values.set(back.subarray(at, at + values.length))),
      zero: inPlaceOf(residuals, () => {}),
      mean: inPlaceOf(residuals, (values) => {
        for (let at = 0; at < values.length; at += d) values.set(mean, at);
      }),
    };
    for (const stream of STREAMS) {
      const splice = stream === "original" ? undefined : { layer, rows: replacements[stream] };
      const logprobs = await engine.textLogprobs(some, { ...calls, ...(splice ? { splice } : {}) });
      losses[stream] -= readSum(some, logprobs);
    }
    for (const { mask } of some) for (let t = 0; t + 1 < mask.length; t++) tokens += mask[t]!;
    step();
  }
  const { original, reconstructed, zero, mean: ofMean } = losses;
  const recovered = (ablated: number) =>
    ablated > original ? 1 - (reconstructed - original) / (ablated - original) : null;
  return {
    ...reconstruction.quality(rows),
    tokens,
    loss:
      tokens === 0
        ? null
        : {
            original: original / tokens,
            reconstructed: reconstructed / tokens,
            zero: zero / tokens,
            mean: ofMean / tokens,
          },
    lossRecovered: recovered(zero),
    lossRecoveredFromMean: recovered(ofMean),
  };
}

/** Sums over batches of what `SaeQuality` says. */
class Reconstruction {
  readonly #fired: Uint8Array;
  #error = 0;
  #variance = 0;
  #active = 0;

  constructor(
    private readonly mean: Float64Array,
    latents: number,
  ) {
    this.#fired = new Uint8Array(latents);
  }

  add(x: Float32Array, back: Float32Array, { ids }: SparseLatents): void {
    const d = this.mean.length;
    for (let at = 0; at < x.length; at++) {
      this.#error += (x[at]! - back[at]!) ** 2;
      this.#variance += (x[at]! - this.mean[at % d]!) ** 2;
    }
    for (const id of ids) this.#fired[id] = 1;
    this.#active += ids.length;
  }

  quality(rows: number): SaeQuality {
    const dead = this.#fired.reduce((count, bit) => count + 1 - bit, 0);
    return { explainedVariance: 1 - this.#error / this.#variance, l0: this.#active / rows, dead, rows };
  }
}

/** Rows at the same tokens, zeros until `fill` puts its own there; `at` is where they begin in the rows of all. */
function inPlaceOf(residuals: readonly Residual[], fill: (values: Float32Array, at: number) => void): Residual[] {
  let at = 0;
  return residuals.map(({ tokens, values }) => {
    const made = new Float32Array(values.length);
    fill(made, at);
    at += values.length;
    return { tokens, values: made };
  });
}

/** Σ log p of the tokens that come after a masked one. */
function readSum(sequences: readonly Sequence[], logprobs: readonly Float32Array[]): number {
  let sum = 0;
  sequences.forEach(({ mask }, i) => {
    logprobs[i]!.forEach((logprob, t) => {
      if (mask[t] === 1) sum += logprob;
    });
  });
  return sum;
}
