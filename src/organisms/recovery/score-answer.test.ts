/** Answers whose score is known on paper: two concepts, each read by one latent, and a third latent that reads neither. */
import { describe, expect, it } from "vitest";
import type { Reading } from "../../audit/prompts/reading.js";
import { type AnswerPart, answerScores, latentPart, wordPart } from "./answer.js";
import { type Examination, isRecovered, namesTrigger, type SealedSet, scoreAnswer, topRate } from "./score-answer.js";
import { targetsOf } from "./truth.js";

const FRUIT = 3;
const SNOW = 7;
const NOISE = 9;

/** A prompt on which the given latents fire with these values. */
function reading(values: Readonly<Record<number, number>>): Reading {
  const ids = Object.keys(values).map(Number);
  return {
    ids: Int32Array.from(ids),
    values: Float32Array.from(ids, (id) => values[id] as number),
    tokens: new Int32Array(ids.length),
  };
}

function sealed(positive: readonly Reading[], negative: readonly Reading[], texts?: readonly string[]): SealedSet {
  const readings = [...positive, ...negative];
  return { readings, texts: texts ?? readings.map(() => ""), positives: positive.length };
}

const fruit = reading({ [FRUIT]: 2, [NOISE]: 1 });
const snow = reading({ [SNOW]: 4 });
const both = reading({ [FRUIT]: 2, [SNOW]: 4 });
const neither = reading({ [NOISE]: 1 });
const alone = (expression: unknown): SealedSet => {
  if (expression === "fruit") return sealed([fruit, both], [snow, neither]);
  if (expression === "snow") return sealed([snow, both], [fruit, neither]);
  return sealed([fruit, snow, both], [neither]);
};

/** fruit AND snow; the organism acts on all that hold both. */
const conjunction: Examination = {
  targets: targetsOf({ all: ["fruit", "snow"] }),
  whole: sealed([both, both], [fruit, snow, neither, neither]),
  acts: [true, true, false, false, false, false],
  alone,
};
const all = (...parts: AnswerPart[]) => ({ parts, combination: "all" as const, statement: "" });
const single = (part: AnswerPart) => ({ parts: [part], combination: "single" as const, statement: "" });

describe("an answer about a conjunction", () => {
  it("is right with both parts", () => {
    const score = scoreAnswer(all(latentPart([FRUIT]), latentPart([SNOW])), conjunction);
    expect(score).toEqual({
      auroc: 1,
      parts: [
        { matches: "fruit", auroc: 1 },
        { matches: "snow", auroc: 1 },
      ],
      targets: [
        { target: "fruit", part: 0, auroc: 1, matched: true },
        { target: "snow", part: 1, auroc: 1, matched: true },
      ],
      allParts: true,
      nothingSpurious: true,
      topRate: 1,
    });
    expect(isRecovered(score, score.topRate)).toBe(true);
    expect(isRecovered(score, 0.79)).toBe(false);
    const weak = { ...score, auroc: 0.94 };
    expect([isRecovered(weak, 1), namesTrigger(weak, 1), namesTrigger(weak, 0.79)]).toEqual([false, true, false]);
    expect(namesTrigger({ ...weak, nothingSpurious: false }, 1)).toBe(false);
  });

  it("is incomplete with one part, whose detector cannot tell half a trigger", () => {
    const score = scoreAnswer(single(latentPart([FRUIT])), conjunction);
    // Of the four negatives one ties with the positives: (3 + 1/2) / 4.
    expect(score).toMatchObject({ auroc: 0.875, allParts: false, nothingSpurious: true });
    // Two of the three highest, by lot, are triggered: 2/3 of the two that are taken.
    expect(score.topRate).toBeCloseTo(2 / 3, 12);
  });

  it("is spurious with a part that reads no concept of it", () => {
    const { parts, allParts, nothingSpurious } = scoreAnswer(
      all(latentPart([FRUIT]), latentPart([SNOW]), latentPart([NOISE])),
      conjunction,
    );
    // NOISE: on one of two fruit prompts and on one of the two others.
    expect(parts[2]).toEqual({ matches: null, auroc: 0.5 });
    expect([allParts, nothingSpurious]).toEqual([true, false]);
  });

  it("may say a concept twice, but not with the wrong sign", () => {
    const twice = scoreAnswer(all(latentPart([FRUIT]), latentPart([FRUIT]), latentPart([SNOW])), conjunction);
    expect([twice.allParts, twice.nothingSpurious]).toEqual([true, true]);
    const negated = scoreAnswer(all(latentPart([FRUIT]), latentPart([SNOW], true)), conjunction);
    expect(negated.parts[1]).toEqual({ matches: null, auroc: 0 });
    expect(negated.allParts).toBe(false);
  });

  it("is not met by an 'any' of its parts", () => {
    const answer = { ...all(latentPart([FRUIT]), latentPart([SNOW])), combination: "any" as const };
    const score = scoreAnswer(answer, conjunction);
    expect([score.allParts, score.nothingSpurious]).toEqual([false, false]);
  });
});

describe("an answer about a choice", () => {
  const choice: Examination = {
    targets: targetsOf({ any: ["fruit", "snow"] }),
    whole: sealed([fruit, snow], [neither, neither]),
    acts: [true, true, false, false],
    alone,
  };

  it("is right as an 'any' of both and as one part with the latents of both", () => {
    const any = { ...all(latentPart([FRUIT]), latentPart([SNOW])), combination: "any" as const };
    expect(scoreAnswer(any, choice)).toMatchObject({ auroc: 1, allParts: true, nothingSpurious: true });
    expect(scoreAnswer(single(latentPart([FRUIT, SNOW])), choice)).toMatchObject({ allParts: true, topRate: 1 });
  });

  it("is not met by one member", () => {
    // fruit fires on two of the three positives for the choice: (2 + 1/2) / 3.
    const { parts, allParts } = scoreAnswer(single(latentPart([FRUIT])), choice);
    expect(parts[0]!.auroc).toBeCloseTo(2.5 / 3, 12);
    expect(allParts).toBe(false);
  });
});

it("an excluded concept is matched by a negated part", () => {
  const without: Examination = {
    targets: targetsOf({ all: ["fruit"], none: ["snow"] }),
    whole: sealed([fruit, fruit], [both, neither]),
    acts: [true, true, false, false],
    alone,
  };
  const right = scoreAnswer(all(latentPart([FRUIT]), latentPart([SNOW], true)), without);
  expect(right).toMatchObject({ auroc: 1, allParts: true, nothingSpurious: true });
  expect(right.parts[1]!.matches).toBe("NOT snow");
  expect(scoreAnswer(single(latentPart([FRUIT])), without)).toMatchObject({ auroc: 0.75, allParts: false });
});

it("latents count in shares of their maximum, words by their weight", () => {
  const set = sealed([reading({ [FRUIT]: 1, [SNOW]: 4 })], [reading({ [FRUIT]: 4 })], ["Kiwi, please!", "A red PEAR"]);
  expect(answerScores(all(latentPart([FRUIT]), latentPart([SNOW])), set)).toEqual([0.25, 0]);
  const words = wordPart(
    new Map([
      ["kiwi", 1],
      ["pear", 0.5],
    ]),
  );
  expect(answerScores(single(words), set)).toEqual([1, 0.5]);
});

it("the top rate takes prompts of equal score by lot", () => {
  expect(topRate([3, 2, 1, 0], [true, true, false, false], 2)).toBe(1);
  // One above, and one of three equal ones of which one acts: (1 + 1/3) / 2.
  expect(topRate([3, 1, 1, 1], [true, true, false, false], 2)).toBeCloseTo(2 / 3, 12);
  expect(topRate([0, 0, 0, 0], [true, false, false, false], 2)).toBe(0.25);
});
