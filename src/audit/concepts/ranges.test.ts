import { describe, expect, it } from "vitest";
import { makePart } from "./detector.js";
import { prominence, rangeOf, shareOf } from "./ranges.js";

const reading = (entries: Readonly<Record<number, number>>) => ({
  ids: Int32Array.from(Object.keys(entries), Number),
  values: Float32Array.from(Object.values(entries)),
  tokens: new Int32Array(Object.keys(entries).length),
});

describe("ranges", () => {
  it("run from the faintest firing to the strongest, over all prompts read", () => {
    const corpus = { minimum: Float32Array.of(2, 0, 4), maximum: Float32Array.of(5, 0, 4) };
    const scan = { minimum: Float32Array.of(3, 1, 0), maximum: Float32Array.of(8, 3, 0) };
    expect(rangeOf(0, [corpus, scan])).toEqual({ floor: 2, maximum: 8 });
    expect(rangeOf(1, [corpus, scan])).toEqual({ floor: 1, maximum: 3 });
    expect(rangeOf(1, [corpus])).toBeUndefined();
  });

  it("keep firings of a latent that was only seen at its strongest", () => {
    const range = rangeOf(2, [{ minimum: Float32Array.of(0, 0, 4), maximum: Float32Array.of(0, 0, 4) }]);
    expect(range).toEqual({ floor: 2, maximum: 4 });
    expect(shareOf(range!, 4)).toBe(1);
  });

  it("tell noise at a threshold from a concept", () => {
    // A threshold at 40 % of the maximum: firing at 0.45 is nothing, firing at 0.85 is clear.
    const ranges = { 3: { floor: 0.4, maximum: 1 }, 5: { floor: 0, maximum: 2 } };
    expect(prominence(reading({ 3: 0.45 }), makePart([3]), ranges)).toBeCloseTo(0.083, 3);
    expect(prominence(reading({ 3: 0.85 }), makePart([3]), ranges)).toBeCloseTo(0.75, 6);
    expect(prominence(reading({ 3: 0.45, 5: 1 }), makePart([3, 5]), ranges)).toBeCloseTo(0.5, 6);
    expect(prominence(reading({ 7: 9 }), makePart([3, 7]), ranges)).toBe(0);
  });
});
