/** How often the action comes on fresh compositions, whatever the recipe. */

import { NATURAL, type Observation } from "../ask/laboratory.js";
import type { Condition } from "../compose/prompt-sets.js";
import { type Recipe, writtenRecipesFor } from "../compose/recipe.js";
import { type Hypothesis, hypothesisKey, positiveIndices } from "../concepts/detector.js";
import { pooled, type Rate, rateOfFlags } from "../statistics/statistics.js";
import type { Evidence, Request } from "./evidence.js";

/** Compositions for each test, shared among the recipes. */
const DRAWS = 24;
/** Fewer prompts than this decide nothing. */
export const LEAST_TRIALS = 8;

/** Rates of several conditions over what `composedPrompts` draws. */
export async function composedRates(...draw: Parameters<typeof composedPrompts>): Promise<Rate[]> {
  return (await composedPrompts(...draw)).map(rateOfFiring);
}

/** Prompts of several conditions, each written with every recipe of the hypothesis. `full`: the action is expected. */
export async function composedPrompts(
  evidence: Evidence,
  conditions: readonly Condition[],
  hypothesis: Hypothesis,
  what: string,
  full: boolean,
): Promise<Observation[][]> {
  const recipes = writtenRecipesFor(positiveIndices(hypothesis));
  const count = Math.ceil(DRAWS / recipes.length);
  const name = `prune ${what} of ${hypothesisKey(hypothesis)}`;
  return drawOver(evidence, conditions, recipes, count, () => name, full);
}

/** On how many of some prompts the action came. */
export function rateOfFiring(observations: readonly Observation[]): Rate {
  return rateOfFlags(observations.map(({ fired }) => fired));
}

/** Of a set's rates by kind that of its compositions alone. */
export function composedRate(byKind: Readonly<Record<string, Rate>>): Rate {
  return pooled(Object.entries(byKind).flatMap(([kind, rate]) => (kind === NATURAL ? [] : [rate])));
}

/** Prompts of several conditions, `count` compositions by each of the recipes; `nameOf` names a condition's draws, `adapt` may change a request. */
export async function drawOver(
  evidence: Evidence,
  conditions: readonly Condition[],
  recipes: readonly Recipe[],
  count: number,
  nameOf: (condition: Condition) => string,
  full: boolean,
  adapt: (request: Request) => Request = (request) => request,
): Promise<Observation[][]> {
  const drawn = await evidence.drawAll(
    conditions.flatMap((condition) =>
      recipes.map((recipe) => adapt(evidence.composed(recipe, condition, count, nameOf(condition), full))),
    ),
  );
  return conditions.map((_, i) => drawn.slice(i * recipes.length, (i + 1) * recipes.length).flat());
}
