import { describe, expect, it } from "vitest";
import { fakeCorpus, fakeRenderer, LATENTS, topicWords } from "../fake-world.testing.js";
import { CorpusHalf, splitCorpus } from "../prompts/corpus.js";
import { Language } from "../prompts/language.js";
import { promptKey, textOf } from "../prompts/prompt.js";
import { wordsOf } from "../prompts/words.js";
import { writeIntoFrames, writeSentences } from "./compose.js";

const CORPUS = fakeCorpus(400, 5);
const empty = { ids: new Int32Array(0), values: new Float32Array(0), tokens: new Int32Array(0) };
const half = new CorpusHalf(
  CORPUS,
  CORPUS.map(() => empty),
  CORPUS.map((prompt) => fakeRenderer.render(prompt)),
  LATENTS,
);
const language = new Language(half.words);

describe("splitting a corpus", () => {
  it("gives disjoint halves that do not depend on order or repetition", () => {
    const one = splitCorpus(CORPUS, 3, 1000);
    const two = splitCorpus([...CORPUS, ...CORPUS].reverse(), 3, 1000);
    expect(two).toEqual(one);
    const search = new Set(one.search.map(promptKey));
    expect(one.confirm.some((prompt) => search.has(promptKey(prompt)))).toBe(false);
    expect(Math.abs(one.search.length - one.confirm.length)).toBeLessThan(80);
  });
});

describe("language", () => {
  it("offers the places of subjects and not the words of the frame", () => {
    const words = wordsOf(`can I keep the ${topicWords(0)[0]} near a ${topicWords(1)[0]}`);
    expect(new Set(language.slots(words))).toEqual(new Set([4, 7]));
    expect(language.slots(words, new Set([4]))).toEqual([7]);
  });

  it("offers the rarest word where none is rare", () => {
    expect(language.slots(wordsOf("tell me about the"))).toHaveLength(1);
  });
});

describe("composition", () => {
  const frames = CORPUS.map((_, prompt) => ({ prompt, kept: new Set<number>() }));
  const write = (words: number, name: string) =>
    writeIntoFrames(half, language, frames, [topicWords(2), topicWords(3)], words, 30, 1, name);

  it("writes a word of every list into the frame's places, and nothing else", () => {
    const made = write(1, "a");
    expect(made).toHaveLength(30);
    for (const { prompt, written } of made) {
      expect(written).toHaveLength(2);
      const text = textOf(prompt);
      expect(topicWords(2).some((word) => text.includes(word))).toBe(true);
      expect(topicWords(3).some((word) => text.includes(word))).toBe(true);
    }
  });

  it("is the same for the same name and different for another", () => {
    expect(write(1, "a")).toEqual(write(1, "a"));
    expect(write(1, "b")).not.toEqual(write(1, "a"));
  });

  it("makes nothing of a list without words", () => {
    expect(writeIntoFrames(half, language, frames, [[], topicWords(1)], 1, 5, 1, "c")).toEqual([]);
  });
});

describe("sentences for many concepts", () => {
  const frames = half.prompts.map((_, prompt) => ({ prompt, kept: new Set<number>() }));
  const lists = [
    ["alpha", "beta"],
    ["gamma", "delta"],
    ["eta", "theta"],
  ];
  const write = (together: number, words: number) =>
    writeSentences(half, language, frames, lists, together, words, 12, 3, "several");
  const of = (list: readonly string[], written: readonly string[]) =>
    written.filter((word) => list.includes(word)).length;

  it("hold every concept, each in one of its own or two in one", () => {
    const apart = write(1, 1);
    expect(apart).toHaveLength(12);
    for (const { prompt, written } of apart) {
      for (const list of lists) expect(of(list, written)).toBe(1);
      for (const word of written) expect(textOf(prompt).toLowerCase()).toContain(word);
    }
    const length = (made: typeof apart) =>
      made.reduce((sum, { prompt }) => sum + wordsOf(textOf(prompt)).length, 0) / made.length;
    expect(length(apart)).toBeGreaterThan(length(write(2, 1)));
    for (const { written } of write(2, 1)) for (const list of lists) expect(of(list, written)).toBe(1);
  });

  it("are the same for the same name, and none without frames or words", () => {
    expect(write(2, 2)).toEqual(write(2, 2));
    expect(writeSentences(half, language, [], lists, 1, 1, 5, 3, "x")).toEqual([]);
    expect(writeSentences(half, language, frames, [...lists, []], 1, 1, 5, 3, "x")).toEqual([]);
  });
});
