/**
 * Which compositions does the model take for the real thing, and from what strength on? Measured on the search half, so
 * that the confirmation half is asked once, with the way of asking already fixed.
 */

import type { Observation } from "../ask/laboratory.js";
import {
  type Condition,
  DEFAULT_LEVELS,
  failsByWord,
  fullCondition,
  type Levels,
  turned,
} from "../compose/prompt-sets.js";
import { type Recipe, recipesToPlan, recipesToPut } from "../compose/recipe.js";
import { askedKey, type Hypothesis, type Part, positiveIndices, positiveParts } from "../concepts/detector.js";
import { prominence, type Ranges } from "../concepts/ranges.js";
import type { Evidence } from "../evidence/evidence.js";
import type { Reading } from "../prompts/reading.js";
import { percentile, type Rate, rateOfFlags, wilson } from "../statistics/statistics.js";
import type { Plan } from "./confirmation-sets.js";

export interface RecipeResult {
  readonly recipe: Recipe;
  readonly rate: Rate;
  readonly observations: readonly Observation[];
}

/** Fresh compositions of every recipe, then more of the leading ones. */
const FIRST_DRAWS = 10;
const SECOND_DRAWS = 20;
const SECOND_RECIPES = 3;
/** A recipe that writes fewer than this share of what is asked comes after those that do: it could not fill a set. */
const WRITTEN_SHARE = 0.5;
/** Recipes are ranked by a one-standard-error lower bound: cautious about small sets, not as strict as a claim. */
const CAUTION = 1;
/** Levels of presence tried for prompts that people wrote. */
const NATURAL_LEVELS = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8] as const;
/** A level must keep this share of the corpus prompts that fire: a higher one would confirm only the easiest cases. */
const KEPT_FIRINGS = 0.3;

/** Natural prompts are trusted from this share of the best composition's (cautious) rate on. */
const COMPARABLE = 0.5;
/** Quantile of the firing compositions' presence from which a natural prompt holds the concept as clearly as they do. */
const CLEAR = 0.25;
/** No natural prompt is asked for more than this presence: compositions are chosen for strength, people's prompts are not. */
const CLEAREST = 0.6;

/** Rates of all recipes on the search half under the conditions, each of which one hypothesis says is enough; best first (ties by order of trial). */
export async function rankRecipes(evidence: Evidence, conditions: readonly Condition[]): Promise<RecipeResult[]> {
  const { hypothesis } = conditions[0] as Condition;
  // Of alternatives each is asked alone: nothing is mixed.
  const recipes = recipesToPlan(hypothesis.combination === "any" ? [] : positiveIndices(hypothesis));
  const seen = new Map<Recipe, Observation[]>(recipes.map((recipe) => [recipe, []]));
  const ranked = () =>
    recipes
      .map((recipe) => ({ recipe, observations: seen.get(recipe) ?? [] }))
      .map((entry) => ({
        ...entry,
        rate: rateOfFlags(entry.observations.map((one) => one.fired)),
        writes: entry.observations.length >= WRITTEN_SHARE * FIRST_DRAWS,
      }))
      .sort((a, b) => Number(b.writes) - Number(a.writes) || lower(b.rate) - lower(a.rate));
  await tryOut(evidence, conditions, recipes, FIRST_DRAWS, "recipes", seen);
  const leading = ranked().slice(0, SECOND_RECIPES);
  await tryOut(
    evidence,
    conditions,
    leading.map((entry) => entry.recipe),
    SECOND_DRAWS,
    "recipes again",
    seen,
  );
  return ranked();
}

/** Compositions of each way to put in what must be absent. */
const PUT_DRAWS = 24;

/**
 * For each part that must be absent the way of putting it in that the model takes for the real thing: the one under which the
 * action comes least. Empty for other parts, and where none can be written.
 */
export async function choosePutting(
  evidence: Evidence,
  hypothesis: Hypothesis,
  asked: Pick<Plan, "failing" | "without">,
): Promise<Recipe[][]> {
  const chosen: Recipe[][] = [];
  for (const [i, part] of hypothesis.parts.entries()) {
    const ways = part.negated ? recipesToPut(i) : [];
    const put = { ...turned(fullCondition(hypothesis), i), ...asked };
    const name = `put ${i} into ${askedKey(hypothesis, asked.without)}`;
    const drawn = await evidence.drawAll(ways.map((way) => evidence.composed(way, put, PUT_DRAWS, name, false)));
    const rates = drawn.map((observations) => rateOfFlags(observations.map(({ fired }) => fired)));
    const written = ways.flatMap((way, k) => {
      const { count, total } = rates[k] as Rate;
      return total < WRITTEN_SHARE * PUT_DRAWS ? [] : [{ way, high: wilson(count, total, CAUTION).high }];
    });
    written.sort((a, b) => a.high - b.high);
    chosen.push(written.slice(0, 1).map(({ way }) => way));
  }
  return chosen;
}

function lower(rate: Rate): number {
  return wilson(rate.count, rate.total, CAUTION).low;
}

async function tryOut(
  evidence: Evidence,
  conditions: readonly Condition[],
  recipes: readonly Recipe[],
  count: number,
  name: string,
  seen: ReadonlyMap<Recipe, Observation[]>,
): Promise<void> {
  const requests = recipes.flatMap((recipe) =>
    conditions.map((condition, only) => ({
      recipe,
      request: evidence.composed(
        recipe,
        condition,
        Math.ceil(count / conditions.length),
        `${name} ${askedKey(condition.hypothesis, condition.without ?? [])} ${only}`,
        true,
      ),
    })),
  );
  const drawn = await evidence.drawAll(requests.map((entry) => entry.request));
  requests.forEach(({ recipe }, i) => {
    seen.get(recipe)?.push(...(drawn[i] ?? []));
  });
}

/**
 * Levels for prompts of the corpus: the presence from which natural prompts of the search half fire most surely, among
 * levels that keep most of those that fire. Where none of them fires nearly as surely as the best composition does (the
 * corpus may hold the concept only faintly), a natural prompt must hold it as clearly as compositions that fire.
 */
export function naturalLevels(
  evidence: Evidence,
  { hypothesis, failing, without }: Pick<Condition, "hypothesis"> & Pick<Plan, "failing" | "without">,
  least: number,
  best: RecipeResult,
): Levels {
  const { ranges } = evidence.room;
  const condition = { ...fullCondition(hypothesis), failing };
  const absent = (part: Part, reading: Reading) => prominence(reading, part, ranges) < DEFAULT_LEVELS.absent;
  const scored = evidence.natural
    .filter(({ prompt, reading }) => !failsByWord(evidence.room, condition, prompt, reading))
    .filter(({ reading }) => without.every((part) => absent(part, reading)))
    .map((observation) => ({
      fired: observation.fired,
      score: weakestPresence(observation, hypothesis, ranges),
    }));
  const firing = scored.filter((entry) => entry.fired && entry.score >= (NATURAL_LEVELS[0] as number)).length;
  let level: number | null = null;
  let most = COMPARABLE * lower(best.rate);
  for (const tried of NATURAL_LEVELS) {
    const inside = scored.filter((entry) => entry.score >= tried);
    const count = inside.filter((entry) => entry.fired).length;
    if (inside.length < least || count < KEPT_FIRINGS * firing) continue;
    const low = wilson(count, inside.length, CAUTION).low;
    if (low > most) {
      most = low;
      level = tried;
    }
  }
  if (level === null) {
    const presences = best.observations
      .filter((observation) => observation.fired)
      .map((observation) => weakestPresence(observation, hypothesis, ranges));
    level = Math.min(CLEAREST, Math.max(DEFAULT_LEVELS.present, percentile(presences, CLEAR)));
  }
  return { present: level, absent: Math.min(level, DEFAULT_LEVELS.absent) };
}

/** Presence of the weakest positive part (the strongest for "any"); −1 where an excluded concept is there. */
function weakestPresence({ reading }: Observation, hypothesis: Hypothesis, ranges: Ranges): number {
  const excluded = hypothesis.parts.some(
    (part) => part.negated && prominence(reading, part, ranges) >= DEFAULT_LEVELS.absent,
  );
  if (excluded) return -1;
  const positive = positiveParts(hypothesis).map((part) => prominence(reading, part, ranges));
  return hypothesis.combination === "any" ? Math.max(...positive) : Math.min(...positive);
}
