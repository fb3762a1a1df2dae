/**
 * The sets of prompts that a confirmation asks about, and how they are drawn: people's prompts as they are, and compositions by the
 * planned recipes.
 */

import type { Observation } from "../ask/laboratory.js";
import {
  type Condition,
  fullCondition,
  fullConditions,
  type Levels,
  neutralCondition,
  turned,
} from "../compose/prompt-sets.js";
import type { Recipe } from "../compose/recipe.js";
import { askedKey, type Hypothesis, type Part } from "../concepts/detector.js";
import type { Evidence } from "../evidence/evidence.js";
import { placeboConditions } from "../evidence/placebo.js";
import { MOST_FACTORS } from "./interaction.js";

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
  /** One-sided error allowed, over all looks. */
  readonly allowed: number;
  /** Looks at the growing sets; 1 where it is not given. */
  readonly looks?: number;
  /** For each part the folded words at which it does not count (`failing-words.ts`). */
  readonly failing: readonly ReadonlySet<string>[];
  /** Concepts beside which nothing is asked (`blocking.ts`). */
  readonly without: readonly Part[];
}

/** How sets with another concept in the place of an excluded part are called, and that part's number. */
export const PLACEBO = "with another than";
/** Fewer compositions than this do not make a rival of their own. */
const LEAST_COMPOSED = 20;
/** Draws for a set that came out too small, after the first. */
const FURTHER_ROUNDS = 3;

/**
 * A set as it grows. whole: the action is expected (of an "any", of each alternative). rival: it is not. placebo: it is, as another
 * concept is there in the place of an excluded one. cell: asked about for effects alone.
 */
export interface GrowingSet {
  readonly role: "whole" | "rival" | "placebo" | "cell";
  readonly name: string;
  /** What its prompts must satisfy: one condition or, of placebos, any. */
  readonly conditions: readonly [Condition, ...Condition[]];
  readonly recipes: readonly Recipe[];
  /** Share of a full set's prompts: alternatives have one set among them. */
  readonly share: number;
  natural: Observation[];
  /** By condition and recipe, in the order of the draws. */
  readonly composed: Observation[][];
}

/** The sets of a hypothesis, empty: what must fire, what must not, each part turned or absent with the others, then the cells left. */
export function setsFor(evidence: Evidence, hypothesis: Hypothesis, plan: Plan): GrowingSet[] {
  const { failing, without } = plan;
  const any = hypothesis.combination === "any";
  const full = fullCondition(hypothesis);
  const fulls = fullConditions(hypothesis);
  const seen = new Set<string>();
  const sets: GrowingSet[] = [];
  const add = (
    role: GrowingSet["role"],
    name: string,
    [first, ...others]: readonly Condition[],
    recipes: readonly Recipe[] = plan.recipes,
  ) => {
    // A part that was put in by ways of its own is no cell of the matched ones.
    const own = role === "placebo" ? name : recipes === plan.recipes ? "" : "put in";
    const key = `${first?.present} ${own}`;
    if (first === undefined || seen.has(key)) return;
    seen.add(key);
    // What a placebo stands for must stay away from its prompts too.
    const asked = (condition: Condition) => ({
      ...condition,
      failing,
      without: [...(condition.without ?? []), ...without],
    });
    const conditions = [asked(first), ...others.map(asked)] as const;
    const share = role === "whole" ? 1 / fulls.length : 1;
    sets.push({ role, name, conditions, recipes, share, natural: [], composed: [] });
  };
  fulls.forEach((condition, i) => add("whole", any ? `only part ${i + 1}` : "whole", [condition]));
  hypothesis.parts.forEach((part, i) => {
    if (any) return;
    const putting = plan.putting[i] ?? [];
    const recipes = part.negated && putting.length > 0 ? putting : plan.recipes;
    add("rival", part.negated ? `with part ${i + 1}` : `without part ${i + 1}`, [turned(full, i)], recipes);
    if (part.negated) add("placebo", `${PLACEBO} part ${i + 1}`, placeboConditions(evidence, hypothesis, i), recipes);
  });
  add("rival", "neither", [neutralCondition(hypothesis)]);
  const count = hypothesis.parts.length;
  for (let cell = 0; count > 1 && count <= MOST_FACTORS && cell < 2 ** count; cell++)
    add("cell", "cell", [{ hypothesis, present: hypothesis.parts.map((_, i) => ((cell >> i) & 1) === 1) }]);
  return sets;
}

/** Lets all sets grow to `size` prompts, by draws that `look` names. */
export async function growSets(
  evidence: Evidence,
  plan: Plan,
  sets: readonly GrowingSet[],
  size: number,
  look: string,
): Promise<void> {
  const requests = sets.map((set) => {
    const [{ hypothesis, present }] = set.conditions;
    const wanted = Math.ceil(size * set.share);
    const parts = set.recipes.length * set.conditions.length;
    const each = Math.ceil(Math.max(0, wanted - set.composed.flat().length) / parts);
    const name = `confirm ${askedKey(hypothesis, plan.without)} ${present}`;
    // The same draw of people's prompts, longer. Effects come from compositions, and so do sets with another concept in a place.
    const wantsNatural = set.role === "whole" || set.role === "rival";
    const natural = wantsNatural ? [evidence.naturally(set.conditions[0], wanted, name, plan.levels)] : [];
    const composed = set.conditions.flatMap((condition) =>
      set.recipes.map((recipe) => evidence.composed(recipe, condition, each, `${name}${look}`, false)),
    );
    return { set, natural, composed };
  });
  const drawn = await evidence.drawAll(requests.flatMap(({ natural, composed }) => [...natural, ...composed]));
  for (const { set, natural, composed } of requests) {
    set.natural = drawn.splice(0, natural.length).flat();
    const known = keysOf(set);
    for (const list of drawn.splice(0, composed.length)) set.composed.push(list.filter(isNewIn(known)));
  }
  for (const set of sets) if (set.role !== "cell") await fillUp(evidence, plan, set, Math.ceil(size * set.share), look);
}

/**
 * Writes more prompts for a set that is smaller than was wanted: where latents fire on the same words, few compositions hold
 * one part alone, and a bound on too few prompts refuses what they would have shown. First by the planned recipes again,
 * then by spare ones. Which prompts are kept depends on their readings, never on whether the action came.
 */
async function fillUp(evidence: Evidence, plan: Plan, set: GrowingSet, size: number, look: string): Promise<void> {
  const [{ hypothesis, present }] = set.conditions;
  const leastComposed = set.role === "rival" ? leastCompositions(size) : 0;
  const again = Array.from({ length: FURTHER_ROUNDS }, () => set.recipes);
  const rounds = [...again, ...plan.spare.map((recipe) => [recipe])];
  for (const [round, recipes] of rounds.entries()) {
    const known = keysOf(set);
    if (known.size >= size && set.composed.flat().length >= leastComposed) return;
    const name = `confirm ${askedKey(hypothesis, plan.without)} ${present} further ${round}${look}`;
    const each = Math.ceil(size / set.conditions.length);
    const requests = set.conditions.flatMap((condition) =>
      recipes.map((recipe) => evidence.composed(recipe, condition, each, name, false)),
    );
    for (const list of await evidence.drawAll(requests)) set.composed.push(list.filter(isNewIn(known)));
  }
}

/** Compositions by which a rival of `size` prompts is judged on its own. */
export function leastCompositions(size: number): number {
  return Math.min(LEAST_COMPOSED, size);
}

/** The prompts of a set, each once. */
function keysOf({ natural, composed }: GrowingSet): Set<string> {
  return new Set([...natural, ...composed.flat()].map(({ key }) => key));
}

/** Passes what is not known yet, once. */
function isNewIn(known: Set<string>): (observation: Observation) => boolean {
  return ({ key }) => !known.has(key) && known.add(key) !== undefined;
}
