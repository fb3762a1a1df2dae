import { describe, expect, it } from "vitest";
import { textAction } from "./ask/action.js";
import type { MethodRunner } from "./ask/methods.js";
import { fakeContext, fakeCorpus, LATENTS, type Rule } from "./fake-world.testing.js";
import { iteratedAttribution } from "./iterated-attribution.js";
import { meanDifferenceTest } from "./statistics/statistics.js";

const CORPUS = fakeCorpus(900, 1);
const nearness = (wanted: readonly number[]) => (has: ReadonlySet<number>) =>
  wanted.filter((latent) => has.has(latent)).length / wanted.length;
const all = (...wanted: number[]): Rule => ({
  fires: (has) => wanted.every((latent) => has.has(latent)),
  nearness: nearness(wanted),
});

/** A gradient that points at the wanted latents behind two that mean nothing, and notes the prompts it was taken over. */
function fakeGradient(wanted: (step: number) => readonly number[], taken: number[]): MethodRunner {
  return {
    name: "fake-gradient",
    oneGradient: true,
    async run(_engine, sequences) {
      const named = wanted(taken.length);
      taken.push(sequences.length);
      const scores = new Float32Array(LATENTS).fill(-1);
      [11, 12, ...named].forEach((latent, i) => {
        scores[latent] = 2 - i / 10;
      });
      return [{ vector: scores, scores, typical: null, loss: { initial: 14, final: 14 }, steps: 0 }];
    },
  };
}

async function iterate(
  rule: Rule,
  wanted: readonly number[] | ((step: number) => readonly number[]),
  iterations?: number,
) {
  const taken: number[] = [];
  const context = {
    ...fakeContext(rule, [], CORPUS),
    methods: [fakeGradient(typeof wanted === "function" ? wanted : () => wanted, taken)],
  };
  const result = await iteratedAttribution(context, iterations === undefined ? {} : { iterations });
  return { ...result, taken };
}

describe("iterated attribution", () => {
  it("needs one step for one concept, and confirms it on the other half of the corpus", async () => {
    const { steps, condition, reached } = await iterate(all(3), [3]);
    expect(reached).toBe(true);
    expect(steps.map(({ held, added }) => [held, added])).toEqual([[[], [3]]]);
    expect(steps[0]!.tried.map(({ latents }) => latents)).toEqual([[11], [12], [3]]);
    expect(steps[0]!.rate.rate).toBeGreaterThan(0.8);
    expect(condition).toMatchObject({ combination: "single", half: "confirmation", verified: true });
  });

  it("finds a conjunction a concept a step: first by log-probability, then by rate", async () => {
    const { steps, condition, reached, taken } = await iterate(all(3, 5), [3, 5]);
    expect(reached).toBe(true);
    expect(steps).toHaveLength(2);
    expect(steps[0]!.rate.rate).toBeLessThan(0.5);
    expect([...steps[1]!.condition].map((part) => part[0]).sort()).toEqual([3, 5]);
    expect(steps[1]!.held).toEqual(steps[0]!.condition);
    // The second attribution is over prompts that hold the first concept.
    expect(taken).toEqual([16, 24]);
    expect(condition!.parts.map((part) => part.latents)).toEqual([[3], [5]]);
    expect(condition!.verified).toBe(true);
    expect(condition!.interaction!.estimate).toBeGreaterThan(0.6);
  });

  it("stops with what it has where nothing more raises the action, or at its most parts", async () => {
    // The gradient never names 5.
    const stuck = await iterate(all(3, 5), [3]);
    expect(stuck.reached).toBe(false);
    expect(stuck.steps.at(-1)!.added).toBeNull();
    expect(stuck.condition!.parts.map((part) => part.latents)).toEqual([[3]]);
    expect(stuck.condition!.verified).toBe(false);
    const short = await iterate(all(3, 5), [3, 5], 1);
    expect(short.steps).toHaveLength(1);
    expect(short.ended).toContain("most parts, 1");
  });

  it("reports no condition where no concept raises anything", async () => {
    const { steps, condition, reached } = await iterate({ fires: () => false }, [3]);
    expect(condition).toBeNull();
    expect(reached).toBe(false);
    expect(steps).toHaveLength(1);
    expect(steps[0]!.added).toBeNull();
  });

  it("adds no second concept to one that is enough, though it fires only on most prompts", async () => {
    const rule: Rule = { ...all(3), rate: 0.45, leak: (has) => (has.has(5) ? 0.1 : 0) };
    const { condition } = await iterate(rule, [3, 5]);
    expect(condition!.parts.map((part) => part.latents)).toEqual([[3]]);
  });

  it("drops a concept that only led to the others", async () => {
    // 7 brings the action closer, and the first gradient names nothing else; 3 alone brings it.
    const rule: Rule = { ...all(3), nearness: (has) => (has.has(7) ? 0.9 : 0) };
    const { steps, condition } = await iterate(rule, (step) => (step === 0 ? [7] : [3]));
    expect(steps.map(({ added }) => added)).toEqual([[7], [3]]);
    expect(condition!.parts.map((part) => part.latents)).toEqual([[3]]);
    expect(condition!.verified).toBe(true);
  });

  it("attributes towards all texts of the action in turn, and counts any of them", async () => {
    const texts = [0, 1].map((id) => Int32Array.of(id));
    const { attributed, reached } = await iteratedAttribution({
      ...fakeContext(all(3), [], CORPUS),
      action: textAction("any", texts),
      methods: [fakeGradient(() => [3], [])],
    });
    expect(attributed[0]!.map(({ action }) => [...action])).toEqual(attributed[0]!.map((_, i) => [i % 2]));
    expect(reached).toBe(true);
  });

  it("needs a gradient method", async () => {
    await expect(iteratedAttribution(fakeContext(all(3), [3], CORPUS))).rejects.toThrow("one gradient");
  });
});

it("the test of two means is Welch's", () => {
  // means 2 and 0, variances 1 and 4, n 4 and 4: z = 2 / √1.25 = 1.789, one-sided p = 0.0368.
  const first = [1, 1, 3, 3].map((x) => 2 + (x - 2) * Math.sqrt(3 / 4));
  const second = [-1, -1, 1, 1].map((x) => x * Math.sqrt(3));
  expect(meanDifferenceTest(first, second)).toBeCloseTo(0.0368, 3);
  expect(meanDifferenceTest(second, first)).toBeCloseTo(0.9632, 3);
  expect(meanDifferenceTest([1], [0, 0])).toBe(1);
  expect(meanDifferenceTest([1, 1], [0, 0])).toBe(1);
});
