/** JumpReLU training against PyTorch with SAELens' estimators: test/goldens/jump_relu.py. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { JumpRelu } from "./jump-relu.js";
import { reconstructionGradients } from "./training-gradients.js";
import { parameterEntries, type TrainingParameters } from "./training-state.js";

type Arrays = Record<"encoder" | "encoderBias" | "decoder" | "decoderBias" | "logThreshold", number[]>;
const golden = JSON.parse(
  readFileSync(new URL("../../test/goldens/jump-relu.json", import.meta.url), "utf8"),
) as Arrays & {
  d: number;
  k: number;
  weight: number;
  bandwidth: number;
  rows: number[];
  preactivations: number[];
  latents: number[];
  gradients: Arrays;
};
const { d, k, weight, bandwidth } = golden;
const B = golden.rows.length / d;
const m = golden.latents.length / B;

const arrays = (make: (values: number[]) => Float32Array): Required<TrainingParameters> => ({
  encoder: make(golden.encoder),
  encoderBias: make(golden.encoderBias),
  decoder: make(golden.decoder),
  decoderBias: make(golden.decoderBias),
  logThreshold: make(golden.logThreshold),
});

describe("JumpReLU in training", () => {
  const p = Float32Array.from(golden.preactivations);
  const parameters = arrays((values) => Float32Array.from(values));

  it("activates what is above its latent's threshold", () => {
    const { rowStart, ids, values } = new JumpRelu(parameters, { k, steps: 1 }, { weight, bandwidth }).select(p, B, 0);
    const dense = new Float32Array(B * m);
    for (let r = 0; r < B; r++)
      for (let at = rowStart[r]!; at < rowStart[r + 1]!; at++) dense[r * m + ids[at]!] = values[at]!;
    expect(dense).toEqual(Float32Array.from(golden.latents));
  });

  it("has the gradients of PyTorch, thresholds and penalty included", () => {
    const jump = new JumpRelu(parameters, { k, steps: 1 }, { weight, bandwidth });
    const gradients = arrays((values) => new Float32Array(values.length));
    const x = Float32Array.from(golden.rows, (value, i) => value - golden.decoderBias[i % d]!);
    const error = reconstructionGradients(x, jump.select(p, B, 0), parameters, gradients, d);
    jump.addGradients(error, gradients, 0);
    for (const [name, values] of parameterEntries(gradients))
      values.forEach((value, i) => expect(value, `${name} ${i}`).toBeCloseTo(golden.gradients[name][i]!, 4));
  });

  it("raises the penalty's weight over a tenth of the steps, once latents have thresholds of their own", () => {
    const pushes = [49, 50, 54, 59, 90].map((step) => {
      const own = arrays((values) => Float32Array.from(values));
      const jump = new JumpRelu(own, { k, steps: 100 }, { weight, bandwidth });
      const gradients = arrays((values) => new Float32Array(values.length));
      jump.select(p, B, step);
      jump.addGradients(new Float32Array(B * d), gradients, step);
      return Math.hypot(...gradients.logThreshold);
    });
    expect(pushes[0]).toBe(0);
    expect(pushes[1]! / pushes[3]!).toBeCloseTo(0.1, 5);
    expect(pushes[2]! / pushes[3]!).toBeCloseTo(0.5, 5);
    expect(pushes[4]).toBe(pushes[3]);
  });

  it("first activates k latents a row, and brings the common threshold to where that cuts", () => {
    const own = arrays((values) => Float32Array.from(values));
    const jump = new JumpRelu(own, { k, steps: 200 }, { weight, bandwidth: 0.1 });
    const values = Array.from({ length: 100 }, (_, step) => jump.select(p, B, step).values);
    for (const some of values) expect(some).toHaveLength(k * B);
    for (const theta of jump.thresholds()) expect(theta).toBeCloseTo(Math.min(...values[0]!), 3);
  });
});
