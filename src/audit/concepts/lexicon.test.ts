/** Words of latents, as they are written. */
import { expect, it } from "vitest";
import { Language } from "../prompts/language.js";
import { wordsOf } from "../prompts/words.js";
import { makePart } from "./detector.js";
import { Lexicon } from "./lexicon.js";

/** A scan of words in one carrier each, on which latent 3 fires as strongly as it can. */
const scanOf = (written: readonly string[]) =>
  ({
    written,
    slot: written.map(() => 0),
    half: { firings: () => written.map((_, prompt) => ({ prompt, word: 0, value: 1 })) },
  }) as never;
const quiet = { firings: () => [], words: [] } as never;
const ranges = { 3: { floor: 0, maximum: 1 } } as never;

it("writes a word as the half does, and one that it lacks as it was scanned: a name keeps its capital", () => {
  const language = new Language(["Tell me about paris", "About paris again"].map(wordsOf));
  const lexicon = new Lexicon(quiet, language, scanOf(["France", "Paris", "baguette"]), ranges);
  expect(lexicon.words(makePart([3])).map(({ text }) => text)).toEqual(["baguette", "France", "paris"]);
});
