/**
 * How a hypothesis will be tested, decided on the search half before the other half is touched.
 */

import { fullConditions } from "../compose/prompt-sets.js";
import type { Recipe } from "../compose/recipe.js";
import { askedKey, type Hypothesis, type Part } from "../concepts/detector.js";
import type { Evidence } from "../evidence/evidence.js";
import { wilson } from "../statistics/statistics.js";
import { choosePutting, naturalLevels, type RecipeResult, rankRecipes } from "./choose-recipes.js";
import type { Plan } from "./confirmation-sets.js";
import { failingWords } from "./failing-words.js";
import { learnPutting, learnWords } from "./learn-words.js";

/** Most recipes used in confirmation: a second way of asking guards against the habits of one. */
const MOST_RECIPES = 2;
/** A second recipe is used if it fires at least this share as often as the best (by cautious bounds). */
const SECOND_SHARE = 0.9;
/** … and a spare one, for sets that the first cannot fill, at least this share. */
const SPARE_SHARE = 0.5;

/** A level is chosen from at least so many natural prompts: bounds see to it that few count for little. */
const ENOUGH_NATURAL = 8;

export interface TestPlan extends Plan {
  /** Every recipe with its rate on the search half, best first. */
  readonly ranked: readonly RecipeResult[];
}

/**
 * Makes the plan; tries compositions on the search half. `size`: prompts in a set; `allowed`: one-sided error; `without`: concepts
 * beside which nothing is asked.
 */
export async function planTest(
  search: Evidence,
  hypothesis: Hypothesis,
  size: number,
  allowed: number,
  without: readonly Part[] = [],
): Promise<TestPlan> {
  const conditions = fullConditions(hypothesis).map((condition) => ({ ...condition, without }));
  await learnWords(search, conditions, `words of ${askedKey(hypothesis, without)}`);
  const ranked = await rankRecipes(search, conditions);
  const best = ranked[0] as RecipeResult;
  let failing = failingWords(search, hypothesis, without);
  if (hypothesis.parts.some((part) => part.negated)) {
    await learnPutting(search, hypothesis, { failing, without });
    failing = failingWords(search, hypothesis, without);
  }
  const levels = naturalLevels(search, { hypothesis, failing, without }, ENOUGH_NATURAL, best);
  const putting = await choosePutting(search, hypothesis, { failing, without });
  return { putting, ...chosenOf(ranked), levels, size, allowed, failing, without, ranked };
}

/** The plan with other recipes than it uses, and than `tried`; null where none of them fires at least half as often as its best. */
export function otherWays(plan: TestPlan, tried: readonly Recipe[]): TestPlan | null {
  const left = plan.ranked.filter(({ recipe }) => !plan.recipes.includes(recipe) && !tried.includes(recipe));
  const [best] = left;
  if (best === undefined || low(best) < SPARE_SHARE * low(plan.ranked[0] as RecipeResult)) return null;
  return { ...plan, ...chosenOf(left) };
}

/** Of recipes, best first, those that are used and those that are spare. */
function chosenOf(ranked: readonly RecipeResult[]): Pick<Plan, "recipes" | "spare"> {
  const least = low(ranked[0] as RecipeResult);
  const used = ranked.slice(0, MOST_RECIPES).filter((entry) => low(entry) >= SECOND_SHARE * least);
  const spare = ranked.filter((entry) => !used.includes(entry) && low(entry) >= SPARE_SHARE * least);
  return { recipes: used.map(({ recipe }) => recipe), spare: spare.map(({ recipe }) => recipe) };
}

function low({ rate: { count, total } }: RecipeResult): number {
  return wilson(count, total, 1).low;
}
