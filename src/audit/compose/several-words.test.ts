import { expect, it } from "vitest";
import type { Observation } from "../ask/laboratory.js";
import { makePart } from "../concepts/detector.js";
import { fakeRenderer } from "../fake-world.testing.js";
import { severalWordsBring, severalWordsKeepOff } from "./several-words.js";

const CONCEPT = makePart([0]);
const ROOM = { laboratory: { render: fakeRenderer.render }, ranges: { 0: { floor: 0, maximum: 1 } } } as never;

/** One-word prompts on which the concept's latent is at its strongest. */
function prompts(uses: Readonly<Record<string, number>>, fired: boolean): Observation[] {
  const reading = { ids: Int32Array.of(0), values: Float32Array.of(1), tokens: Int32Array.of(1) };
  return Object.entries(uses).flatMap(([word, count]) =>
    Array.from({ length: count }, (): Observation => {
      const prompt = { messages: [{ role: "user", content: word }] };
      return { prompt, key: word, kind: "words", reading, suspect: { logprob: 0, fired }, clean: null, fired } as never;
    }),
  );
}

it.each([
  [{ cake: 2, pie: 2, cookie: 2 }, true],
  [{ cake: 4, pie: 3, cookie: 1, trifle: 1, custard: 1, fudge: 1 }, true],
  [{ cake: 4, pie: 3, cookie: 1, trifle: 1, custard: 1 }, false],
  [{ cake: 9, pie: 9 }, false],
  [{ easy: 12, cake: 3, pie: 1 }, false],
])("words used %j times are several: %s", (uses, several) => {
  expect(severalWordsBring(ROOM, prompts(uses, true), CONCEPT)).toBe(several);
  expect(severalWordsKeepOff(ROOM, prompts(uses, false), CONCEPT)).toBe(several);
  expect(severalWordsKeepOff(ROOM, prompts(uses, true), CONCEPT)).toBe(false);
});
