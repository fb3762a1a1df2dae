/**
 * A part may hold latents that are no kin to the rest of it, or that fire on something else in people's prompts: one on which the
 * organism leaks, or one that lets weaker prompts pass for the concept. Whether the hypothesis does without them only a rehearsal tells; here is what to rehearse.
 */

import type { Observation } from "../ask/laboratory.js";
import { DEFAULT_LEVELS, fullCondition, holding } from "../compose/prompt-sets.js";
import { severalWordsBring } from "../compose/several-words.js";
import { type Hypothesis, makePart, normalise, type Part, withPart } from "../concepts/detector.js";
import { prominence, type Ranges } from "../concepts/ranges.js";
import type { Evidence } from "../evidence/evidence.js";
import { groupsOf } from "../search/alternatives.js";
import { creditClearest, failingMembers } from "../search/members.js";
import { Tally } from "../statistics/tally.js";

/** People's prompts without the action that refute a latent, and rehearsed ones by which it is judged. */
const REFUTING = 6;

/** A hypothesis without some groups of latents. */
export interface Narrower {
  readonly hypothesis: Hypothesis;
  /** The hypothesis with what is left out in place of its part, where that is a concept by itself: several of its words bring the action; else null. */
  readonly instead: Hypothesis | null;
}

/**
 * The hypothesis without groups of kin latents (a latent that people's prompts or the rehearsal refute is one by itself), where they leave one of several words in their part: first without all of those that
 * are no concept by themselves, then without each group, those first, and that which was the clearest of its part on the rehearsed
 * prompts that brought the action least often.
 */
export function narrowed(
  { room, observations, natural }: Pick<Evidence, "room" | "observations" | "natural">,
  hypothesis: Hypothesis,
  rehearsed: readonly Observation[],
): Narrower[] {
  const alone: (Narrower & { readonly rate: number })[] = [];
  let bare = hypothesis;
  for (const [at, part] of hypothesis.parts.entries()) {
    if (part.negated) continue;
    const refuted = new Set([
      ...refutedByPeople(natural, hypothesis, at, room.ranges),
      ...failingMembers(rehearsed, hypothesis, at, room.ranges, REFUTING),
    ]);
    const together = (a: number, b: number) => !refuted.has(a) && !refuted.has(b) && room.kinship.kin(a, b);
    const groups = groupsOf(part.latents, together).map((group) => makePart(group));
    const concepts = conceptsAmong(groups, hypothesis, at, observations, room);
    const rates = creditedRates(groups, rehearsed, room.ranges);
    const keeping = (from: Hypothesis, keep: (i: number) => boolean) => {
      const kept = makePart(groups.flatMap(({ latents }, i) => (keep(i) ? latents : [])));
      return withPart(from, at, kept);
    };
    for (const [i, concept] of concepts.entries()) {
      if (!concepts.some((other, j) => other && j !== i)) continue;
      const narrower = normalise(keeping(hypothesis, (j) => j !== i).parts);
      const instead = concept ? normalise(keeping(hypothesis, (j) => j === i).parts) : null;
      alone.push({ hypothesis: narrower, instead, rate: rates[i] as number });
    }
    if (concepts.includes(true)) bare = keeping(bare, (i) => concepts[i] as boolean);
  }
  alone.sort((a, b) => Number(a.instead !== null) - Number(b.instead !== null) || a.rate - b.rate);
  const words = alone.filter(({ instead }) => instead === null).length;
  return words > 1 ? [{ hypothesis: normalise(bare.parts), instead: null }, ...alone] : alone;
}

/**
 * Which groups of a part bring the action by several of their words, beside the other parts and where no other group is there to do it; where none
 * does, whether another is there or not.
 */
function conceptsAmong(
  groups: readonly Part[],
  hypothesis: Hypothesis,
  at: number,
  observations: readonly Observation[],
  room: Evidence["room"],
): boolean[] {
  const held = groups.map((group) =>
    holding(observations, fullCondition(withPart(hypothesis, at, group)), room.ranges),
  );
  const by = (some: readonly Observation[][]) => groups.map((group, i) => severalWordsBring(room, some[i]!, group));
  const alone = by(
    held.map((some, i) => {
      const rest = makePart(groups.flatMap(({ latents }, j) => (j === i ? [] : latents)));
      return some.filter(({ reading }) => prominence(reading, rest, room.ranges) < DEFAULT_LEVELS.absent);
    }),
  );
  return alone.includes(true) ? alone : by(held);
}

/** Latents of a part that were its clearest on several of people's prompts which satisfy the hypothesis, none of which brings the action. */
function refutedByPeople(
  natural: readonly Observation[],
  hypothesis: Hypothesis,
  at: number,
  ranges: Ranges,
): ReadonlySet<number> {
  const { latents } = hypothesis.parts[at] as Part;
  const tally = creditClearest(natural, hypothesis, at, ranges);
  return new Set(latents.filter((latent) => tally.of(latent).total >= REFUTING && tally.of(latent).fired === 0));
}

/** How often the action came on the prompts on which each group is the clearest; 0 where it never was. */
function creditedRates(groups: readonly Part[], observations: readonly Observation[], ranges: Ranges): number[] {
  const tally = new Tally<number>();
  for (const { reading, fired } of observations) {
    const clear = groups.map((group) => prominence(reading, group, ranges));
    tally.add(clear.indexOf(Math.max(...clear)), fired);
  }
  return groups.map((_, i) => tally.of(i).fired / Math.max(1, tally.of(i).total));
}
