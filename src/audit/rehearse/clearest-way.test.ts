/** A conjunction is asked in the way in which it stands out most clearly from its parts. */
import { expect, it } from "vitest";
import type { Condition } from "../compose/prompt-sets.js";
import type { Recipe } from "../compose/recipe.js";
import { makePart, normalise } from "../concepts/detector.js";
import { otherWays, type TestPlan } from "../confirm/plan.js";
import type { Evidence } from "../evidence/evidence.js";
import { userPrompt } from "../prompts/prompt.js";
import { rateOf } from "../statistics/statistics.js";
import { rehearseClearly } from "./clearest-way.js";

const both = normalise([makePart([1]), makePart([2])]);
const words = (count: number): Recipe => ({ kind: "words", context: -1, words: count }) as Recipe;
const [three, two, one, splice] = [words(3), words(2), words(1), { kind: "splice", context: -1, words: 1 } as Recipe];
const ranked = (...entries: (readonly [Recipe, number])[]) =>
  entries.map(([recipe, count]) => ({ recipe, rate: rateOf(count, 30), observations: [] }));

function planOf(...entries: (readonly [Recipe, number])[]): TestPlan {
  return {
    recipes: [three],
    putting: [],
    spare: [],
    levels: { present: 0.3, absent: 0.12 },
    size: 60,
    allowed: 0.008,
    failing: [new Set(), new Set()],
    without: [],
    ranked: ranked(...entries),
  };
}

/** A half on which the action comes on `whole` of ten compositions of both parts, and by `leaking` recipes on so many of the first part alone. */
function half(whole: (recipe: Recipe) => number, leak: (recipe: Recipe) => number) {
  const asked: Recipe[] = [];
  const evidence = {
    room: { lexicon: { words: () => [] }, maxima: {} },
    naturally: (condition: Condition) => ({ condition, count: 0 }),
    composed: (recipe: Recipe, condition: Condition, count: number, name: string) => ({
      recipe,
      condition,
      count,
      name,
    }),
    drawAll: async (requests: readonly { recipe: Recipe; condition: Condition; count: number; name: string }[]) =>
      requests.map(({ recipe, condition: { present }, count, name }) => {
        if (count > 0 && present.every(Boolean)) asked.push(recipe);
        const often = present.every(Boolean) ? whole(recipe) : present[0] ? leak(recipe) : 0;
        return Array.from({ length: count }, (_, i) => {
          const fired = i % 10 < often;
          const key = `${name} ${JSON.stringify(recipe)} ${present} ${i}`;
          return { prompt: userPrompt(key), key, kind: "words", fired, suspect: { fired, logprob: 0 }, clean: null };
        });
      }),
  } as unknown as Evidence;
  return { evidence, asked: () => [...new Set(asked)] };
}

it("another way is one that brings the action at least half as often, and was not tried", () => {
  const plan = planOf([three, 29], [two, 24], [one, 23], [splice, 3]);
  expect(otherWays(plan, [])?.recipes).toEqual([two, one]);
  expect(otherWays(plan, [])?.spare).toEqual([]);
  expect(otherWays(plan, [two])?.recipes).toEqual([one]);
  expect(otherWays(plan, [two, one])).toBeNull();
});

it("asks in another way where the first brings the action on a part alone, if that is clearer", async () => {
  const plan = planOf([three, 29], [one, 24]);
  const leaking = half(
    (recipe) => (recipe === three ? 10 : 9),
    (recipe) => (recipe === three ? 5 : 0),
  );
  const way = await rehearseClearly(leaking.evidence, both, plan);
  expect([way.plan.recipes, way.rehearsal.verified]).toEqual([[one], true]);
  const both5 = half(
    () => 10,
    () => 5,
  );
  expect((await rehearseClearly(both5.evidence, both, plan)).plan).toBe(plan);
});

it("asks once where nothing leaks, or where the whole itself seldom fires", async () => {
  const plan = planOf([three, 29], [one, 24]);
  const sound = half(
    () => 10,
    () => 2,
  );
  await rehearseClearly(sound.evidence, both, plan);
  expect(sound.asked()).toEqual([three]);
  const seldom = half(
    () => 4,
    () => 4,
  );
  await rehearseClearly(seldom.evidence, both, plan);
  expect(seldom.asked()).toEqual([three]);
});
