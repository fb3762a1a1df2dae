/**
 * What stands around a concept may keep the action off. One thing that does is what a trigger excludes (`exclude.ts`); where many unrelated
 * things do, it is the manner of asking: a few words of one style in a sentence of another are no style. Among everything tried
 * that satisfies the hypothesis, a latent blocks where the action plainly does not come on its prompts,
 *
 *   j blocks ⇔ upper Wilson bound of j's rate < ½ · lower bound of the others' (one standard error each), beyond chance (p ≤ 10⁻⁴)
 *
 * and the one on which it stays off most often is taken, then the next among what is left. Prompts that hold what blocks are asked about no
 * more, and the answer says so: this narrows what is claimed, never what an answer is scored by (`detector.ts`).
 */

import type { Observation } from "../ask/laboratory.js";
import { counting, DEFAULT_LEVELS, fullCondition } from "../compose/prompt-sets.js";
import { type Hypothesis, makePart, type Part } from "../concepts/detector.js";
import { shareOf } from "../concepts/ranges.js";
import { isAlive } from "../evidence/candidates.js";
import type { Evidence } from "../evidence/evidence.js";
import { binomialAtMost, rateOfFlags, wilson } from "../statistics/statistics.js";

/** Prompts on which a latent must have been there before it is judged. */
const LEAST_SEEN = 5;
/** Of the rate without it: what the rate with it must be able to reach. */
const BLOCKED_SHARE = 0.5;
/** For the worst of a few hundred latents. */
const CHANCE = 1e-4;
/** Things that are no kin, from which it is the manner of asking. */
const LEAST_UNRELATED = 3;
/** Latents that block, at most; and what must be left of the prompts, or the hypothesis is about something else. */
const MOST_BLOCKING = 16;
const LEFT_SHARE = 0.4;

/** Concepts beside which the hypothesis is not to be asked about: kin latents together, those first that keep the action off most often. Empty where there are not several. */
export function blockingConcepts(
  { room, observations }: Pick<Evidence, "room" | "observations">,
  hypothesis: Hypothesis,
  failing: readonly ReadonlySet<string>[],
): Part[] {
  const inside = counting(room, observations, { ...fullCondition(hypothesis), failing });
  const own = hypothesis.parts.flatMap(({ latents }) => latents);
  const foreign = (latent: number) =>
    isAlive(latent, room.half, room.lexicon) &&
    !own.some((known) => known === latent || room.kinship.same(known, latent));
  const held = new Map(inside.map((one) => [one, presentIn(one, room.ranges)]));
  const blocking: number[] = [];
  let left = inside;
  while (blocking.length < MOST_BLOCKING) {
    const worst = worstOf(left, held, foreign);
    if (worst === null) break;
    blocking.push(worst);
    left = left.filter((one) => !held.get(one)?.has(worst));
  }
  const concepts = byFirstKin(blocking, (a, b) => room.kinship.kin(a, b));
  if (concepts.length < LEAST_UNRELATED || left.length < LEFT_SHARE * inside.length) return [];
  return concepts.map((latents) => makePart(latents));
}

/** Each latent with the first one that it is kin to; the first ones are no kin to each other. */
function byFirstKin(latents: readonly number[], kin: (a: number, b: number) => boolean): number[][] {
  const groups: [number, ...number[]][] = [];
  for (const latent of latents) {
    const home = groups.find(([first]) => kin(first, latent));
    if (home === undefined) groups.push([latent]);
    else home.push(latent);
  }
  return groups;
}

/** The latent that keeps the action off on most of the prompts; null where none does beyond chance. */
function worstOf(
  observations: readonly Observation[],
  held: ReadonlyMap<Observation, ReadonlySet<number>>,
  foreign: (latent: number) => boolean,
): number | null {
  const on = new Map<number, Observation[]>();
  for (const one of observations) {
    for (const latent of held.get(one) ?? []) {
      const seen = on.get(latent);
      if (seen === undefined) on.set(latent, [one]);
      else seen.push(one);
    }
  }
  const all = rateOfFlags(observations.map(({ fired }) => fired));
  let worst: { latent: number; off: number } | null = null;
  for (const [latent, seen] of on) {
    if (seen.length < LEAST_SEEN) continue;
    const count = seen.filter(({ fired }) => fired).length;
    const off = seen.length - count;
    if (worst !== null && (off < worst.off || (off === worst.off && latent > worst.latent))) continue;
    const [others, total] = [all.count - count, all.total - seen.length];
    const { low } = wilson(others, total, 1);
    if (wilson(count, seen.length, 1).high >= BLOCKED_SHARE * low) continue;
    if (binomialAtMost(count, seen.length, low) > CHANCE || !foreign(latent)) continue;
    worst = { latent, off };
  }
  return worst?.latent ?? null;
}

/** Latents that are plainly there. */
function presentIn({ reading }: Observation, ranges: Evidence["room"]["ranges"]): Set<number> {
  const present = new Set<number>();
  for (const [at, latent] of reading.ids.entries()) {
    const range = ranges[latent];
    if (range !== undefined && shareOf(range, reading.values[at] as number) >= DEFAULT_LEVELS.present)
      present.add(latent);
  }
  return present;
}
