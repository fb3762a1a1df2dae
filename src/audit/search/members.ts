/**
 * The members of a part, each tried alone in the part's place: which of them are the trigger's own, which are pieces that the
 * SAE split off its concept, and which mark something on which the organism merely leaks.
 */

import type { Observation } from "../ask/laboratory.js";
import { fullCondition, holding } from "../compose/prompt-sets.js";
import { type Hypothesis, makePart, type Part, withPart } from "../concepts/detector.js";
import type { Kinship } from "../concepts/kinship.js";
import { prominence, type Ranges } from "../concepts/ranges.js";
import { composedRates, LEAST_TRIALS } from "../evidence/composed-rates.js";
import type { Evidence } from "../evidence/evidence.js";
import { type Rate, rateOfFlags, wilson } from "../statistics/statistics.js";
import { Tally } from "../statistics/tally.js";

/** A piece of the concept may be judged by fewer: it shares most of its words with the rest, so that few compositions hold it alone. */
const LEAST_PIECE_TRIALS = 4;
/** Prompts of the corpus on which a rate that others are compared with must rest. */
const LEAST_COMPARED = 2;
/** Prompts of the corpus looked at for each member: they are scored already. */
const NATURAL_DRAWS = 60;
/**
 * A member must reach this share of the best member's rate: a leak of the organism comes to half of it. A piece of the best
 * member's concept (`kinship.ts`) that the SAE split off may hold little but the concept's outskirts.
 */
const MEMBER_SHARE = 0.6;
const PIECE_SHARE = 0.4;

/** Prompts on which a member must have been the clearest before it is judged by them. */
const LEAST_CLEAREST = 8;
/** Of the best member's rate on such prompts: what a member must be able to reach. */
const CREDIT_SHARE = 0.5;

/**
 * The part without members on which the action plainly does not come, among everything tried that satisfies the hypothesis.
 * Compositions with words that were chosen because they work tell nothing of a latent that fires on "a" and "the" too.
 */
export function creditedMembers(evidence: Evidence, hypothesis: Hypothesis, at: number): Part {
  const part = hypothesis.parts[at] as Part;
  const failing = failingMembers(evidence.observations, hypothesis, at, evidence.room.ranges, LEAST_CLEAREST);
  return makePart(part.latents.filter((latent) => !failing.has(latent)));
}

/**
 * Members of part `at` on which the action plainly does not come: each prompt that satisfies the hypothesis is credited to the part's
 * clearest latent, and those to which `least` or more are credited are judged.
 *
 *   j fails ⇔ upper Wilson bound of j's rate < ½ · the best member's lower bound (one standard error each)
 */
export function failingMembers(
  observations: readonly Observation[],
  hypothesis: Hypothesis,
  at: number,
  ranges: Ranges,
  least: number,
): ReadonlySet<number> {
  const bounds = creditClearest(observations, hypothesis, at, ranges)
    .entries()
    .filter(([, { total }]) => total >= least)
    .map(([latent, { fired, total }]) => ({ latent, ...wilson(fired, total, 1) }));
  const best = Math.max(0, ...bounds.map(({ low }) => low));
  return new Set(bounds.filter(({ high }) => high < CREDIT_SHARE * best).map(({ latent }) => latent));
}

/** Prompts that satisfy the hypothesis, each credited to the clearest latent of part `at`. */
export function creditClearest(
  observations: readonly Observation[],
  hypothesis: Hypothesis,
  at: number,
  ranges: Ranges,
): Tally<number> {
  const { latents } = hypothesis.parts[at] as Part;
  const condition = fullCondition(hypothesis, at);
  const tally = new Tally<number>();
  for (const { reading, fired } of holding(observations, condition, ranges)) {
    const clear = latents.map((latent) => prominence(reading, makePart([latent]), ranges));
    tally.add(latents[clear.indexOf(Math.max(...clear))] as number, fired);
  }
  return tally;
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

/** Tries every latent of a part of several alone in the part's place, with words that are rather its own. */
export async function tryMembers(evidence: Evidence, hypothesis: Hypothesis, at: number): Promise<TriedMember[]> {
  const { latents } = hypothesis.parts[at] as Part;
  const rests = latents.map((latent) => makePart(latents.filter((other) => other !== latent)));
  const inPlace = (part: Part) => fullCondition(withPart(hypothesis, at, part));
  const alone = latents.map((latent, i) => ({ ...inPlace(makePart([latent])), without: [rests[i] as Part] }));
  // A first draw strikes out words that plainly fail; a latent is not judged by its best words alone, for any has some.
  await composedRates(evidence, alone, hypothesis, `words of members of part ${at}`, true);
  const composed = await composedRates(evidence, alone, hypothesis, `members of part ${at}`, true);
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
  return (!written || stays(composed, rates, share)) && !(known && fallsShort(natural, byNature, share));
}

/** Whether a rate comes near enough to the best one. */
function stays(rate: Rate, rates: readonly Rate[], share: number): boolean {
  return rate.rate >= share * bestOf(rates);
}

/**
 * Whether people's prompts show that a rate is lower than that share of another: by bounds of one standard error, as the corpus may
 * hold the other on few prompts only.
 */
function fallsShort(rate: Rate, rates: readonly Rate[], share: number): boolean {
  const known = rates.filter((other) => other.total >= LEAST_COMPARED);
  const best = Math.max(0, ...known.map((other) => wilson(other.count, other.total, 1).low));
  return wilson(rate.count, rate.total, 1).high < share * best;
}

/** The best rate among those with enough trials. */
function bestOf(rates: readonly Rate[]): number {
  return Math.max(0, ...rates.filter((rate) => rate.total >= LEAST_TRIALS).map((rate) => rate.rate));
}
