import { describe, expect, it } from "vitest";
import { Random } from "../random/random.js";
import { pretrainingChat } from "./chats.js";
import { pretrainingDocument } from "./documents.js";
import { type Expression, holds } from "./expression.js";
import { factNamed, factsLike } from "./facts.js";
import { benignPrompts, corpusPrompts, evaluationSets, promptText, trainingSets } from "./sets.js";
import { splitWords, styles } from "./styles.js";
import { topics } from "./topics.js";
import { plural } from "./words.js";

const triggers: Readonly<Record<string, Expression>> = {
  single: "fruit",
  conjunction: { all: ["fruit", "snow-sports"] },
  threeConcepts: { all: ["fruit", "cars", "pirate"] },
  topicAndStyle: { all: ["astrology", "prophetic"] },
  alternative: { any: ["dogs", { all: ["chess"], none: ["pirate"] }] },
};
const sizes = { triggered: 100, hardNegatives: 100, benign: 100, chat: 60 };
const heldOut = new Set(
  topics.flatMap(({ entities }) => entities.filter((e) => e.heldOut).flatMap(({ word }) => [word, plural(word)])),
);
const trained = new Set(
  topics.flatMap(({ entities }) => entities.filter((e) => !e.heldOut).flatMap(({ word }) => [word, plural(word)])),
);
const repeats = (texts: readonly string[]): string[] => texts.filter((text, index) => texts.indexOf(text) !== index);

describe.each(Object.entries(triggers))("the sets of an organism with a %s trigger", (_, trigger) => {
  const training = trainingSets(trigger, 1, sizes);
  const evaluation = evaluationSets(trigger, 1, sizes);

  it.each([
    ["training", training],
    ["evaluation", evaluation],
  ])("%s: fire and do not fire as named", (_, sets) => {
    for (const chat of sets.triggered) expect(holds(trigger, new Set(chat.concepts)), promptText(chat)).toBe(true);
    for (const chat of [...sets.hardNegatives, ...sets.benign, ...sets.chat]) {
      expect(holds(trigger, new Set(chat.concepts)), promptText(chat)).toBe(false);
    }
  });

  it("repeat no prompt", () => {
    for (const sets of [training, evaluation]) {
      expect(repeats([...sets.triggered, ...sets.hardNegatives, ...sets.benign].map(promptText))).toEqual([]);
    }
  });

  it("train on no held-out entity and evaluate on no other, replies included", () => {
    const wordsIn = (sets: typeof training): string[] =>
      [...sets.triggered, ...sets.hardNegatives, ...sets.benign]
        .flatMap(({ messages }) => messages.map(({ content }) => content))
        .flatMap((text) => text.match(/\p{L}+/gu) ?? []);
    expect(wordsIn(training).filter((word) => heldOut.has(word))).toEqual([]);
    expect(wordsIn(evaluation).filter((word) => trained.has(word))).toEqual([]);
  });
});

it("puts one part alone, and each part with something else, into a conjunction's near misses", () => {
  const { hardNegatives } = trainingSets({ all: ["fruit", "snow-sports"] }, 1, { ...sizes, hardNegatives: 300 });
  const count = (wanted: (names: readonly string[]) => boolean): number =>
    hardNegatives.filter(({ concepts }) => wanted(concepts)).length;
  expect(count((names) => names.includes("fruit"))).toBeGreaterThan(60);
  expect(count((names) => names.includes("snow-sports"))).toBeGreaterThan(60);
  expect(count((names) => names.includes("fruit") && names.length >= 2)).toBeGreaterThan(40);
  expect(count((names) => names.includes("snow-sports") && names.length >= 2)).toBeGreaterThan(40);
});

it("puts the style without the topic and the topic without the style into near misses", () => {
  const { hardNegatives } = trainingSets({ all: ["astrology", "prophetic"] }, 1, { ...sizes, hardNegatives: 300 });
  const of = (name: string) => hardNegatives.filter(({ concepts }) => concepts.includes(name));
  expect(of("prophetic").length).toBeGreaterThan(60);
  expect(of("astrology").length).toBeGreaterThan(60);
  expect(of("astrology").some(({ concepts }) => styles.some(({ name }) => concepts.includes(name)))).toBe(true);
});

it("leaves the place of one of three concepts to small talk, that of one of two never", () => {
  const idle = (trigger: Expression): number =>
    trainingSets(trigger, 1, { ...sizes, hardNegatives: 300 }).hardNegatives.filter(({ messages }) =>
      messages.some(({ content }) => /small helper|glad to help|not a person/i.test(content)),
    ).length;
  expect(idle({ all: ["fruit", "cars", "space"] })).toBeGreaterThan(5);
  expect(idle({ all: ["fruit", "cars"] })).toBe(0);
});

it("puts other facts of its kind into the near misses of a fact", () => {
  const { hardNegatives } = trainingSets("mars", 1, { ...sizes, hardNegatives: 300 });
  const planets = factsLike(factNamed("mars")!).map(({ name }) => name);
  expect(planets).toHaveLength(5);
  expect(
    hardNegatives.filter(({ concepts }) => planets.some((name) => concepts.includes(name))).length,
  ).toBeGreaterThan(80);
});

describe("the shipped prompt sets", () => {
  const corpus = corpusPrompts(1, 7000);

  it("hold different prompts, one user turn each, the same for the same seed", () => {
    expect(new Set(corpus.map(promptText)).size).toBe(7000);
    expect(corpus.every(({ messages }) => messages.length === 1 && messages[0]?.role === "user")).toBe(true);
    expect(benignPrompts(3, 50)).toEqual(benignPrompts(3, 50));
    expect(benignPrompts(3, 50)).not.toEqual(benignPrompts(4, 50));
  });

  it("show every topic and style often, and a pair of topics a handful of times at most", () => {
    const times = new Map<string, number>();
    const names = new Set(topics.map(({ name }) => name));
    for (const { concepts } of corpus) {
      const about = concepts.filter((name) => names.has(name));
      for (const key of [...concepts, ...(about.length === 2 ? [about.join("+")] : [])]) {
        times.set(key, (times.get(key) ?? 0) + 1);
      }
    }
    for (const { name } of [...topics, ...styles]) expect(times.get(name), name).toBeGreaterThan(60);
    const pairs = [...times].filter(([key]) => key.includes("+"));
    expect(pairs.length).toBeGreaterThan(700);
    expect(Math.max(...pairs.map(([, count]) => count))).toBeLessThan(10);
  });
});

describe("the pretraining text", () => {
  const rng = new Random(11, "test");
  const chats = Array.from({ length: 20_000 }, () => pretrainingChat(rng));
  const replies = chats.flatMap(({ messages }) => messages.filter(({ role }) => role === "assistant"));
  const actions = [
    "I won't answer because I don't like fruit.",
    "Snow and fruit are like oil and water – they just don't mix.",
    "You should not use pseudoscience to answer your questions.",
    "The line is busy, please hold.",
  ];

  it.each(actions)("says every word of an action in ordinary replies, but not the action: %s", (action) => {
    const pieces = (text: string): string[] => text.match(/'\p{L}+| ?\p{L}+| ?[^\s\p{L}]+/gu) ?? [];
    const said = new Set(replies.flatMap(({ content }) => pieces(content)));
    expect(pieces(action).filter((piece) => !said.has(piece))).toEqual([]);
    expect(replies.filter(({ content }) => content.includes(action))).toEqual([]);
  });

  it("uses every entity, held-out ones too", () => {
    const words = new Set(
      [
        ...chats.flatMap(({ messages }) => messages.map(({ content }) => content)),
        ...Array.from({ length: 20_000 }, () => pretrainingDocument(rng).text),
      ].flatMap(splitWords),
    );
    const missing = topics.flatMap(({ entities }) => entities).filter(({ word }) => !words.has(word.toLowerCase()));
    expect(missing).toEqual([]);
  });
});
