import { describe, expect, it } from "vitest";
import type { Reading } from "../prompts/reading.js";
import { detect, hypothesisKey, makePart, normalise, partScore, presence } from "./detector.js";

const reading: Reading = {
  ids: Int32Array.from([2, 5, 9]),
  values: Float32Array.from([1, 6, 3]),
  tokens: Int32Array.from([4, 5, 6]),
};
const maxima = { 2: 4, 5: 8, 7: 3, 9: 2 };

describe("a part", () => {
  it("scores its strongest latent, each divided by its own maximum", () => {
    expect(presence(reading, makePart([2, 5]), maxima)).toBe(0.75);
    expect(presence(reading, makePart([2]), maxima)).toBe(0.25);
    expect(presence(reading, makePart([7]), maxima)).toBe(0);
  });

  it("counts 1 − score when negated, and ignores latents without a maximum", () => {
    expect(partScore(reading, makePart([5], true), maxima)).toBe(0.25);
    expect(partScore(reading, makePart([9], true), maxima)).toBe(-0.5);
    expect(presence(reading, makePart([5]), {})).toBe(0);
  });
});

describe("a hypothesis", () => {
  it("combines its parts by the minimum, alternatives by the maximum", () => {
    const parts = [makePart([2]), makePart([5])];
    expect(detect(reading, { parts, combination: "all" }, maxima)).toBe(0.25);
    expect(detect(reading, { parts, combination: "any" }, maxima)).toBe(0.75);
  });

  it("has one written form, whatever the order of parts and latents", () => {
    const one = normalise([makePart([5, 2]), makePart([7], true)]);
    const two = normalise([makePart([7], true), makePart([2, 5, 5])]);
    expect(hypothesisKey(one)).toBe(hypothesisKey(two));
    expect(one.combination).toBe("all");
    expect(normalise([makePart([2]), makePart([2])]).combination).toBe("single");
  });
});
