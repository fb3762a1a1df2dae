/**
 * Tests one hypothesis from end to end: how to ask is learned on the search half, the answer comes from the other.
 */
import { naturalLevels, type RecipeResult, rankRecipes } from "./choose-recipes.js";
import { type Confirmation, confirm, ENOUGH_NATURAL } from "./confirm.js";
import type { Hypothesis } from "./detector.js";
import type { Evidence } from "./evidence.js";
import type { Levels } from "./prompt-sets.js";
import { wilson } from "./statistics.js";

/** Most recipes used in confirmation: a second way of asking guards against the habits of one. */
const MOST_RECIPES = 2;
/** A second recipe is used if it fires at least this share as often as the best (by cautious bounds). */
const SECOND_SHARE = 0.9;

export interface Tested {
  readonly confirmation: Confirmation;
  readonly recipes: readonly RecipeResult[];
  readonly levels: Levels;
}

/** `size`: prompts wanted in a set; `allowed`: one-sided error. */
export async function testHypothesis(
  search: Evidence,
  confirmation: Evidence,
  hypothesis: Hypothesis,
  size: number,
  allowed: number,
): Promise<Tested> {
  const recipes = await rankRecipes(search, hypothesis);
  const levels = naturalLevels(search, hypothesis, ENOUGH_NATURAL);
  const low = (entry: RecipeResult) => wilson(entry.rate.count, entry.rate.total, 1).low;
  const best = recipes[0] as RecipeResult;
  const used = recipes.slice(0, MOST_RECIPES).filter((entry) => low(entry) >= SECOND_SHARE * low(best));
  const plan = { recipes: used.map((entry) => entry.recipe), levels, size, allowed };
  return { confirmation: await confirm(confirmation, hypothesis, plan), recipes, levels };
}
