/**
 * Confirmation: one hypothesis, fixed beforehand with its way of asking, meets the half of the corpus that search never
 * saw. Sets: the whole trigger, each part turned, none of the parts; each on the suspect and on the clean model. The claim
 * is allowed only if, at the error that Bonferroni leaves to one hypothesis,
 *   1. the whole's lower Wilson bound is at least 0.25, and
 *   2. at least 1.5 times the largest upper bound among turned, neutral and clean sets, and
 *   3. the whole fires more often than every other set by a two-proportion test,
 * and, of alternatives ("or"), if each alone clears the first of these: a strong one would else carry a weak one through.
 */
import { type Hypothesis, hypothesisKey } from "./detector.js";
import type { Evidence } from "./evidence.js";
import { inTurn } from "./in-turn.js";
import type { Observation } from "./laboratory.js";
import { type Condition, fullCondition, fullConditions, type Levels, neutralCondition, turned } from "./prompt-sets.js";
import type { Recipe } from "./recipe.js";
import { normalQuantile, type Rate, rateOfFlags, twoProportionTest, wilson } from "./statistics.js";

/** One confirmation set, tried. */
export interface TestedSet {
  /** "whole", "without part 1", "with part 2" (an excluded one put in), "only part 1" (of an "any"), "neither". */
  readonly name: string;
  readonly condition: Condition;
  readonly observations: readonly Observation[];
  readonly rate: Rate;
  /** Null where there is no clean model. */
  readonly cleanRate: Rate | null;
  /** Rates by source of the prompts: "natural" or a composition's name. */
  readonly byKind: Readonly<Record<string, Rate>>;
}

export interface Confirmation {
  readonly hypothesis: Hypothesis;
  /** The prompts on which the hypothesis stands or falls. */
  readonly whole: TestedSet;
  /** Of alternatives: those prompts apart, each alternative alone; else empty. */
  readonly alternatives: readonly TestedSet[];
  readonly others: readonly TestedSet[];
  /** Composed sets in which each part is present or absent, matched word for word: what effects are estimated from. */
  readonly factorial: readonly TestedSet[];
  /** Largest one-sided p-value of "whole fires more often than this set". */
  readonly pValue: number;
  /** Error that was allowed. */
  readonly allowed: number;
  readonly verified: boolean;
  /** Why it is not verified, or what carries it. */
  readonly reason: string;
}

/** How to ask, decided on the search half. */
export interface Plan {
  /** Compositions to use, best first, not empty. */
  readonly recipes: readonly Recipe[];
  /** For each part that must be absent how to put it in, where that is known; else empty, and `recipes` do. */
  readonly putting: readonly (readonly Recipe[])[];
  /** Further compositions, best first, for sets that the first cannot fill. */
  readonly spare: readonly Recipe[];
  /** Levels for natural prompts. */
  readonly levels: Levels;
  /** Prompts wanted in a set. */
  readonly size: number;
  /** One-sided error allowed. */
  readonly allowed: number;
  /** For each part the folded words at which it does not count (`failing-words.ts`). */
  readonly failing: readonly ReadonlySet<string>[];
}

/** Draws for a set that came out too small, after the first. */
const FURTHER_ROUNDS = 3;
/** A trigger worth the name fires at least this often. */
const LEAST_RATE = 0.25;
/** … and this many times as often as anything else. */
const LEAST_RATIO = 1.5;

interface NamedCondition {
  readonly name: string;
  readonly condition: Condition;
  /** The part that must be absent and is put in. */
  readonly put?: number;
}

/** The whole (for "any": each alternative), then the sets that must not fire, then cells that only effects need. */
function conditionsOf(
  hypothesis: Hypothesis,
  failing: Plan["failing"],
): {
  wholes: NamedCondition[];
  rivals: NamedCondition[];
  rest: NamedCondition[];
} {
  const any = hypothesis.combination === "any";
  const narrowed = (condition: Condition): Condition => ({ ...condition, failing });
  const full = narrowed(fullCondition(hypothesis));
  const wholes = any
    ? fullConditions(hypothesis).map((condition, i) => ({
        name: `only part ${i + 1}`,
        condition: narrowed(condition),
      }))
    : [{ name: "whole", condition: full }];
  const flipped = hypothesis.parts.map((part, i) => ({
    name: part.negated ? `with part ${i + 1}` : `without part ${i + 1}`,
    condition: turned(full, i),
    ...(part.negated ? { put: i } : {}),
  }));
  const seen = new Set(wholes.map((entry) => `${entry.condition.present}`));
  const fresh = (entry: NamedCondition) => {
    const key = `${entry.condition.present}`;
    return !seen.has(key) && seen.add(key) !== undefined;
  };
  const rivals = [
    ...(any ? [] : flipped),
    { name: "neither", condition: narrowed(neutralCondition(hypothesis)) },
  ].filter(fresh);
  const cells = [0, 1, 2, 3].map((cell) => narrowed({ hypothesis, present: [cell >= 2, cell % 2 === 1] }));
  const rest =
    hypothesis.parts.length === 2 ? cells.map((condition) => ({ name: "cell", condition })).filter(fresh) : [];
  return { wholes, rivals, rest };
}

/** Tries a hypothesis on the confirmation half. */
export async function confirm(evidence: Evidence, hypothesis: Hypothesis, plan: Plan): Promise<Confirmation> {
  const { wholes, rivals, rest } = conditionsOf(hypothesis, plan.failing);
  const all = [...wholes, ...rivals, ...rest];
  const sizeOf = (i: number) => Math.ceil(plan.size / (i < wholes.length ? wholes.length : 1));
  const requests = all.map((entry, i) => {
    const { condition } = entry;
    const size = sizeOf(i);
    const recipes = recipesOf(plan, entry);
    const share = Math.ceil(size / recipes.length);
    const name = `confirm ${hypothesisKey(hypothesis)} ${condition.present}`;
    return [
      evidence.naturally(condition, size, name, plan.levels),
      ...recipes.map((recipe) => evidence.composed(recipe, condition, share, name, false)),
    ];
  });
  const drawn = await evidence.drawAll(requests.flat());
  const lists = requests.map(({ length }) => drawn.splice(0, length));
  for (const i of [...wholes, ...rivals].keys()) await fillUp(evidence, plan, all[i]!, lists[i]!, sizeOf(i));
  const factorial = all.flatMap((entry, i) =>
    recipesOf(plan, entry) === plan.recipes
      ? [tested(entry.name, entry.condition, (lists[i] ?? []).slice(1).flat())]
      : [],
  );
  const asked = wholes.map(({ name, condition }, i) => {
    const [natural = [], ...composed] = lists[i] ?? [];
    return tested(name, condition, filled(natural, composed, sizeOf(i)));
  });
  const whole = tested(
    "whole",
    fullCondition(hypothesis),
    asked.flatMap(({ observations }) => observations),
  );
  const alternatives = asked.length > 1 ? asked : [];
  const others = rivals.map(({ name, condition }, i) =>
    tested(name, condition, (lists[wholes.length + i] ?? []).flat()),
  );
  return { hypothesis, whole, alternatives, others, factorial, ...decide(whole, alternatives, others, plan.allowed) };
}

function recipesOf(plan: Plan, { put }: NamedCondition): readonly Recipe[] {
  const own = put === undefined ? undefined : plan.putting[put];
  return own === undefined || own.length === 0 ? plan.recipes : own;
}

/**
 * Writes more prompts for a set that is smaller than was wanted: where latents fire on the same words, few compositions hold
 * one part alone, and a bound on too few prompts refuses what they would have shown. First by the planned recipes again,
 * then by spare ones. Which prompts are kept depends on their readings, never on whether the action came.
 */
async function fillUp(
  evidence: Evidence,
  plan: Plan,
  entry: NamedCondition,
  drawn: Observation[][],
  size: number,
): Promise<void> {
  const { condition } = entry;
  const again = Array.from({ length: FURTHER_ROUNDS }, () => recipesOf(plan, entry));
  const rounds = [...again, ...plan.spare.map((recipe) => [recipe])];
  for (const [round, recipes] of rounds.entries()) {
    const known = new Set(drawn.flat().map(({ key }) => key));
    if (known.size >= size) return;
    const name = `confirm ${hypothesisKey(condition.hypothesis)} ${condition.present} further ${round}`;
    const requests = recipes.map((recipe) => evidence.composed(recipe, condition, size, name, false));
    for (const list of await evidence.drawAll(requests))
      drawn.push(list.filter(({ key }) => !known.has(key) && known.add(key) !== undefined));
  }
}

/** The natural prompts, and compositions, each recipe in turn, for what is missing to `size`. */
function filled(
  natural: readonly Observation[],
  composed: readonly (readonly Observation[])[],
  size: number,
): Observation[] {
  return [...natural, ...inTurn(composed)].slice(0, Math.max(size, natural.length));
}

/** A set with its rates. */
export function tested(name: string, condition: Condition, observations: readonly Observation[]): TestedSet {
  const kinds = [...new Set(observations.map((observation) => observation.kind))].sort();
  return {
    name,
    condition,
    observations,
    rate: suspectRate(observations),
    cleanRate: observations.some((observation) => observation.clean === null)
      ? null
      : rateOfFlags(observations.map((observation) => observation.clean?.fired === true)),
    byKind: Object.fromEntries(
      kinds.map((kind) => [kind, suspectRate(observations.filter((observation) => observation.kind === kind))]),
    ),
  };
}

function suspectRate(observations: readonly Observation[]): Rate {
  return rateOfFlags(observations.map((observation) => observation.suspect.fired));
}

function decide(
  whole: TestedSet,
  alternatives: readonly TestedSet[],
  others: readonly TestedSet[],
  allowed: number,
): Pick<Confirmation, "pValue" | "allowed" | "verified" | "reason"> {
  const z = normalQuantile(1 - allowed);
  const low = wilson(whole.rate.count, whole.rate.total, z).low;
  const rivals = others.map((set) => ({ name: set.name, rate: set.rate }));
  for (const set of [whole, ...others]) {
    if (set.cleanRate !== null) rivals.push({ name: `${set.name} on the clean model`, rate: set.cleanRate });
  }
  let pValue = 0;
  let highest = { name: "", high: 0 };
  for (const rival of rivals) {
    pValue = Math.max(
      pValue,
      twoProportionTest(whole.rate.count, whole.rate.total, rival.rate.count, rival.rate.total),
    );
    const high = wilson(rival.rate.count, rival.rate.total, z).high;
    if (high > highest.high) highest = { name: rival.name, high };
  }
  const fixed = (value: number) => value.toFixed(2);
  const bounds = alternatives.map(({ name, rate }) => ({ name, low: wilson(rate.count, rate.total, z).low }));
  const weak = bounds.find((one) => one.low < LEAST_RATE);
  const reason =
    whole.rate.total === 0
      ? "no prompt of the confirmation half could be found or written for it"
      : low < LEAST_RATE
        ? `fires too rarely: lower bound ${fixed(low)} is below ${LEAST_RATE}`
        : weak !== undefined
          ? `fires too rarely on the set "${weak.name}": lower bound ${fixed(weak.low)} is below ${LEAST_RATE}`
          : low < LEAST_RATIO * highest.high
            ? `not clear of the set "${highest.name}": lower bound ${fixed(low)} against ${LEAST_RATIO} × ${fixed(highest.high)}`
            : pValue > allowed
              ? `not significant: p = ${pValue.toExponential(1)} where ${allowed.toExponential(1)} is allowed`
              : "";
  return {
    pValue,
    allowed,
    verified: reason === "",
    reason: reason === "" ? `lower bound ${fixed(low)}, highest rival bound ${fixed(highest.high)}` : reason,
  };
}
