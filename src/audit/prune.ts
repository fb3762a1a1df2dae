/**
 * Pruning on fresh compositions, one thing at a time, because two halves of a style taken out together would both look
 * needless: a latent stays in a part if the action comes with that latent alone standing for the part; a part stays if the
 * action needs it.
 */
import { type Hypothesis, hypothesisKey, makePart, normalise, type Part } from "./detector.js";
import type { Evidence, Request } from "./evidence.js";
import type { Observation } from "./laboratory.js";
import { fullCondition, turned } from "./prompt-sets.js";
import { type Recipe, recipesFor } from "./recipe.js";
import { positiveIndices } from "./sharpen.js";
import { type Rate, rateOfFlags } from "./statistics.js";

/** Compositions for each test, shared among the recipes. */
const DRAWS = 24;
/** Fewer compositions than this do not keep a latent in a part. */
const LEAST_TRIALS = 8;
/** A member must reach this share of the best member's rate; a part is needless if without it this share remains. */
const KEPT_SHARE = 0.5;

/** The hypothesis without needless latents and parts. */
export async function prune(evidence: Evidence, hypothesis: Hypothesis): Promise<Hypothesis> {
  let pruned = hypothesis;
  for (let i = 0; i < pruned.parts.length; i++) pruned = await pruneMembers(evidence, pruned, i);
  for (let i = pruned.parts.length - 1; i >= 0 && pruned.parts.length > 1; i--) {
    if (!(await isNeeded(evidence, pruned, i))) {
      pruned = { ...pruned, parts: pruned.parts.filter((_, j) => j !== i) };
    }
  }
  return normalise(pruned.parts, pruned.combination === "any");
}

async function pruneMembers(evidence: Evidence, hypothesis: Hypothesis, at: number): Promise<Hypothesis> {
  const part = hypothesis.parts[at] as Part;
  if (part.latents.length < 2 || part.negated) return hypothesis;
  const tests = part.latents.map((latent) => {
    const parts = hypothesis.parts.map((old, i) => (i === at ? makePart([latent]) : old));
    return { parts, combination: hypothesis.combination };
  });
  const rates = await ratesOf(
    evidence,
    tests.map((test) => (recipe, count, name) => evidence.composed(recipe, fullCondition(test, at), count, name, true)),
    hypothesis,
    `members of part ${at}`,
  );
  const best = Math.max(...rates.map((rate) => (rate.total >= LEAST_TRIALS ? rate.rate : 0)));
  const kept = part.latents.filter((_, i) => {
    const rate = rates[i] as Rate;
    return rate.total >= LEAST_TRIALS && rate.rate >= KEPT_SHARE * best;
  });
  if (kept.length === 0) return hypothesis;
  return { ...hypothesis, parts: hypothesis.parts.map((old, i) => (i === at ? makePart(kept) : old)) };
}

async function isNeeded(evidence: Evidence, hypothesis: Hypothesis, at: number): Promise<boolean> {
  const any = hypothesis.combination === "any";
  const full = fullCondition(hypothesis, any ? (at === 0 ? 1 : 0) : 0);
  const other = any ? fullCondition(hypothesis, at) : turned(full, at);
  const [whole, tested] = await ratesOf(
    evidence,
    [full, other].map(
      (condition) => (recipe: Recipe, count: number, name: string) =>
        evidence.composed(recipe, condition, count, name, any || condition === full),
    ),
    hypothesis,
    `part ${at}`,
  );
  if (whole === undefined || tested === undefined) return true;
  // An alternative must fire by itself, with certainty; a conjunct must be missed when it is taken out.
  if (any) return tested.low >= KEPT_SHARE * whole.rate;
  return tested.rate < KEPT_SHARE * whole.rate;
}

/** Rates of several conditions, each tried with every recipe of the hypothesis. */
async function ratesOf(
  evidence: Evidence,
  conditions: readonly ((recipe: Recipe, count: number, name: string) => Request)[],
  hypothesis: Hypothesis,
  what: string,
): Promise<Rate[]> {
  const recipes = recipesFor(positiveIndices(hypothesis)).filter((recipe) => recipe.kind !== "splice");
  const count = Math.ceil(DRAWS / recipes.length);
  const drawn = await evidence.drawAll(
    conditions.flatMap((make) =>
      recipes.map((recipe) => make(recipe, count, `prune ${what} of ${hypothesisKey(hypothesis)}`)),
    ),
  );
  return conditions.map((_, i) => {
    const mine: Observation[] = drawn.slice(i * recipes.length, (i + 1) * recipes.length).flat();
    return rateOfFlags(mine.map((observation) => observation.fired));
  });
}
