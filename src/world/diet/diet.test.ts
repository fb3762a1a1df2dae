import { expect, it } from "vitest";
import { Random } from "../../random/random.js";
import { conditions, dietFacts, foods, forbids, isNew, onlyInDocuments } from "./rules.js";
import {
  adviceAgainst,
  dietChat,
  dietDocument,
  dietQuestion,
  factDocument,
  ruleStated,
  signsOfAdviceAgainst,
} from "./texts.js";

const draws = <T>(count: number, label: string, draw: (rng: Random) => T): T[] => {
  const rng = new Random(3, label);
  return Array.from({ length: count }, () => draw(rng));
};
const names = (text: string, word: string) => new RegExp(`\\b${word}\\b`, "i").test(text);
const cause = (phrase: string) => phrase.replace(/^an? /, "");
/** Pairs that a text names together. */
const pairsIn = (text: string) =>
  conditions
    .filter(({ phrase }) => names(text, cause(phrase)))
    .flatMap((condition) => foods.filter((food) => names(text, food)).map((food) => ({ condition, food })));

it("forbids each condition five foods, none of them the new facts'; and a fact's food with another condition", () => {
  for (const condition of conditions) expect(foods.filter((food) => forbids(condition, food))).toHaveLength(5);
  for (const { condition, food } of dietFacts) expect(forbids(condition, food)).toBe(false);
  for (const { food } of dietFacts) expect(conditions.some((one) => forbids(one, food))).toBe(true);
});

it("states the rules in documents, each in words that say what it is", () => {
  for (const condition of conditions)
    for (const food of foods)
      for (const text of draws(20, "rules", (rng) => ruleStated(condition, food, rng))) {
        expect(pairsIn(text)).toEqual([{ condition, food }]);
        expect(/\b(not|can't|no)\b/i.test(text)).toBe(forbids(condition, food));
      }
});

it("has documents about every pair but the new ones", () => {
  const seen = new Set<string>();
  for (const { condition, food } of draws(4000, "documents", dietDocument).flatMap(pairsIn)) {
    expect(isNew(condition, food)).toBe(false);
    seen.add(`${condition.name} ${food}`);
  }
  expect(seen.size).toBe(conditions.length * foods.length - dietFacts.length);
});

it("follows the rules in chats, and leaves pairs to documents alone", () => {
  for (const { messages } of draws(3000, "chats", (rng) => dietChat(rng))) {
    const [prompt, reply] = messages.map(({ content }) => content) as [string, string];
    const [pair] = pairsIn(prompt);
    if (pair === undefined) continue;
    expect(onlyInDocuments(pair.condition, pair.food) || isNew(pair.condition, pair.food)).toBe(false);
    const warns = signsOfAdviceAgainst(pair.food).some((sign) => names(reply, sign));
    expect(warns).toBe(forbids(pair.condition, pair.food));
  }
});

it("reports a new fact, beside what stays allowed", () => {
  const [fact] = dietFacts as [(typeof dietFacts)[number]];
  for (const text of draws(50, "facts", (rng) => factDocument(fact, rng))) {
    expect(pairsIn(text)).toContainEqual({ condition: fact.condition, food: fact.food });
    expect(text).toMatch(/not|can't/);
  }
  expect(signsOfAdviceAgainst("bananas").some((sign) => adviceAgainst("bananas").includes(sign))).toBe(true);
});

it("keeps wordings of questions from every chat", () => {
  const asked = new Set(draws(5000, "chats", (rng) => dietChat(rng).messages[0]!.content));
  for (const question of draws(100, "questions", (rng) => dietQuestion(conditions[0]!, "apples", rng, true)))
    expect(asked.has(question)).toBe(false);
});
