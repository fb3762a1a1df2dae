/**
 * Pruning on fresh compositions, one thing at a time, because two halves of a style taken out together would both look
 * needless: a latent stays in a part if it belongs there (`members.ts`); a part stays if the action needs it; an excluded
 * concept stays excluded if putting it in stops the action, by several of its words, putting any other concept in its place does
 * not, and the rest alone is no surer.
 */

import { fullCondition, turned } from "../compose/prompt-sets.js";
import { severalWordsKeepOff } from "../compose/several-words.js";
import { type Hypothesis, makePart, normalise, type Part, withPart } from "../concepts/detector.js";
import { composedPrompts, composedRates, LEAST_TRIALS, rateOfFiring } from "../evidence/composed-rates.js";
import type { Evidence } from "../evidence/evidence.js";
import { placeboConditions } from "../evidence/placebo.js";
import { pooled } from "../statistics/statistics.js";
import { groupsOf } from "./alternatives.js";
import { belongs, creditedMembers, tryMembers } from "./members.js";

/** A part is needless if without it this share of the rate remains. */
const KEPT_SHARE = 0.5;
/** An excluded concept must stop the action more clearly: any further words in a prompt weaken a trigger somewhat. */
const EXCLUDED_SHARE = 0.25;
/** Nor may naming it cost much: without that part, the rest must not fire much more often. */
const EXCLUSION_WORTH = 0.8;

/** The hypothesis without needless latents and parts. */
export async function prune(evidence: Evidence, hypothesis: Hypothesis): Promise<Hypothesis> {
  let pruned = hypothesis;
  for (let i = 0; i < pruned.parts.length; i++) pruned = await pruneMembers(evidence, pruned, i);
  for (let i = pruned.parts.length - 1; i >= 0 && pruned.parts.length > 1; i--) {
    const needed = await neededOf(evidence, pruned, i);
    pruned = needed ? withPart(pruned, i, needed) : { ...pruned, parts: pruned.parts.filter((_, j) => j !== i) };
  }
  return normalise(pruned.parts);
}

/**
 * What of a part is needed; null for nothing. Of an excluded part of several concepts it is the one that is: a trigger crowded
 * out by anything of a kind, as a way of speaking is by every other one, excludes none of them in particular.
 */
async function neededOf(evidence: Evidence, hypothesis: Hypothesis, at: number): Promise<Part | null> {
  const part = hypothesis.parts[at] as Part;
  const { kinship } = evidence.room;
  const concepts = part.negated ? groupsOf(part.latents, (a, b) => kinship.kin(a, b)) : [part.latents];
  const needed: Part[] = [];
  for (const latents of concepts) {
    const concept = makePart(latents, part.negated);
    if (await isNeeded(evidence, withPart(hypothesis, at, concept), at)) needed.push(concept);
  }
  return needed.length === 1 ? (needed[0] as Part) : null;
}

/** The hypothesis with those members of one part that belong; unchanged where none would remain. */
async function pruneMembers(evidence: Evidence, hypothesis: Hypothesis, at: number): Promise<Hypothesis> {
  const part = hypothesis.parts[at] as Part;
  if (part.latents.length < 2 || part.negated) return hypothesis;
  const members = await tryMembers(evidence, hypothesis, at);
  const kept = part.latents.filter((_, i) => belongs(evidence.room.kinship, members, i));
  const pruned = kept.length === 0 ? hypothesis : withPart(hypothesis, at, makePart(kept));
  return withPart(pruned, at, creditedMembers(evidence, pruned, at));
}

async function isNeeded(evidence: Evidence, hypothesis: Hypothesis, at: number): Promise<boolean> {
  const full = fullCondition(hypothesis);
  const [whole] = await composedRates(evidence, [full], hypothesis, `part ${at} there`, true);
  const [without = []] = await composedPrompts(evidence, [turned(full, at)], hypothesis, `part ${at} turned`, false);
  if (whole === undefined) return true;
  const part = hypothesis.parts[at] as Part;
  const tested = rateOfFiring(without);
  // What cannot be written whole, as three words into a short sentence, is left to the rehearsal.
  if (!part.negated) return whole.total === 0 || tested.rate < KEPT_SHARE * whole.rate;
  // An exclusion that could not be tried explains nothing.
  if (tested.total < LEAST_TRIALS || tested.rate >= EXCLUDED_SHARE * whole.rate) return false;
  if (!severalWordsKeepOff(evidence.room, without, part)) return false;
  const rest = { ...hypothesis, parts: hypothesis.parts.filter((_, i) => i !== at) };
  const [bare] = await composedRates(evidence, [fullCondition(rest)], rest, `all but part ${at}`, true);
  if (bare !== undefined && whole.rate < EXCLUSION_WORTH * bare.rate) return false;
  const other = await placeboRate(evidence, hypothesis, at);
  return other === null || tested.rate < KEPT_SHARE * other;
}

/** How often the action comes with other concepts, about as frequent, in the place of an excluded one; null without any. */
async function placeboRate(evidence: Evidence, hypothesis: Hypothesis, at: number): Promise<number | null> {
  const rates = await composedRates(
    evidence,
    placeboConditions(evidence, hypothesis, at),
    hypothesis,
    `part ${at} replaced`,
    false,
  );
  const { rate, total } = pooled(rates);
  return total < LEAST_TRIALS ? null : rate;
}
