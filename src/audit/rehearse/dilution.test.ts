import { expect, it } from "vitest";
import type { Observation } from "../ask/laboratory.js";
import { type Hypothesis, makePart } from "../concepts/detector.js";
import { fakeRenderer } from "../fake-world.testing.js";
import { narrowed } from "./dilution.js";

/** Latents 0 and 1 are kin. */
const room = {
  laboratory: { render: fakeRenderer.render },
  ranges: Object.fromEntries([0, 1, 2, 3, 4].map((id) => [id, { floor: 0, maximum: 1 }])),
  kinship: { kin: (a: number, b: number) => a + b === 1 },
};

/** One-word prompts, one for each letter, on which a latent, and those beside it, are at their strongest. */
function seen(latent: number, words: string, fired = true, beside: number[] = []): Observation[] {
  const ids = Int32Array.of(latent, ...beside).sort();
  const reading = { ids, values: new Float32Array(ids.length).fill(1), tokens: new Int32Array(ids.length).fill(1) };
  return [...words].map((content): Observation => {
    const prompt = { messages: [{ role: "user", content }] };
    return { prompt, key: "", kind: "words", reading, suspect: { logprob: 0, fired }, clean: null, fired } as never;
  });
}

const all = (...parts: number[][]): Hypothesis => ({
  parts: parts.map((latents) => makePart(latents)),
  combination: "all",
});
const narrow = (
  hypothesis: Hypothesis,
  observations: Observation[],
  rehearsed = observations,
  natural: Observation[] = [],
) =>
  narrowed({ room, observations, natural } as never, hypothesis, rehearsed).map(
    ({ hypothesis: { parts }, instead }) => ({
      parts: parts.map(({ latents }) => latents),
      concept: instead !== null,
    }),
  );

it("leaves out what is no concept by itself first, all of it and each", () => {
  const both = (latent: number, words: string) => seen(latent, words, true, [4]);
  const observations = [...both(0, "abcdef"), ...both(2, "xxxxx"), ...both(3, "yyyyy"), ...seen(4, "ghijkl")];
  const without = [
    { parts: [[0, 1], [4]], concept: false },
    { parts: [[0, 1, 3], [4]], concept: false },
    { parts: [[0, 1, 2], [4]], concept: false },
  ];
  expect(narrow(all([0, 1, 2, 3], [4]), observations)).toEqual(without);
  // What it brings without the other part is of something else.
  expect(narrow(all([0, 1, 2, 3], [4]), [...observations, ...seen(3, "opqrst")])).toEqual(without);
});

it("counts words for a group only where no other group of its part is there, if any group is a concept so", () => {
  const beside = (latent: number, words: string, other: number[]) => seen(latent, words, true, other);
  const own = seen(0, "abcdef");
  const sharing = beside(2, "ghijkl", [0]);
  expect(narrow(all([0, 2]), [...own, ...sharing])).toEqual([{ parts: [[0]], concept: false }]);
  // Where all are always together, each is a concept by the words at which it is clearest.
  expect(narrow(all([0, 2]), sharing).map(({ concept }) => concept)).toEqual([true, true]);
});

it("leaves out the concept that brought the action least often first, and never the only one", () => {
  const concepts = [...seen(0, "abcdef"), ...seen(2, "ghijkl")];
  expect(narrow(all([0, 2]), concepts, [...seen(0, "a"), ...seen(2, "g", false)])).toEqual([
    { parts: [[0]], concept: true },
    { parts: [[2]], concept: true },
  ]);
  expect(narrow(all([0], [2]), concepts)).toEqual([]);
  expect(narrow(all([0, 2]), seen(2, "ghijkl"))).toEqual([{ parts: [[2]], concept: false }]);
});

it("takes a latent for a stranger to its kin that fires on people's prompts and brings nothing", () => {
  const kin = [...seen(0, "abcdef"), ...seen(1, "ghijkl")];
  expect(narrow(all([0, 1]), kin)).toEqual([]);
  expect(narrow(all([0, 1]), kin, kin, seen(1, "mnopq", false))).toEqual([]); // five are too few
  const without = narrow(all([0, 1]), kin, [...seen(0, "a"), ...seen(1, "g", false)], seen(1, "mnopqr", false));
  expect(without[0]).toEqual({ parts: [[0]], concept: true });
  expect(narrow(all([0, 1]), kin, kin, [...seen(1, "mnopqr", false), ...seen(1, "s")])).toEqual([]);
});

it("does so, too, where the rehearsed prompts that it marks most clearly bring nothing, and the others do", () => {
  const kin = [...seen(0, "abcdef"), ...seen(1, "ghijkl")];
  const refuting = (count: number) => [...seen(0, "abcdefgh"), ...seen(1, "mnopqr".slice(0, count), false)];
  expect(narrow(all([0, 1]), kin, refuting(5))).toEqual([]);
  expect(narrow(all([0, 1]), kin, refuting(6))).toEqual([
    { parts: [[0]], concept: true },
    { parts: [[1]], concept: true },
  ]);
  expect(narrow(all([0, 1]), kin, [...seen(0, "abcdefgh"), ...seen(1, "mnopqrst")])).toEqual([]);
});
