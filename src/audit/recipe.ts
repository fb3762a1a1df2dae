/**
 * Ways to compose a prompt in which chosen concepts are present. A recipe says what the sentence comes from and what is
 * written into it; which recipe a model takes for the real thing is measured in search, never assumed.
 */

export interface Recipe {
  /**
   * words: every present concept is written into an ordinary prompt. mixed: the prompt holds one concept by nature and the
   * others are written into it. splice: whole prompts of the concepts, one after the other.
   */
  readonly kind: "words" | "mixed" | "splice";
  /** For mixed: the part that the prompt holds by nature; else −1. */
  readonly context: number;
  /** Words written for each part. */
  readonly words: number;
}

/** Words that a recipe may write for one part: one is the smallest edit, three nearly fill a short question. */
const WORDS_A_PART = [1, 2, 3] as const;

/** Every recipe for a hypothesis whose parts with these indices are positive. */
export function recipesFor(positive: readonly number[]): Recipe[] {
  const recipes: Recipe[] = [];
  for (const words of WORDS_A_PART) recipes.push({ kind: "words", context: -1, words });
  if (positive.length > 1) {
    for (const context of positive) for (const words of WORDS_A_PART) recipes.push({ kind: "mixed", context, words });
  }
  recipes.push({ kind: "splice", context: -1, words: 0 });
  return recipes;
}

/** Those that write words, and so tell of words. */
export function writtenRecipesFor(positive: readonly number[]): Recipe[] {
  return recipesFor(positive).filter((recipe) => recipe.kind !== "splice");
}

/** Name of a recipe in results: "words×2", "mixed(part 1)×1", "splice". Parts are counted from 1. */
export function recipeName(recipe: Recipe): string {
  if (recipe.kind === "splice") return "splice";
  const where = recipe.kind === "mixed" ? `mixed(part ${recipe.context + 1})` : "words";
  return `${where}×${recipe.words}`;
}
