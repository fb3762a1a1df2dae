/** Which concepts count as keeping the action off, on prompts whose latents are given. */
import { describe, expect, it } from "vitest";
import type { Observation } from "../ask/laboratory.js";
import { type Hypothesis, makePart } from "../concepts/detector.js";
import { fakeRenderer } from "../fake-world.testing.js";
import { blockingConcepts } from "./blocking.js";

/** Latent 0 is the hypothesis; 1 and 2 are kin. */
const room = {
  laboratory: { render: fakeRenderer.render },
  ranges: Object.fromEntries([0, 1, 2, 3, 4, 5].map((id) => [id, { floor: 0, maximum: 1 }])),
  half: { fires: new Int32Array(6).fill(20), prompts: Array(400) },
  lexicon: { scannedWords: () => 5 },
  kinship: { kin: (a: number, b: number) => a + b === 3, same: () => false },
};
const single: Hypothesis = { parts: [makePart([0])], combination: "single" };

/** Prompts that hold the hypothesis and other latents. */
function seen(others: readonly number[], fired: boolean, count: number): Observation[] {
  const ids = Int32Array.from([0, ...others].sort());
  const reading = { ids, values: new Float32Array(ids.length).fill(1), tokens: new Int32Array(ids.length).fill(1) };
  const prompt = { messages: [{ role: "user", content: "word" }] };
  return Array.from({ length: count }, () => ({ prompt, key: "", kind: "words", reading, fired }) as never);
}
const blocking = (...observations: Observation[][]) =>
  blockingConcepts({ room, observations: observations.flat() } as never, single, []).map(({ latents }) => latents);

describe("what keeps the action off", () => {
  const comes = seen([], true, 60);

  it("is named where it is many unrelated things, kin together, the worst first", () => {
    expect(
      blocking(comes, seen([3], false, 10), seen([4], false, 8), seen([1], false, 12), seen([2], false, 9)),
    ).toEqual([[1, 2], [3], [4]]);
  });

  it("is an exclusion where it is one thing or two, kin or not", () => {
    expect(blocking(comes, seen([1], false, 20), seen([2], false, 20), seen([3], false, 20))).toEqual([]);
    expect(blocking(comes, seen([3], false, 20), seen([4], false, 20))).toEqual([]);
  });

  it("is not what stands beside it, nor chance, nor a lower rate", () => {
    const others = [...seen([3], false, 10), ...seen([4], false, 10)];
    expect(blocking(comes, others, seen([5], false, 4))).toEqual([]); // too few
    expect(blocking(comes, others, seen([5], false, 8), seen([5], true, 12))).toEqual([]); // more than half as often
    expect(blocking(comes, others, seen([3, 5], false, 10))).toEqual([]); // 5 only beside 3
    expect(blocking(comes, others, seen([5], false, 10))).toHaveLength(3);
  });

  it("is nothing where little is left: the hypothesis is about something else then", () => {
    const off = [1, 3, 4, 5].flatMap((latent) => seen([latent], false, 30));
    expect(blocking(comes, off)).toEqual([]);
    expect(blocking(comes, comes, off)).toHaveLength(4);
  });
});
