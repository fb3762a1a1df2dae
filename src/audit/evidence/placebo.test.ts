/** Which concepts take the place of an excluded one. */
import { expect, it } from "vitest";
import { makePart, type Part } from "../concepts/detector.js";
import type { Evidence } from "./evidence.js";
import { placeboConditions } from "./placebo.js";

const LATENTS = 12;
const except = { parts: [makePart([0]), makePart([1], true)], combination: "all" as const };

/** Every latent fires on 20 prompts unless said otherwise; of `wordless` ones no word brings anything. */
function evidenceOf(wordless: readonly number[], fires: Readonly<Record<number, number>> = {}): Evidence {
  const words = (part: Part) =>
    wordless.includes(part.latents[0] as number)
      ? [{ text: "faint", strength: 0.1 }]
      : ["one", "two", "three"].map((text) => ({ text, strength: 0.8 }));
  return {
    room: {
      half: {
        prompts: Array(400),
        fires: Int32Array.from({ length: LATENTS }, (_, latent) => fires[latent] ?? 20),
        maximum: new Float32Array(LATENTS).fill(1),
      },
      lexicon: { scannedWords: () => 5, words },
      kinship: { kin: (a: number, b: number) => a + b === 1 + 2 },
      seed: 1,
    },
  } as unknown as Evidence;
}

const placebosOf = (evidence: Evidence, suspects: readonly number[] = []) =>
  placeboConditions(evidence, except, 1, suspects)
    .map(({ hypothesis, present, without }) => {
      expect(present).toEqual([true, true]);
      expect(without).toEqual([makePart([1])]);
      return hypothesis.parts.find(({ negated }) => negated)?.latents[0] as number;
    })
    .sort((a, b) => a - b);

it("takes concepts that words can bring, and neither a part nor its kin", () => {
  expect(placebosOf(evidenceOf([0, 1, 3, 4, 5, 6, 7]))).toEqual([8, 9, 10, 11]);
  expect(placebosOf(evidenceOf([]))).not.toContain(2);
});

it("takes the next in frequency where too few of the same can be written, and others where none can", () => {
  const rare = { 8: 3, 9: 3, 10: 3, 11: 5 };
  expect(placebosOf(evidenceOf([3, 4, 5], rare))).toEqual([6, 7, 8, 11]);
  expect(placebosOf(evidenceOf(Array.from({ length: LATENTS }, (_, latent) => latent)))).toHaveLength(4);
});

it("takes none that may be excluded itself, and some for a concept that the half lacks", () => {
  expect(placebosOf(evidenceOf([]), [5, 6, 7, 8]).filter((one) => one >= 5 && one <= 8)).toEqual([]);
  expect(placebosOf(evidenceOf([], { 1: 0 }))).toHaveLength(4);
  expect(
    placebosOf(evidenceOf([], Object.fromEntries(Array.from({ length: LATENTS }, (_, latent) => [latent, 0])))),
  ).toHaveLength(4);
});
