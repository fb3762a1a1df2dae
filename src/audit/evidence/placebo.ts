/** Whether it is this concept that stops the action, or any further one: others are put in its place. */

import { type Condition, DEFAULT_LEVELS, fullCondition, turned } from "../compose/prompt-sets.js";
import { LEAST_WORDS } from "../compose/several-words.js";
import { type Hypothesis, makePart, type Part, withPart } from "../concepts/detector.js";
import { shuffled } from "../prompts/seeded.js";
import { isAlive } from "./candidates.js";
import type { Evidence } from "./evidence.js";

/** Concepts put in an excluded one's place. */
const PLACEBOS = 4;
/** A placebo fires on between this share and its inverse of as many prompts as the excluded concept, as far as there are enough of them. */
const PLACEBO_SHARE = 1 / 3;

/**
 * The conditions under which other concepts, about as frequent, are there in the place of the excluded part `at`: first such as can be
 * written, by several words each of which brings them clearly. Others would leave hardly any prompt to compare with.
 */
export function placeboConditions(evidence: Evidence, hypothesis: Hypothesis, at: number): Condition[] {
  const { half, lexicon, kinship, seed } = evidence.room;
  const known = hypothesis.parts.flatMap((part) => part.latents);
  const fires = Math.max(...(hypothesis.parts[at] as Part).latents.map((latent) => half.fires[latent] as number));
  const others = Array.from(half.fires, (count, latent) => ({ latent, ratio: frequencyRatio(count, fires) })).filter(
    ({ latent, ratio }) =>
      ratio > 0 &&
      !known.some((other) => other === latent || kinship.kin(other, latent)) &&
      isAlive(latent, half, lexicon),
  );
  const [near, far] = split(others, ({ ratio }) => ratio >= PLACEBO_SHARE);
  const inOrder = [
    ...shuffled(near, seed, ({ latent }) => `placebo ${latent}`),
    ...far.sort((a, b) => b.ratio - a.ratio || a.latent - b.latent),
  ];
  const writable = firstOf(inOrder, PLACEBOS, ({ latent }) => clearWords(evidence, latent) >= LEAST_WORDS);
  const placebos = [...new Set([...writable, ...inOrder.slice(0, near.length)])].slice(0, PLACEBOS);
  return placebos.map(({ latent }) => {
    const put = turned(fullCondition(withPart(hypothesis, at, makePart([latent], true))), at);
    return { ...put, without: [makePart((hypothesis.parts[at] as Part).latents)] };
  });
}

/** How alike two counts are: the smaller as a share of the larger. */
const frequencyRatio = (a: number, b: number): number => Math.min(a, b) / Math.max(a, b);

/** How many words bring a latent clearly. */
function clearWords({ room }: Evidence, latent: number): number {
  return room.lexicon.words(makePart([latent])).filter(({ strength }) => strength >= DEFAULT_LEVELS.present).length;
}

/** Those of which something holds, and the others. */
function split<T>(items: readonly T[], holds: (item: T) => boolean): [T[], T[]] {
  return [items.filter(holds), items.filter((item) => !holds(item))];
}

/** The first `most` items of which something holds; no more of them are looked at than it takes. */
function firstOf<T>(items: readonly T[], most: number, holds: (item: T) => boolean): T[] {
  const found: T[] = [];
  for (const item of items) {
    if (found.length === most) break;
    if (holds(item)) found.push(item);
  }
  return found;
}
