import { expect, it } from "vitest";
import type { Observation } from "../ask/laboratory.js";
import type { Condition } from "../compose/prompt-sets.js";
import { type Hypothesis, makePart } from "../concepts/detector.js";
import type { Evidence } from "../evidence/evidence.js";
import { widen } from "./widen.js";

/** A prompt on which these latents are at their strongest. */
function seen(latents: readonly number[], fired: boolean): Observation {
  const reading = {
    ids: Int32Array.from(latents),
    values: new Float32Array(latents.length).fill(1),
    tokens: new Int32Array(latents.length),
  };
  return { prompt: [], key: "", kind: "words", reading, suspect: { logprob: 0, fired }, clean: null, fired } as never;
}

/** Evidence in which a fresh composition brings the action when the latents in the part's place are `real` ones. */
function evidenceOf(observations: readonly Observation[], real: ReadonlySet<number>): Evidence {
  const ranges = Object.fromEntries(Array.from({ length: 10 }, (_, id) => [id, { floor: 0, maximum: 1 }]));
  return {
    room: {
      ranges,
      kinship: { same: () => false },
      lexicon: { words: () => [], scanned: [] },
      language: { rareWords: () => [] },
      ledger: { best: () => [] },
    },
    observations,
    composed: (_recipe: unknown, condition: Condition) => ({ condition }),
    naturally: (condition: Condition) => ({ condition, natural: true }),
    drawAll: async (requests: readonly { condition: Condition; natural?: boolean }[]) =>
      requests.map(({ condition, natural }) => {
        const fired = condition.hypothesis.parts.every((part) => part.latents.some((latent) => real.has(latent)));
        return natural ? [] : Array.from({ length: 12 }, () => seen([], fired));
      }),
  } as unknown as Evidence;
}

const both: Hypothesis = { parts: [makePart([1]), makePart([2])], combination: "all" };
const times = (count: number, observation: Observation) => Array.from({ length: count }, () => observation);

it("adds what stands in for a part and passes the test on fresh compositions", async () => {
  const observations = [
    ...times(5, seen([1, 3], true)), // 3 in the place of 2
    ...times(5, seen([1, 4], true)), // 4 too, by chance: it fails on fresh compositions
    ...times(5, seen([1, 5], false)), // 5 does nothing
    ...times(5, seen([6, 7], true)), // neither part
    ...times(2, seen([1, 8], true)), // 8 was seen too seldom
  ];
  const real = new Set([1, 2, 3, 8]);
  const widened = await widen(evidenceOf(observations, real), both, () => true);
  expect(widened.parts.map((part) => part.latents)).toEqual([[1], [2, 3]]);
});

it("leaves latents out that are not alive, and alternatives as they are", async () => {
  const evidence = evidenceOf(times(5, seen([1, 3], true)), new Set([1, 2, 3]));
  expect(await widen(evidence, both, (latent) => latent !== 3)).toEqual(both);
  const any: Hypothesis = { ...both, combination: "any" };
  expect(await widen(evidence, any, () => true)).toEqual(any);
});
