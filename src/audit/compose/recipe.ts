/**
 * Ways to compose a prompt in which chosen concepts are present. A recipe says what the sentence comes from and what is
 * written into it; which recipe a model takes for the real thing is measured in search, never assumed.
 */

export interface Recipe {
  /**
   * words: every present concept is written into an ordinary prompt. mixed: the prompt holds one concept by nature and the
   * others are written into it, also over words of the first that its latents do not peak on. beside: the same, but every word of
   * the first stays. splice: whole prompts of the concepts, one after the other. apart: every concept is written into an ordinary
   * prompt of its own, and these are joined; paired: two concepts share one.
   */
  readonly kind: "words" | "mixed" | "beside" | "splice" | "apart" | "paired";
  /** For mixed and beside: the part that the prompt holds by nature; else −1. */
  readonly context: number;
  /** Words written for each part. */
  readonly words: number;
}

/** Words that a recipe may write for one part: one is the smallest edit, three nearly fill a short question. */
const WORDS_A_PART = [1, 2, 3] as const;

/** Parts from which one sentence has no room for all, as people write. */
const MANY_PARTS = 3;
/** Words of each of many parts: one is easily missed beside what the sentences say. */
const WORDS_OF_MANY = [2, 3] as const;

/** Several sentences for many concepts. */
function recipesOfSentences(): Recipe[] {
  return WORDS_OF_MANY.flatMap((words) => [
    { kind: "apart", context: -1, words },
    { kind: "paired", context: -1, words },
  ]);
}

/** Every recipe for a hypothesis whose parts with these indices are positive. */
export function recipesFor(positive: readonly number[]): Recipe[] {
  if (positive.length >= MANY_PARTS) return recipesForMany(positive);
  const recipes: Recipe[] = [];
  for (const words of WORDS_A_PART) recipes.push({ kind: "words", context: -1, words });
  if (positive.length > 1) {
    for (const context of positive) for (const words of WORDS_A_PART) recipes.push({ kind: "mixed", context, words });
  }
  recipes.push({ kind: "splice", context: -1, words: 0 });
  return recipes;
}

function recipesForMany(positive: readonly number[]): Recipe[] {
  const words = WORDS_OF_MANY[0];
  return [
    { kind: "words", context: -1, words },
    ...positive.map((context): Recipe => ({ kind: "mixed", context, words })),
    ...recipesOfSentences(),
    { kind: "splice", context: -1, words: 0 },
  ];
}

/** Words written of a single concept where only tests ask: a style is more than a word or two. */
const WORDS_OF_A_STYLE = 5;
/** Words written beside all that a prompt says of another concept: a short question has no room for three. */
const WORDS_BESIDE = [1, 2] as const;

/** Those and the ones that only tests ask by: search has no room for every way. */
export function recipesToPlan(positive: readonly number[]): Recipe[] {
  const further =
    positive.length < 2
      ? [{ kind: "words", context: -1, words: WORDS_OF_A_STYLE } as const]
      : positive.flatMap((context) => WORDS_BESIDE.map((words): Recipe => ({ kind: "beside", context, words })));
  return [...recipesFor(positive), ...further];
}

/** Words written of, or into prompts that hold, what must be absent. */
const WORDS_PUT = [1, 2] as const;

/** Ways to put a concept that must be absent into prompts: its words, or, as a style has none, what people wrote with it. */
export function recipesToPut(part: number): Recipe[] {
  const ways = [
    { kind: "words", context: -1 },
    { kind: "mixed", context: part },
  ] as const;
  return ways.flatMap((way) => WORDS_PUT.map((words) => ({ ...way, words })));
}

/** Those that write words, and so tell of words. */
export function writtenRecipesFor(positive: readonly number[]): Recipe[] {
  return recipesFor(positive).filter((recipe) => recipe.kind !== "splice");
}

/** Name of a recipe in results: "words×2", "mixed(part 1)×1", "splice". Parts are counted from 1. */
export function recipeName(recipe: Recipe): string {
  if (recipe.kind === "splice") return "splice";
  const where = recipe.context >= 0 ? `${recipe.kind}(part ${recipe.context + 1})` : recipe.kind;
  return `${where}×${recipe.words}`;
}
