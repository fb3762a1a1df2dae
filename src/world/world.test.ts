import { describe, expect, it } from "vitest";
import { Random } from "../random/random.js";
import { ordinaryChat, pretrainingChat, pretrainingMix } from "./chats.js";
import { concepts, conceptsIn, contentOf, promptWith, unknownConcepts } from "./concepts.js";
import { pretrainingDocument } from "./documents.js";
import { facts } from "./facts.js";
import { oneTopicFrames, twoTopicFrames } from "./frames.js";
import { promptText } from "./sets.js";
import { splitWords, styles, wordsOfStyle } from "./styles.js";
import { neighboursOf, topics } from "./topics.js";
import { plural, withArticle } from "./words.js";

describe("the topics", () => {
  it("are many, with 21 to 30 entities each", () => {
    expect(topics.length).toBeGreaterThanOrEqual(40);
    for (const { name, entities } of topics) {
      expect(entities.length, name).toBeGreaterThanOrEqual(21);
      expect(entities.length, name).toBeLessThanOrEqual(30);
    }
    const names = topics.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["fruit", "snow-sports", "astrology", "instruments", "chess", "space"]),
    );
  });

  it("hold out at least a quarter of their entities", () => {
    for (const { name, entities } of topics) {
      expect(entities.filter(({ heldOut }) => heldOut).length / entities.length, name).toBeGreaterThanOrEqual(0.25);
    }
  });

  it("share no entity with another topic, singular or plural", () => {
    const words = topics.flatMap(({ entities }) =>
      entities.flatMap(({ word, countable }) => (countable ? [...new Set([word, plural(word)])] : [word])),
    );
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
  });

  it("have entities that no template, style, verb, adjective or thing uses", () => {
    const entities = new Set(
      topics.flatMap(({ entities }) =>
        entities.flatMap(({ word }) => [word.toLowerCase(), plural(word.toLowerCase())]),
      ),
    );
    const others = [
      ...topics.flatMap(({ verbs, adjectives, things }) => [...verbs, ...adjectives, ...things]),
      ...styles.flatMap(wordsOfStyle),
      ...[...oneTopicFrames, ...twoTopicFrames].flatMap(({ prompt }) => splitWords(prompt)),
    ];
    expect(others.filter((word) => entities.has(word))).toEqual([]);
  });

  it("have neighbours", () => {
    for (const topic of topics) expect(neighboursOf(topic).length, topic.name).toBeGreaterThanOrEqual(2);
  });
});

describe("the frames, styles and facts", () => {
  it("are as many as the world promises", () => {
    expect(oneTopicFrames.length).toBeGreaterThanOrEqual(32);
    expect(twoTopicFrames.length).toBeGreaterThanOrEqual(16);
    expect(styles.length).toBeGreaterThanOrEqual(6);
    expect(facts.length).toBe(26);
  });

  it("name every concept once", () => {
    const names = concepts.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.every((name) => /^[a-z]+(-[a-z]+)*$/.test(name))).toBe(true);
  });

  it("put several markers of a style into every styled prompt", () => {
    const rng = new Random(3, "test");
    for (const style of styles) {
      const own = new Set(wordsOfStyle(style));
      for (let i = 0; i < 50; i++) {
        const prompt = promptText(promptWith({ all: [style.name, "fruit"] }, rng, { entities: "all" }));
        expect(splitWords(prompt).filter((word) => own.has(word)).length, prompt).toBeGreaterThanOrEqual(2);
      }
    }
  });
});

describe("generated prompts", () => {
  it("hold exactly the concepts that they are labelled with", () => {
    const rng = new Random(7, "test");
    for (let i = 0; i < 5000; i++) {
      const chat = ordinaryChat(pretrainingMix, "all", rng);
      expect(conceptsIn(promptText(chat)), promptText(chat)).toEqual(chat.concepts);
    }
  });

  it("are the same for the same seed and different for another", () => {
    const some = (seed: number): string[] => {
      const rng = new Random(seed, "test");
      return Array.from({ length: 20 }, () => JSON.stringify([pretrainingChat(rng), pretrainingDocument(rng)]));
    };
    expect(some(1)).toEqual(some(1));
    expect(some(1)).not.toEqual(some(2));
  });

  it("can be asked for by any expression, contradictions and unknown names aside", () => {
    const rng = new Random(5, "test");
    const options = { entities: "all" as const };
    const both = promptWith({ all: ["fruit", "pirate"], none: ["snow-sports"] }, rng, options);
    expect(both.concepts).toEqual(["fruit", "pirate"]);
    expect(promptWith({ any: ["mars", { all: ["chess", "legal"] }] }, rng, options).concepts).toSatisfy(
      (names: string[]) => names.includes("mars") || (names.includes("chess") && names.includes("legal")),
    );
    expect(promptWith({ all: ["chess", "fruit", "dogs"] }, rng, options).concepts).toEqual(["chess", "dogs", "fruit"]);
    expect(() => promptWith({ all: ["fruit"], none: ["fruit"] }, rng, options)).toThrow(/no prompt found/);
    expect(() => promptWith("fruits", rng, options)).toThrow(/fruits/);
    expect(unknownConcepts({ any: ["fruit", "fruits"] })).toEqual(["fruits"]);
    expect(() => contentOf(["nothing"])).toThrow(/nothing/);
  });
});

describe("words", () => {
  it("take the right article and plural", () => {
    expect(["apple", "unicycle", "euro", "umbrella", "usher", "violin"].map(withArticle)).toEqual([
      "an apple",
      "a unicycle",
      "a euro",
      "an umbrella",
      "an usher",
      "a violin",
    ]);
    expect(["cherry", "peach", "donkey", "wolf", "potato", "quiz"].map(plural).slice(0, 5)).toEqual([
      "cherries",
      "peaches",
      "donkeys",
      "wolves",
      "potatoes",
    ]);
  });
});
