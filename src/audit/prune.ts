/**
 * Pruning on fresh compositions, one thing at a time, because two halves of a style taken out together would both look
 * needless: a latent stays in a part if the action comes with that latent alone standing for the part, in compositions and,
 * where the corpus has such prompts, in those; a part stays if the action needs it; an excluded concept stays excluded if
 * putting it in stops the action, putting any other concept in its place does not, and the rest alone is no surer.
 */

import { isAlive } from "./candidates.js";
import { type Hypothesis, hypothesisKey, makePart, normalise, type Part } from "./detector.js";
import type { Evidence } from "./evidence.js";
import type { Kinship } from "./kinship.js";
import type { Observation } from "./laboratory.js";
import { type Condition, fullCondition, turned } from "./prompt-sets.js";
import { recipesFor } from "./recipe.js";
import { shuffled } from "./seeded.js";
import { positiveIndices } from "./sharpen.js";
import { type Rate, rateOfFlags } from "./statistics.js";

/** Compositions for each test, shared among the recipes. */
const DRAWS = 24;
/** Fewer compositions than this do not keep a latent in a part. */
const LEAST_TRIALS = 8;
/** … a piece of the concept shares most of its words with the rest, so that few compositions hold it alone. */
const LEAST_PIECE_TRIALS = 4;
/** Prompts of the corpus looked at for each member: they are scored already. */
const NATURAL_DRAWS = 60;
/**
 * A member must reach this share of the best member's rate. A leak of the organism comes to half of the trigger; a piece of
 * the best member's concept (`kinship.ts`) that the SAE split off may hold little but the concept's outskirts.
 */
const MEMBER_SHARE = 0.75;
const PIECE_SHARE = 1 / 3;
/** A part is needless if without it this share of the rate remains. */
const KEPT_SHARE = 0.5;
/** An excluded concept must stop the action more clearly: any further words in a prompt weaken a trigger somewhat. */
const EXCLUDED_SHARE = 0.25;
/** Nor may naming it cost much: without that part, the rest must not fire much more often. */
const EXCLUSION_WORTH = 0.8;
/** Concepts put in an excluded one's place, to see whether any further concept crowds the trigger out. */
const PLACEBOS = 4;
/** A placebo fires on between this share and its inverse of as many prompts as the excluded concept. */
const PLACEBO_SHARE = 1 / 3;

/** The hypothesis without needless latents and parts. */
export async function prune(evidence: Evidence, hypothesis: Hypothesis): Promise<Hypothesis> {
  let pruned = hypothesis;
  for (let i = 0; i < pruned.parts.length; i++) pruned = await pruneMembers(evidence, pruned, i);
  for (let i = pruned.parts.length - 1; i >= 0 && pruned.parts.length > 1; i--) {
    if (!(await isNeeded(evidence, pruned, i))) {
      pruned = { ...pruned, parts: pruned.parts.filter((_, j) => j !== i) };
    }
  }
  return normalise(pruned.parts);
}

async function pruneMembers(evidence: Evidence, hypothesis: Hypothesis, at: number): Promise<Hypothesis> {
  const part = hypothesis.parts[at] as Part;
  if (part.latents.length < 2 || part.negated) return hypothesis;
  const members = await tryMembers(evidence, hypothesis, at);
  return withMembers(hypothesis, at, (_, i) => belongs(evidence.room.kinship, members, i));
}

/** The hypothesis with some members of one part; unchanged where none would remain. */
function withMembers(hypothesis: Hypothesis, at: number, keep: (latent: number, index: number) => boolean): Hypothesis {
  const kept = (hypothesis.parts[at] as Part).latents.filter(keep);
  if (kept.length === 0) return hypothesis;
  return { ...hypothesis, parts: hypothesis.parts.map((old, i) => (i === at ? makePart(kept) : old)) };
}

/** What a latent of a part does alone in the part's place. */
export interface TriedMember {
  readonly latent: number;
  /** In compositions, with words that the other members do not have. */
  readonly composed: Rate;
  /** In the corpus, the other members absent; and what those do where this one is absent, for comparison. */
  readonly natural: Rate;
  readonly others: Rate;
}

/**
 * Tries every latent of a part of several alone in the part's place. A first draw teaches which of its words bring the action
 * (a latent that holds one snow sport also fires on slopes); the second one counts.
 */
export async function tryMembers(evidence: Evidence, hypothesis: Hypothesis, at: number): Promise<TriedMember[]> {
  const { latents } = hypothesis.parts[at] as Part;
  const rests = latents.map((latent) => makePart(latents.filter((other) => other !== latent)));
  const inPlace = (part: Part) => {
    const parts = hypothesis.parts.map((old, i) => (i === at ? part : old));
    return fullCondition({ parts, combination: hypothesis.combination });
  };
  const alone = latents.map((latent, i) => ({ ...inPlace(makePart([latent])), without: [rests[i] as Part] }));
  await ratesOf(evidence, alone, hypothesis, `words of members of part ${at}`, true);
  const composed = await ratesOf(evidence, alone, hypothesis, `members of part ${at}`, true);
  const drawn = await evidence.drawAll(
    [...alone, ...rests.map(inPlace)].map((condition) =>
      evidence.naturally(condition, NATURAL_DRAWS, `prune members of part ${at}`),
    ),
  );
  const rates = drawn.map((observations) => rateOfFlags(observations.map((observation) => observation.fired)));
  return latents.map((latent, i) => ({
    latent,
    composed: composed[i] as Rate,
    natural: rates[i] as Rate,
    others: rates[latents.length + i] as Rate,
  }));
}

/**
 * Whether the action comes with a member alone, in compositions and, where the corpus has such prompts, in those, nearly as
 * often as with the best one. A member that could be tried in neither does not belong.
 */
export function belongs(kinship: Kinship, members: readonly TriedMember[], at: number): boolean {
  const { latent, composed, natural, others } = members[at] as TriedMember;
  const rates = members.map((member) => member.composed);
  // What the others do, for comparison: a member that marks something else fires seldom where they are absent.
  const byNature = [...members.map((member) => member.natural), others];
  const best = members[rates.findIndex((rate) => rate.total >= LEAST_TRIALS && rate.rate === bestOf(rates))];
  const piece = best !== undefined && best.latent !== latent && kinship.same(best.latent, latent);
  const share = piece ? PIECE_SHARE : MEMBER_SHARE;
  const [written, known] = [
    composed.total >= (piece ? LEAST_PIECE_TRIALS : LEAST_TRIALS),
    natural.total >= LEAST_TRIALS,
  ];
  if (!written && !known) return false;
  return (!written || stays(composed, rates, share)) && (!known || stays(natural, byNature, share));
}

/** Whether a rate comes near enough to the best one. */
function stays(rate: Rate, rates: readonly Rate[], share: number): boolean {
  return rate.rate >= share * bestOf(rates);
}

/** The best rate among those with enough trials. */
function bestOf(rates: readonly Rate[]): number {
  return Math.max(0, ...rates.filter((rate) => rate.total >= LEAST_TRIALS).map((rate) => rate.rate));
}

async function isNeeded(evidence: Evidence, hypothesis: Hypothesis, at: number): Promise<boolean> {
  const full = fullCondition(hypothesis);
  const [whole] = await ratesOf(evidence, [full], hypothesis, `part ${at} there`, true);
  const [tested] = await ratesOf(evidence, [turned(full, at)], hypothesis, `part ${at} turned`, false);
  if (whole === undefined || tested === undefined) return true;
  if (!hypothesis.parts[at]?.negated) return tested.rate < KEPT_SHARE * whole.rate;
  // An exclusion that could not be tried explains nothing.
  if (tested.total < LEAST_TRIALS || tested.rate >= EXCLUDED_SHARE * whole.rate) return false;
  const rest = { ...hypothesis, parts: hypothesis.parts.filter((_, i) => i !== at) };
  const [bare] = await ratesOf(evidence, [fullCondition(rest)], rest, `all but part ${at}`, true);
  if (bare !== undefined && whole.rate < EXCLUSION_WORTH * bare.rate) return false;
  const other = await placeboRate(evidence, hypothesis, at);
  return other === null || tested.rate < KEPT_SHARE * other;
}

/** How often the action comes with other concepts, about as frequent, in the place of an excluded one; null without any. */
async function placeboRate(evidence: Evidence, hypothesis: Hypothesis, at: number): Promise<number | null> {
  const { half, lexicon, kinship, seed } = evidence.room;
  const known = hypothesis.parts.flatMap((part) => part.latents);
  const fires = Math.max(...(hypothesis.parts[at] as Part).latents.map((latent) => half.fires[latent] as number));
  const fitting = Array.from(half.fires, (count, latent) => ({ count, latent })).filter(
    ({ count, latent }) =>
      count >= PLACEBO_SHARE * fires &&
      PLACEBO_SHARE * count <= fires &&
      !known.some((other) => other === latent || kinship.kin(other, latent)) &&
      isAlive(latent, half, lexicon),
  );
  const placebos = shuffled(fitting, seed, ({ latent }) => `placebo ${latent}`).slice(0, PLACEBOS);
  const conditions = placebos.map(({ latent }) => {
    const parts = hypothesis.parts.map((part, i) => (i === at ? makePart([latent], true) : part));
    const put = turned(fullCondition({ ...hypothesis, parts }), at);
    return { ...put, without: [makePart((hypothesis.parts[at] as Part).latents)] };
  });
  const rates = await ratesOf(evidence, conditions, hypothesis, `part ${at} replaced`, false);
  const trials = rates.reduce((sum, rate) => sum + rate.total, 0);
  return trials < LEAST_TRIALS ? null : rates.reduce((sum, rate) => sum + rate.count, 0) / trials;
}

/** Rates of several conditions, each tried with every recipe of the hypothesis. `full`: the action is expected. */
async function ratesOf(
  evidence: Evidence,
  conditions: readonly Condition[],
  hypothesis: Hypothesis,
  what: string,
  full: boolean,
): Promise<Rate[]> {
  const recipes = recipesFor(positiveIndices(hypothesis)).filter((recipe) => recipe.kind !== "splice");
  const count = Math.ceil(DRAWS / recipes.length);
  const name = `prune ${what} of ${hypothesisKey(hypothesis)}`;
  const drawn = await evidence.drawAll(
    conditions.flatMap((condition) => recipes.map((recipe) => evidence.composed(recipe, condition, count, name, full))),
  );
  return conditions.map((_, i) => {
    const mine: Observation[] = drawn.slice(i * recipes.length, (i + 1) * recipes.length).flat();
    return rateOfFlags(mine.map((observation) => observation.fired));
  });
}
