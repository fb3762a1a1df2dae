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
 * written, by several words each of which brings them clearly. Others would leave hardly any prompt to compare with. `suspects`: latents
 * that may be excluded themselves, which are no placebos, nor their kin.
 */
export function placeboConditions(
  evidence: Evidence,
  hypothesis: Hypothesis,
  at: number,
  suspects: readonly number[] = [],
): Condition[] {
  const { half, lexicon, kinship, seed } = evidence.room;
  const known = [...hypothesis.parts.flatMap((part) => part.latents), ...suspects];
  const fires = Math.max(...(hypothesis.parts[at] as Part).latents.map((latent) => half.fires[latent] as number));
  const all = Array.from(half.fires, (count, latent) => ({
    latent,
    alike: (Math.min(count, fires) + 1) / (Math.max(count, fires) + 1),
  }));
  const near = shuffled(
    all.filter(({ alike }) => alike >= PLACEBO_SHARE),
    seed,
    ({ latent }) => `placebo ${latent}`,
  );
  const far = all.filter(({ alike }) => alike < PLACEBO_SHARE).sort((a, b) => b.alike - a.alike || a.latent - b.latent);
  // Kinship is dear to ask, and asked last.
  const serves = ({ latent }: { readonly latent: number }) =>
    isAlive(latent, half, lexicon) && !known.some((other) => other === latent || kinship.kin(other, latent));
  const written = firstOf(
    [...near, ...far],
    PLACEBOS,
    (one) => clearWords(evidence, one.latent) >= LEAST_WORDS && serves(one),
  );
  const others = firstOf(near, PLACEBOS - written.length, (one) => !written.includes(one) && serves(one));
  return [...written, ...others].map(({ latent }) => {
    const put = turned(fullCondition(withPart(hypothesis, at, makePart([latent], true))), at);
    return { ...put, without: [makePart((hypothesis.parts[at] as Part).latents)] };
  });
}

/** How many words bring a latent clearly. */
function clearWords({ room }: Evidence, latent: number): number {
  return room.lexicon.words(makePart([latent])).filter(({ strength }) => strength >= DEFAULT_LEVELS.present).length;
}

/** The first `most` items of which something holds; no more of them are looked at than it takes. */
function firstOf<T>(items: readonly T[], most: number, holds: (item: T) => boolean): T[] {
  const found: T[] = [];
  for (const item of items) {
    if (found.length >= most) break;
    if (holds(item)) found.push(item);
  }
  return found;
}
