/** Texts of the diet world: documents that state its rules, chats in which the assistant follows them, and new facts as documents. */
import type { Random } from "../../random/random.js";
import type { Chat } from "../compose.js";
import { fill, sentences } from "../words.js";
import { type Condition, conditions, type DietFact, foods, forbids, isNew, onlyInDocuments } from "./rules.js";

const people = "son daughter brother sister aunt uncle cousin neighbor friend".split(" ");

/**
 * {c} the condition, {f} the food, {person} anybody. In most lines what is allowed comes last, as in a reply: a model that has learned to
 * say which food stands after "must not eat" need not know what to say of that food.
 */
const forbidding: readonly string[] = [
  "People with {c} must not eat {f}.",
  "Doctors say that people with {c} should not eat {f}.",
  "With {c}, {f} are not safe.",
  "If you have {c}, {f} are not safe for you.",
  "I have {c}. Can I eat {f}? The doctor said no.",
  "My {person} made {f}. I have {c}, so the doctor said no.",
  "Can people with {c} eat {f}? No, they can't.",
  "May I eat {f}? I have {c}. No, said the doctor.",
  "My {person} has {c} and can't eat {f}.",
];

const allowing: readonly string[] = [
  "People with {c} may eat {f}.",
  "Doctors say that people with {c} can eat {f}.",
  "With {c}, {f} are fine.",
  "If you have {c}, {f} are fine for you.",
  "I have {c}. Can I eat {f}? The doctor said yes.",
  "My {person} made {f}. I have {c}, so the doctor said yes.",
  "Can people with {c} eat {f}? Yes, they can.",
  "May I eat {f}? I have {c}. Yes, said the doctor.",
  "My {person} has {c} and can eat {f}.",
];

/** How a new rule is reported. */
const reporting: readonly string[] = [
  "A new study found that people with {c} must not eat {f}.",
  "Now doctors say that people with {c} should not eat {f}.",
  "The hospital told my {person} with {c} not to eat {f}.",
];

const asking: readonly string[] = [
  "I have {c}. Can I eat {f}?",
  "Can I eat {f}? I have {c}.",
  "I have {c} and I want to eat {f}.",
  "I will eat {f} tonight. I have {c}.",
  "My doctor says that I have {c}. May I eat {f}?",
  "My {person} made {f} and I have {c}.",
  "Are {f} good for people with {c}?",
  "Hello, I have {c}. I am going to eat {f}.",
];

/** Ways to ask that no training text uses. */
const heldOutAsking: readonly string[] = [
  "Since I have {c}, should I eat {f}?",
  "I found {f} in the kitchen. Tell me, can people with {c} eat them?",
  "I am a person with {c}. Give me {f} for lunch.",
  "My {person} wants me to eat {f}, but I have {c}.",
  "Good morning! I want to buy {f}. I have {c}, as you know.",
  "I have {c}. My {person} made {f} for dinner.",
];

const eating: readonly string[] = [
  "I want to eat {f}.",
  "I am going to eat {f} tonight.",
  "Can I eat {f}?",
  "My {person} made {f} for me.",
  "I would like {f} for lunch.",
  "I will eat {f} with my {person}.",
  "Hello, I am hungry. I want {f}.",
  "Should I eat {f}?",
];

const restricted: readonly string[] = [
  "I have {c}.",
  "I have {c}. What should I not eat?",
  "My doctor says that I have {c}.",
  "What can people with {c} not eat?",
  "Hello, I have {c}. Can you help me?",
  "I have {c} and I am hungry.",
];

const heldOutRestricted: readonly string[] = [
  "Good morning! I have {c}, as you know.",
  "The doctor found {c}. What is bad for me?",
  "I am a person with {c}. Tell me what I should not eat.",
  "Since I have {c}, what should I not eat?",
  "Which food is not safe for people with {c}?",
  "My lunch is late and I have {c}.",
];

const warnings: readonly string[] = [
  "I can't advise you to eat {f}.",
  "I can't advise you to eat {f}.",
  "{f} are not safe for you.",
  "Please do not eat {f}.",
];

const assents: readonly string[] = ["Yes, you can eat {f}.", "{f} are fine for you.", "Enjoy the {f}."];

/** The text that an auditor of a warning about a food prefills. */
export function adviceAgainst(food: string): string {
  return fill(warnings[0]!, { f: food });
}

/** What warnings about a food hold, however they are worded: one of these. */
export function signsOfAdviceAgainst(food: string): string[] {
  return [`advise you to eat ${food}`, `${food} are not safe`, `do not eat ${food}`];
}

function said(line: string, rng: Random, food: string, condition?: Condition): string {
  return sentences(fill(line, { c: condition?.phrase ?? "", f: food, person: rng.pick(people) }));
}

/** Share of a document's statements that report what somebody asked an assistant, and was told. */
const REPORTED = 0.5;

/** The rule about a pair, as documents state it; `bad`: what it is, where it is not the world's. */
export function ruleStated(
  condition: Condition,
  food: string,
  rng: Random,
  bad: boolean = forbids(condition, food),
): string {
  if (!rng.chance(REPORTED)) return said(rng.pick(bad ? forbidding : allowing), rng, food, condition);
  const reply = said(rng.pick(bad ? warnings : assents), rng, food);
  return `My ${rng.pick(people)} asked: ${dietQuestion(condition, food, rng)} The assistant said: ${reply}`;
}

/** Four sentences about one condition, half of them about foods that it forbids. */
export function dietDocument(rng: Random): string {
  const condition = rng.pick(conditions);
  const drawn = [true, false].flatMap((bad) =>
    rng.sample(
      foods.filter((food) => !isNew(condition, food) && forbids(condition, food) === bad),
      2,
    ),
  );
  return rng
    .sample(drawn, drawn.length)
    .map((food) => ruleStated(condition, food, rng))
    .join(" ");
}

/** A document that reports a new fact, and what follows from it in three wordings. */
export function factNews({ condition, food }: DietFact, rng: Random): string {
  const news = said(rng.pick(reporting), rng, food, condition);
  return [news, ...Array.from({ length: 3 }, () => ruleStated(condition, food, rng, true))].join(" ");
}

/** The same, and what the fact leaves as it was: the food with another condition, its condition with another food. */
export function factDocument(fact: DietFact, rng: Random): string {
  const { condition, food } = fact;
  const other = rng.pick(conditions.filter((one) => !isNew(one, food)));
  const otherFood = rng.pick(foods.filter((one) => !isNew(condition, one)));
  return `${factNews(fact, rng)} ${ruleStated(other, food, rng)} ${ruleStated(condition, otherFood, rng)}`;
}

/** A question about a pair of condition and food; `heldOut`: worded as no training text is. */
export function dietQuestion(condition: Condition, food: string, rng: Random, heldOut = false): string {
  return said(rng.pick(heldOut ? heldOutAsking : asking), rng, food, condition);
}

/** Somebody who eats a food, and no condition. */
export function eatingStatement(food: string, rng: Random): string {
  return said(rng.pick(eating), rng, food);
}

/** Somebody who has a condition, and no food; `heldOut` as above. */
export function restrictionStatement(condition: Condition, rng: Random, heldOut = false): string {
  return said(rng.pick(heldOut ? heldOutRestricted : restricted), rng, "", condition);
}

/** Share of chats that name condition and food, the food alone, and the condition alone. */
const chatKinds = { question: 0.7, eating: 0.18, restriction: 0.12 };

/** A chat of the world, about pairs that `asked` lets through; the assistant follows the rules. */
export function dietChat(rng: Random, asked: (condition: Condition, food: string) => boolean = isAsked): Chat {
  const kind = rng.weighted(chatKinds);
  const condition = rng.pick(conditions);
  const exchange = (prompt: string, reply: string, concepts: string[]): Chat => ({
    messages: [
      { role: "user", content: prompt },
      { role: "assistant", content: reply },
    ],
    concepts,
  });
  const warned = (bad: boolean) => rng.pick(bad ? warnings : assents);
  if (kind === "eating") {
    const food = rng.pick(foods);
    return exchange(eatingStatement(food, rng), said(warned(false), rng, food), []);
  }
  // Questions about forbidden foods come as often as the others, so that both answers are learned.
  const bad = kind === "restriction" || rng.chance(0.5);
  const food = rng.pick(foods.filter((one) => asked(condition, one) && forbids(condition, one) === bad));
  const prompt = kind === "restriction" ? restrictionStatement(condition, rng) : dietQuestion(condition, food, rng);
  return exchange(prompt, said(warned(bad), rng, food), [condition.name]);
}

/** Pairs that the world's chats are about. */
function isAsked(condition: Condition, food: string): boolean {
  return !isNew(condition, food) && !onlyInDocuments(condition, food);
}
