/** Words at which a part fires without the action are told from those that bring it. */
import { expect, it } from "vitest";
import { type Condition, failsByWord, fullCondition, type SourceRoom } from "../compose/prompt-sets.js";
import { makePart, normalise } from "../concepts/detector.js";
import type { Evidence } from "../evidence/evidence.js";
import { userPrompt } from "../prompts/prompt.js";
import { wordsOf } from "../prompts/words.js";
import { failingWords } from "./failing-words.js";

/** One token a word; latent 1 fires on the word at `peak`, latent 2 on the prompt's first. */
function seen(text: string, peak: number, fired: boolean, also = false) {
  return {
    prompt: userPrompt(text),
    reading: {
      ids: Int32Array.from(also ? [1, 2] : [1]),
      values: Float32Array.from(also ? [1, 1] : [1]),
      tokens: Int32Array.from(also ? [peak, 0] : [peak]),
    },
    fired,
  };
}

const room = {
  lexicon: { words: () => [] },
  ranges: { 1: { floor: 0, maximum: 1 }, 2: { floor: 0, maximum: 1 } },
  laboratory: {
    render: (prompt: ReturnType<typeof userPrompt>) => ({
      spans: Int32Array.from(wordsOf(prompt.messages[0]!.content).flatMap(({ start, end }) => [start, end])),
    }),
  },
} as unknown as SourceRoom;

const evidenceOf = (observations: readonly unknown[]) => ({ room, observations }) as unknown as Evidence;
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const topic = normalise([makePart([1])]);

it("blames a word under the peak that never brings the action, beside one that does", () => {
  const observations = [
    ...times(8, () => seen("we play the Oboe", 3, true)),
    ...times(8, () => seen("we PLAY the game", 1, false)),
    ...times(3, () => seen("a mellow game", 1, false)), // too few to say
    ...times(8, (i) => seen("that banjo again", 1, i % 2 === 0)), // half is not nothing
  ];
  expect(failingWords(evidenceOf(observations), topic)).toEqual([new Set(["play"])]);
});

it("blames no word where none brings the action, nor on prompts that lack another part", () => {
  expect(failingWords(evidenceOf(times(8, () => seen("we play", 1, false))), topic)).toEqual([new Set()]);
  const both = normalise([makePart([1]), makePart([2])]);
  const observations = [
    ...times(8, () => seen("we play", 1, false)), // latent 2 is off: the hypothesis expects nothing
    ...times(8, () => seen("we play", 1, true, true)),
  ];
  expect(failingWords(evidenceOf(observations), both)).toEqual([new Set(), new Set()]);
});

it("blames a word of what must be absent beside which the action comes all the same, where the rest counts", () => {
  const unless = normalise([makePart([2]), makePart([1], true)]);
  const observations = [
    ...times(8, () => seen("we BAKE it", 1, true, true)),
    ...times(8, () => seen("a cake again", 1, false, true)),
    ...times(8, () => seen("never CAKE again", 1, true)), // latent 2 is off: nothing was to come
  ];
  expect(failingWords(evidenceOf(observations), unless)).toEqual([new Set(), new Set(["bake"])]);
});

it("excuses a part only where it should be present and its peak lies on a blamed word", () => {
  const condition: Condition = { ...fullCondition(topic), failing: [new Set(["play"])] };
  const [play, oboe] = [seen("we play the oboe", 1, false), seen("we play the oboe", 3, true)];
  expect(failsByWord(room, condition, play.prompt, play.reading)).toBe(true);
  expect(failsByWord(room, condition, oboe.prompt, oboe.reading)).toBe(false);
  expect(failsByWord(room, { ...condition, present: [false] }, play.prompt, play.reading)).toBe(false);
});
