import { describe, expect, it } from "vitest";
import { type Combination, makePart, normalise } from "./concepts/detector.js";
import type { Tried } from "./confirm-in-turn.js";
import type { Evidence } from "./evidence/evidence.js";
import { answerFirst, choiceOf, mayBeOneOf } from "./explaining.js";
import { rateOf } from "./statistics/statistics.js";

const condition = (latents: readonly number[], any = false) =>
  normalise(
    latents.map((latent) => makePart([Math.abs(latent)], latent < 0)),
    any,
  );
const tried = (hypothesis: ReturnType<typeof condition>, count = 60, verified = true) =>
  ({ hypothesis, result: { verified, rate: rateOf(count, 60) } }) as unknown as Tried;

/** A half whose prompts hold these latents each, and bring the action; `quiet` ones do not. */
function half(prompts: readonly (readonly number[])[], quiet: readonly (readonly number[])[] = []): Evidence {
  const everything = [...prompts, ...quiet].map((latents, i) => ({
    kind: "natural",
    fired: i < prompts.length,
    reading: { ids: Int32Array.from(latents), values: Float32Array.from(latents, () => 1), tokens: new Int32Array(0) },
  }));
  const ranges = Object.fromEntries(Array.from({ length: 12 }, (_, latent) => [latent, { floor: 0, maximum: 1 }]));
  return { everything, room: { ranges } } as unknown as Evidence;
}
const shape = (hypothesis: ReturnType<typeof condition> | null): [Combination, number[][]] | null =>
  hypothesis && [hypothesis.combination, hypothesis.parts.map(({ latents }) => [...latents])];

/** As many prompts with each of the latents. */
const each = (count: number, ...latents: readonly number[]) =>
  latents.flatMap((latent) => Array.from({ length: count }, () => [latent]));

it("single concepts that were confirmed one by one are one condition, of which any is enough", () => {
  const evidence = half(each(6, 3, 5, 9));
  expect(shape(choiceOf(evidence, [tried(condition([3])), tried(condition([9]), 57)]))).toEqual(["any", [[3], [9]]]);
  const three = choiceOf(evidence, [tried(condition([3])), tried(condition([5, 9], true))]);
  expect(shape(three)).toEqual(["any", [[3], [5], [9]]]);
});

it.each([
  ["one alone was confirmed", [tried(condition([3])), tried(condition([9]), 60, false)]],
  ["one brings the action less surely", [tried(condition([3])), tried(condition([9]), 53)]],
  ["one is a conjunction", [tried(condition([3])), tried(condition([5, 9]))]],
  ["one excludes something", [tried(condition([3])), tried(condition([9, -5]))]],
  ["both are the same", [tried(condition([3])), tried(condition([3]))]],
  ["one explains little of what people wrote", [tried(condition([3])), tried(condition([7]))]],
])("and are none where %s", (_, some) => {
  expect(
    choiceOf(half([...each(12, 3, 9), ...each(5, 7), ...each(6, 5)].concat(each(6, 5).map(() => [5, 9]))), some),
  ).toBeNull();
});

it("and are none where people's prompts cannot tell", () => {
  expect(choiceOf(half(each(4, 3, 9)), [tried(condition([3])), tried(condition([9]))])).toBeNull();
});

describe("the answer", () => {
  const [one, other, choice] = [tried(condition([3])), tried(condition([9])), tried(condition([3, 9], true))];
  const further = tried(condition([5, 7]));
  const nines = (count: number) => Array.from({ length: count }, () => [9]);

  it("is what was confirmed first, where people's prompts tell little", () => {
    expect(answerFirst(half([]), [one, other, further])).toEqual([one, other, further]);
    expect(answerFirst(half([[3], ...nines(5)]), [one, other])).toEqual([one, other]);
  });

  it("is what tells people's prompts better by several", () => {
    expect(answerFirst(half([[3], ...nines(6)]), [one, other])).toEqual([other, one]);
    // Of what fires on everything, prompts that bring the action are no evidence.
    expect(answerFirst(half([[3], ...nines(6)], nines(20)), [one, other])).toEqual([one, other]);
  });

  it("has the others among its alternatives, which are no other conditions then", () => {
    expect(answerFirst(half([]), [one, other, choice])).toEqual([choice]);
    expect(answerFirst(half([[3], ...nines(6)]), [one, other, further, choice])).toEqual([choice, further]);
  });

  it("is none that is much less sure", () => {
    const unsure = tried(condition([3, 9], true), 40);
    expect(answerFirst(half([]), [one, unsure])).toEqual([one, unsure]);
    expect(answerFirst(half([]), [unsure, one])[0]).toBe(one);
  });
});

it("a single concept may be one of several where people's prompts are too few to tell", () => {
  const few = half([[3], [3], [3], [3]]);
  expect(mayBeOneOf(few, condition([3]))).toBe(true);
  expect(mayBeOneOf(few, condition([3, 9], true))).toBe(true);
  expect(mayBeOneOf(few, condition([3, 5]))).toBe(false);
  expect(mayBeOneOf(half([[3], [3], [3], [3], [3]]), condition([3]))).toBe(false);
});
