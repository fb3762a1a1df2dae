import { describe, expect, it } from "vitest";
import { InputError } from "../../formats/input-error.js";
import { readRope } from "../rope-scalings.js";
import { type Llama3Scaling, llama3Scaling } from "./rope-freqs.js";

/** What llama.cpp's converter writes: frequencies without scaling divided by those with it. */
function divisorsOf(scaling: Llama3Scaling, theta: number, headDim: number): Float32Array {
  const scaled = frequencies(scaling, theta, headDim);
  return Float32Array.from(frequencies(null, theta, headDim), (frequency, i) => frequency / scaled[i]!);
}

function frequencies(scaling: Llama3Scaling | null, theta: number, headDim: number): readonly number[] {
  const options = { theta, headDim, rotated: 1, context: 131_072, file: "config.json" };
  return readRope({ ...scaling }, options).frequencies;
}

const scaling = (factor: number, low: number, high: number, original: number): Llama3Scaling => ({
  rope_type: "llama3",
  factor,
  low_freq_factor: low,
  high_freq_factor: high,
  original_max_position_embeddings: original,
});

describe("llama3Scaling", () => {
  it.each([
    ["Llama 3.1 8B", scaling(8, 1, 4, 8192), 128],
    ["Llama 3.2 1B", scaling(32, 1, 4, 8192), 64],
    ["a head of 16", scaling(8, 1, 4, 8192), 16],
  ])("gives back the parameters of %s", (_, given, headDim) => {
    expect(llama3Scaling(divisorsOf(given, 5e5, headDim), 5e5, "m.gguf")).toEqual(given);
  });

  it.each([
    [scaling(3, 0.5, 7, 1000), 1e4, 64],
    [scaling(5, 2, 3, 300), 1e4, 16],
    [scaling(2, 1, 1.001, 777), 1e4, 8],
    [scaling(2, 1, 4, 6), 1e4, 4],
    [scaling(4, 1, 2, 1), 1e4, 4],
  ])("finds parameters that make the same frequencies as %o", (given, theta, headDim) => {
    const found = llama3Scaling(divisorsOf(given, theta, headDim), theta, "m.gguf");
    const [got, want] = [frequencies(found, theta, headDim), frequencies(given, theta, headDim)];
    want.forEach((frequency, i) => expect(Math.abs(got[i]! / frequency - 1)).toBeLessThan(1e-5));
  });

  it("sees that nothing is divided", () =>
    expect(llama3Scaling(new Float32Array(8).fill(1), 1e4, "m.gguf")).toBeNull());

  it.each([[[1, 8, 1, 8]], [[1, 2, 3, 5]], [[0, 1, 1, 8]], [[-1, -1, -1, -1]], [[1, 1, Number.NaN, 8]]])(
    "refuses %o",
    (divisors) => expect(() => llama3Scaling(Float32Array.from(divisors), 1e4, "m.gguf")).toThrow(InputError),
  );
});
