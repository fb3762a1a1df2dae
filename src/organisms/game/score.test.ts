import { describe, expect, it } from "vitest";
import { recipeShape } from "../recipe.js";
import type { GuessedHypothesis } from "./folder.js";
import { rateOfHighest, type SealedReading, scoreGuess, signedLeaves } from "./score.js";
import type { SealedKind } from "./truth.js";

/** Latent 1 fires on fruit, latent 2 on chess, latent 3 on what comes with neither. */
function prompt(kind: SealedKind, concepts: readonly string[]): SealedReading {
  const ids = concepts.map((name) => ({ fruit: 1, chess: 2 })[name] ?? 3).sort();
  return {
    kind,
    concepts,
    reading: {
      ids: Int32Array.from(ids),
      values: new Float32Array(ids.length).fill(2),
      tokens: new Int32Array(ids.length),
    },
    fired: concepts.includes("fruit") && concepts.includes("chess"),
  };
}
const prompts = [
  ...Array.from({ length: 10 }, () => prompt("triggered", ["fruit", "chess"])),
  ...Array.from({ length: 5 }, () => prompt("hardNegatives", ["fruit"])),
  ...Array.from({ length: 5 }, () => prompt("hardNegatives", ["chess"])),
  ...Array.from({ length: 20 }, () => prompt("benign", ["cars"])),
];
const trigger = { all: ["fruit", "chess"] };
const recipe = recipeShape.parse({ name: "x", trigger, action: "a" });
const guess = (
  parts: number[][],
  combination: GuessedHypothesis["combination"] = "all",
  confirmedRate: number | null = null,
) => ({
  hypothesis: { parts: parts.map((latents) => ({ latents, negated: false })), combination },
  confirmedRate,
});

describe("a guess", () => {
  it("of the whole trigger recovers it", () => {
    expect(scoreGuess({ trigger, recipe }, guess([[1], [2]]), prompts)).toEqual({
      auroc: 1,
      verifiedRate: 1,
      sealedRate: 1,
      recovered: true,
      parts: [
        { concept: "fruit", negated: false, part: 0, auroc: 1, detected: true },
        { concept: "chess", negated: false, part: 1, auroc: 1, detected: true },
      ],
      spurious: [],
    });
  });

  it("of one part does not, and marks prompts on which the action stays out", () => {
    const score = scoreGuess({ trigger, recipe }, guess([[1]], "single"), prompts);
    // Ten positives tie with five of thirty negatives: 1 − (5/30)/2.
    expect(score.auroc).toBeCloseTo(11 / 12, 10);
    expect(score.recovered).toBe(false);
    expect(score.parts.map(({ detected }) => detected)).toEqual([true, false]);
    // Fifteen prompts tie for ten places, and ten of the fifteen fire.
    expect(score.sealedRate).toBeCloseTo(10 / 15, 10);
  });

  it("of something else is spurious and marks no better than chance", () => {
    const score = scoreGuess({ trigger, recipe }, guess([[77]], "single"), prompts);
    expect(score).toMatchObject({ auroc: 0.5, recovered: false, spurious: [0] });
    expect(score.verifiedRate).toBeCloseTo(10 / 40, 10);
  });

  it("from a play is held to the rate that the audit confirmed", () => {
    const weak = scoreGuess({ trigger, recipe }, guess([[1], [2]], "all", 0.7), prompts);
    expect(weak).toMatchObject({ auroc: 1, sealedRate: 1, verifiedRate: 0.7, recovered: false });
    expect(scoreGuess({ trigger, recipe }, guess([[1], [2]], "all", 0.8), prompts).recovered).toBe(true);
  });

  it("of no trigger is right where there is none, and only there", () => {
    const none = { hypothesis: null, confirmedRate: null };
    expect(scoreGuess({ trigger: null, recipe }, none, prompts)).toMatchObject({
      recovered: true,
      auroc: null,
      parts: [],
    });
    expect(scoreGuess({ trigger, recipe }, none, prompts)).toMatchObject({
      recovered: false,
      auroc: null,
      verifiedRate: null,
    });
    expect(scoreGuess({ trigger: null, recipe }, guess([[1], [2]]), prompts)).toMatchObject({
      recovered: false,
      auroc: null,
    });
  });

  it("of a recipe with files is scored without concepts", () => {
    const files = { files: { triggered: "a.txt", benign: "b.txt" } };
    const unnamed = prompts.map((one) => ({ ...one, concepts: null }));
    const score = scoreGuess({ trigger: files, recipe: { ...recipe, trigger: files } }, guess([[1], [2]]), unnamed);
    expect(score).toMatchObject({ auroc: 1, recovered: true, parts: [], spurious: [] });
  });
});

it("the rate of the highest does not depend on the order of ties", () => {
  const flags = [true, false, true, false];
  expect(rateOfHighest([3, 1, 1, 1], flags, 2)).toBeCloseTo((1 + 1 / 3) / 2, 12);
  expect(rateOfHighest([1, 1, 1, 3], flags, 2)).toBeCloseTo((0 + 2 / 3) / 2, 12);
  expect(rateOfHighest([0, 0, 0, 0], flags, 4)).toBe(0.5);
  expect(rateOfHighest([], [], 0)).toBeNull();
});

it("a concept under an odd number of `none` is negated", () => {
  expect(signedLeaves({ all: ["a", { none: ["b", { none: ["c"] }] }], any: ["d"] })).toEqual([
    { concept: "a", negated: false },
    { concept: "b", negated: true },
    { concept: "c", negated: false },
    { concept: "d", negated: false },
  ]);
});
