import { afterAll, describe, expect, it } from "vitest";
import type { Engine } from "../engine/engine.js";
import { memoryFolder, memorySource } from "../formats/memory-source.js";
import { Random } from "../random/random.js";
import { nthLargest, selectLargest } from "./batch-topk.js";
import { loadSaeLens, writeSaeLens } from "./loaders/saelens.js";
import { streamedRows } from "./row-stream.js";
import { testRuntime } from "./runtime.testing.js";
import { SAE_ARCHITECTURES, trainSae } from "./training.js";
import { reconstructionGradients } from "./training-gradients.js";
import {
  readTrainingState,
  type TrainingParameters,
  type TrainingState,
  writeTrainingState,
} from "./training-state.js";

const runtime = testRuntime();
afterAll(() => runtime.close());

/** Rows that are sparse sums of `features` random unit directions plus a constant and a little noise. */
function sparseRows(n: number, d: number, features: number, active: number): Float32Array {
  const random = new Random(1);
  const directions = Float32Array.from({ length: features * d }, () => random.normal() / Math.sqrt(d));
  const rows = new Float32Array(n * d);
  for (let r = 0; r < n; r++) {
    for (let i = 0; i < d; i++) rows[r * d + i] = 0.5 + 0.01 * random.normal();
    for (let k = 0; k < active; k++) {
      const feature = random.integer(features);
      const size = 2 + random.uniform();
      for (let i = 0; i < d; i++) rows[r * d + i] = rows[r * d + i]! + size * directions[feature * d + i]!;
    }
  }
  return rows;
}

describe("training an SAE", () => {
  const rows = sparseRows(6000, 24, 40, 3);
  const run = {
    rows,
    dModel: 24,
    runtime,
    describe: { name: "toy", layer: 1 },
    options: { latents: 64, k: 3, batch: 256, steps: 600, learningRate: 3e-3, seed: 7 },
  };

  it("explains sparse data, keeps k latents a row and unit decoder rows, and saves in SAELens' format", async () => {
    const { weights, quality, log } = await trainSae(run);
    expect(quality.explainedVariance).toBeGreaterThan(0.9);
    expect(quality.l0).toBeGreaterThan(2.5);
    expect(quality.l0).toBeLessThan(3.5);
    expect(log).toHaveLength(600);
    for (let j = 0; j < 64; j++) expect(Math.hypot(...weights.decoder.subarray(j * 24, j * 24 + 24))).toBeCloseTo(1, 5);
    const files = writeSaeLens(weights, { modelName: "toy", hook: weights.info.hook! });
    const folder = memoryFolder("toy", Object.fromEntries(files.map((file) => [file.name, file.bytes])));
    expect(await loadSaeLens(folder, "toy")).toEqual(weights);
  });

  it("learns a threshold for each latent with JumpReLU, and comes out near k", async () => {
    const { weights, quality } = await trainSae({ ...run, options: { ...run.options, architecture: "jumprelu" } });
    expect(quality.explainedVariance).toBeGreaterThan(0.88);
    expect(quality.l0).toBeGreaterThan(2.7);
    expect(quality.l0).toBeLessThan(3.3);
    expect(quality.dead).toBeLessThan(8);
    expect(new Set((weights.activation as { threshold: Float32Array }).threshold).size).toBeGreaterThan(32);
    const files = writeSaeLens(weights, { modelName: "toy", hook: weights.info.hook! });
    const folder = memoryFolder("toy", Object.fromEntries(files.map((file) => [file.name, file.bytes])));
    expect(await loadSaeLens(folder, "toy")).toEqual(weights);
  });

  it.each(SAE_ARCHITECTURES)("continues from a checkpoint to exactly the same SAE: %s", async (architecture) => {
    const short = { ...run, options: { ...run.options, steps: 300, architecture } };
    const saved = new Map<number, Uint8Array>();
    const whole = await trainSae({
      ...short,
      checkpointSeconds: 0,
      onCheckpoint: (state: TrainingState) => {
        if ([100, 250].includes(state.step)) saved.set(state.step, writeTrainingState(state));
      },
    });
    for (const [step, bytes] of saved) {
      const resume = await readTrainingState(memorySource("checkpoint", bytes), 24, 64);
      const resumed = await trainSae({ ...short, resume });
      expect(resumed.weights).toEqual(whole.weights);
      expect(resumed.log).toHaveLength(300 - step);
    }
    expect(saved.size).toBe(2);
  });

  it("trains on rows that are computed as it goes, and continues exactly, from the middle of a part too", async () => {
    // Prompts of ten tokens each, whose rows are those of the data.
    const sequences = Array.from({ length: 600 }, (_, i) => ({
      prompt: Int32Array.from({ length: 10 }, (_, t) => 10 * i + t),
      mask: new Uint8Array(10).fill(1),
      action: new Int32Array(0),
    }));
    const engine = {
      model: { dModel: 24 },
      residuals: async (some: typeof sequences) =>
        some.map(({ prompt }) => ({
          tokens: Int32Array.from(prompt.keys()),
          values: rows.slice(24 * prompt[0]!, 24 * (prompt[0]! + 10)),
        })),
    } as unknown as Engine;
    const source = () => streamedRows(engine, sequences, 1, { buffer: 1000, seed: 7 });
    const streamed = { ...run, options: { ...run.options, steps: 300 } };
    const saved: Uint8Array[] = [];
    const whole = await trainSae({
      ...streamed,
      rows: source(),
      checkpointSeconds: 0,
      onCheckpoint: (state: TrainingState) => {
        if ([3, 200].includes(state.step)) saved.push(writeTrainingState(state));
      },
    });
    expect(whole.quality.rows).toBe(6000);
    expect(whole.quality.explainedVariance).toBeGreaterThan(0.7);
    for (const bytes of saved) {
      const resume = await readTrainingState(memorySource("checkpoint", bytes), 24, 64);
      const resumed = await trainSae({ ...streamed, rows: source(), resume });
      expect(resumed.weights).toEqual(whole.weights);
      expect(resumed.quality).toEqual(whole.quality);
    }
  });

  it("refuses too few rows", async () => {
    await expect(trainSae({ ...run, rows: rows.slice(0, 24 * 100) })).rejects.toThrow(
      "100 activation rows are too few",
    );
  });
});

describe("gradients of the reconstruction", () => {
  it("agree with finite differences for a fixed selection", () => {
    const [d, m, B] = [5, 7, 3];
    const random = new Random(3);
    const array = (length: number) => Float32Array.from({ length }, () => random.normal());
    const parameters = { encoder: array(m * d), encoderBias: array(m), decoder: array(m * d), decoderBias: array(d) };
    const rows = array(B * d);
    const active = [[0, 2], [1, 2, 6], [4]];
    const select = (p: TrainingParameters) => {
      const x = rows.map((value, i) => value - p.decoderBias[i % d]!);
      const values = active.flatMap((ids, r) =>
        ids.map((j) => {
          let sum = p.encoderBias[j]!;
          for (let i = 0; i < d; i++) sum += x[r * d + i]! * p.encoder[j * d + i]!;
          return sum;
        }),
      );
      return {
        x,
        values: Float32Array.from(values),
        ids: Int32Array.from(active.flat()),
        rowStart: Int32Array.of(0, 2, 5, 6),
        threshold: 0,
      };
    };
    const loss = (p: TrainingParameters) => {
      const { x, ...selection } = select(p);
      const error = reconstructionGradients(x, selection, p, zeros(), d);
      return error.reduce((sum, e) => sum + e * e, 0) / B;
    };
    const zeros = () => ({
      encoder: new Float32Array(m * d),
      encoderBias: new Float32Array(m),
      decoder: new Float32Array(m * d),
      decoderBias: new Float32Array(d),
    });
    const gradients = zeros();
    const { x, ...selection } = select(parameters);
    reconstructionGradients(x, selection, parameters, gradients, d);
    const h = 1e-2;
    for (const name of ["encoder", "encoderBias", "decoder", "decoderBias"] as const) {
      for (let i = 0; i < parameters[name].length; i++) {
        const shifted = (by: number) => ({
          ...parameters,
          [name]: parameters[name].map((value, at) => (at === i ? value + by : value)),
        });
        const numeric = (loss(shifted(h)) - loss(shifted(-h))) / (2 * h);
        expect(gradients[name][i], `${name} ${i}`).toBeCloseTo(numeric, 1);
      }
    }
  });
});

describe("batch selection", () => {
  it("takes the largest positive entries of the whole batch, whatever the guess", () => {
    const dense = Float32Array.from([5, 0, 1, 3, -2, 4, 3, 0.5]);
    for (const guess of [0, 1, 100]) {
      const { rowStart, ids, values, threshold } = selectLargest(dense, 2, 3, guess);
      expect([...rowStart]).toEqual([0, 2, 3]);
      expect([...ids]).toEqual([0, 3, 1]);
      expect([...values]).toEqual([5, 3, 4]);
      expect(threshold).toBe(3);
    }
    expect(selectLargest(new Float32Array(4), 2, 3).ids).toHaveLength(0);
    expect([...selectLargest(Float32Array.of(1, -1), 1, 5).values]).toEqual([1]);
  });

  it("finds the n-th largest as sorting does", () => {
    const random = new Random(9);
    const values = Float32Array.from({ length: 200 }, () => Math.round(random.normal() * 5) + 0);
    const sorted = values.slice().sort().reverse();
    for (let n = 1; n <= 200; n++) expect(nthLargest(values.slice(), n)).toBe(sorted[n - 1]);
  });
});
