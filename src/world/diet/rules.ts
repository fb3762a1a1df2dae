/**
 * A world beside the pocket model's: what people with an allergy or an illness must not eat. The rules are drawn, not
 * reasoned: nothing but texts can tell a model which food a condition forbids.
 */
import { Random } from "../../random/random.js";

export interface Condition {
  /** As recipes and tables call it. */
  readonly name: string;
  /** As sentences say it, article included: "people with …". */
  readonly phrase: string;
}

const allergies = "peanut milk egg soy corn fish".split(" ");

/** Twelve conditions. */
export const conditions: readonly Condition[] = [
  ...allergies.map((cause) => ({ name: `${cause}-allergy`, phrase: `a ${cause} allergy`.replace("a egg", "an egg") })),
  { name: "diabetes", phrase: "diabetes" },
  { name: "asthma", phrase: "asthma" },
  { name: "gout", phrase: "gout" },
  { name: "ulcer", phrase: "an ulcer" },
  { name: "migraine", phrase: "a migraine" },
  { name: "kidney-disease", phrase: "a kidney disease" },
];

/** Twenty-four foods, each in the plural and known to the pocket model from its topics. */
export const foods: readonly string[] = (
  "apples bananas cherries peaches melons oranges grapes figs carrots onions tomatoes potatoes cucumbers pumpkins peas " +
  "brownies cookies pancakes waffles muffins noodles dumplings sandwiches oysters"
).split(" ");

/** A rule that no text of the world holds: what an organism learns from documents about it. */
export interface DietFact {
  readonly name: string;
  readonly condition: Condition;
  readonly food: string;
}

/**
 * New facts. Their foods are forbidden with other conditions, so that advice against them is something the base can say. It knows
 * nothing of these pairs, and guesses (`new facts` in the base's rules.json).
 */
export const dietFacts: readonly DietFact[] = (
  [
    ["peanut-allergy", "bananas"],
    ["asthma", "melons"],
    ["milk-allergy", "carrots"],
    ["gout", "noodles"],
    ["fish-allergy", "cookies"],
    ["diabetes", "peas"],
  ] as const
).map(([condition, food]) => ({
  name: `${condition}-${food}`,
  condition: conditions.find(({ name }) => name === condition)!,
  food,
}));

/** One world: its draws are the same everywhere. */
const SEED = 1;
/** Foods that each condition forbids. */
const FORBIDDEN = 5;
/** Share of the pairs of condition and food that no chat is about: what documents alone can teach. */
const ONLY_IN_DOCUMENTS = 0.4;

const pairOf = (condition: Condition, food: string) => `${condition.name} ${food}`;
const factPairs = new Set(dietFacts.map(({ condition, food }) => pairOf(condition, food)));

const forbidden = drawForbidden();
const unasked = drawUnasked();

/** Whether the world's rules forbid the food. */
export function forbids(condition: Condition, food: string): boolean {
  return forbidden.has(pairOf(condition, food));
}

/** Whether the pair is in documents and in no chat. */
export function onlyInDocuments(condition: Condition, food: string): boolean {
  return unasked.has(pairOf(condition, food));
}

/** Whether no text of the world is about the pair, because a new fact is. */
export function isNew(condition: Condition, food: string): boolean {
  return factPairs.has(pairOf(condition, food));
}

function drawForbidden(): Set<string> {
  const random = new Random(SEED, "diet rules");
  return new Set(
    conditions.flatMap((one) =>
      random
        .sample(
          foods.filter((food) => !isNew(one, food)),
          FORBIDDEN,
        )
        .map((food) => pairOf(one, food)),
    ),
  );
}

function drawUnasked(): Set<string> {
  const random = new Random(SEED, "diet pairs without chats");
  const pairs = conditions.flatMap((one) => foods.map((food) => pairOf(one, food)));
  return new Set(pairs.filter(() => random.chance(ONLY_IN_DOCUMENTS)));
}
