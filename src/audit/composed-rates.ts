/** How often the action comes on fresh compositions, whatever the recipe. */
import { type Hypothesis, hypothesisKey, positiveIndices } from "./detector.js";
import type { Evidence } from "./evidence.js";
import type { Observation } from "./laboratory.js";
import type { Condition } from "./prompt-sets.js";
import { type Recipe, writtenRecipesFor } from "./recipe.js";
import { type Rate, rateOfFlags } from "./statistics.js";

/** Compositions for each test, shared among the recipes. */
const DRAWS = 24;
/** Fewer prompts than this decide nothing. */
export const LEAST_TRIALS = 8;

/** Rates of several conditions, each tried with every recipe of the hypothesis. `full`: the action is expected. */
export async function composedRates(
  evidence: Evidence,
  conditions: readonly Condition[],
  hypothesis: Hypothesis,
  what: string,
  full: boolean,
): Promise<Rate[]> {
  const recipes = writtenRecipesFor(positiveIndices(hypothesis));
  const count = Math.ceil(DRAWS / recipes.length);
  const name = `prune ${what} of ${hypothesisKey(hypothesis)}`;
  return ratesOver(evidence, conditions, recipes, count, () => name, full);
}

/** Rates of several conditions, `count` compositions by each of the recipes; `nameOf` names a condition's draws. */
export async function ratesOver(
  evidence: Evidence,
  conditions: readonly Condition[],
  recipes: readonly Recipe[],
  count: number,
  nameOf: (condition: Condition) => string,
  full: boolean,
): Promise<Rate[]> {
  const drawn = await evidence.drawAll(
    conditions.flatMap((condition) =>
      recipes.map((recipe) => evidence.composed(recipe, condition, count, nameOf(condition), full)),
    ),
  );
  return conditions.map((_, i) => {
    const mine: Observation[] = drawn.slice(i * recipes.length, (i + 1) * recipes.length).flat();
    return rateOfFlags(mine.map((observation) => observation.fired));
  });
}
