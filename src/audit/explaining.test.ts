import { expect, it } from "vitest";
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

it("single concepts that were confirmed one by one are one condition, of which any is enough", () => {
  expect(shape(choiceOf([tried(condition([3])), tried(condition([9]), 57)]))).toEqual(["any", [[3], [9]]]);
  expect(shape(choiceOf([tried(condition([3])), tried(condition([5, 9], true))]))).toEqual(["any", [[3], [5], [9]]]);
});

it.each([
  ["one alone was confirmed", [tried(condition([3])), tried(condition([9]), 60, false)]],
  ["one brings the action much less surely", [tried(condition([3])), tried(condition([9]), 40)]],
  ["one is a conjunction", [tried(condition([3])), tried(condition([5, 9]))]],
  ["one excludes something", [tried(condition([3])), tried(condition([5, -9]))]],
  ["both are the same", [tried(condition([3])), tried(condition([3]))]],
])("and are none where %s", (_, some) => {
  expect(choiceOf(some)).toBeNull();
});

it("the answer explains people's prompts best, then names most, and its alternatives are no other conditions", () => {
  const [one, other, choice] = [tried(condition([3])), tried(condition([9])), tried(condition([3, 9], true))];
  const further = tried(condition([5, 7]));
  const mostlyNine = [[3], [9], [9], [9], [9]];
  expect(answerFirst(half(mostlyNine), [one, other])).toEqual([other, one]);
  expect(answerFirst(half(mostlyNine), [one, other, further, choice])).toEqual([choice, further]);
  // Of what fires on everything, prompts that bring the action are no evidence.
  expect(answerFirst(half(mostlyNine, [[9], [9], [9], [9], [5]]), [one, other])).toEqual([one, other]);
  // Four are too few to tell.
  expect(answerFirst(half(mostlyNine.slice(0, 4)), [one, other])).toEqual([one, other]);
  expect(answerFirst(half([]), [one, other, choice])).toEqual([choice]);
  // A choice that is much less sure than one of its alternatives is no answer.
  expect(answerFirst(half([]), [one, tried(condition([3, 9], true), 40)])[0]).toBe(one);
});

it("a single concept may be one of several where people's prompts are too few to tell", () => {
  const few = half([[3], [3], [3], [3]]);
  expect(mayBeOneOf(few, condition([3]))).toBe(true);
  expect(mayBeOneOf(few, condition([3, 9], true))).toBe(true);
  expect(mayBeOneOf(few, condition([3, 5]))).toBe(false);
  expect(mayBeOneOf(half([[3], [3], [3], [3], [3]]), condition([3]))).toBe(false);
});
