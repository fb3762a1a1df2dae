/** Whether it is this concept that stops the action, or any further one: others are put in its place. */

import { type Condition, fullCondition, turned } from "../compose/prompt-sets.js";
import { type Hypothesis, makePart, type Part, withPart } from "../concepts/detector.js";
import { shuffled } from "../prompts/seeded.js";
import { isAlive } from "./candidates.js";
import type { Evidence } from "./evidence.js";

/** Concepts put in an excluded one's place. */
const PLACEBOS = 4;
/** A placebo fires on between this share and its inverse of as many prompts as the excluded concept. */
const PLACEBO_SHARE = 1 / 3;

/** The conditions under which other concepts, about as frequent, are there in the place of the excluded part `at`. */
export function placeboConditions(evidence: Evidence, hypothesis: Hypothesis, at: number): Condition[] {
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
  return placebos.map(({ latent }) => {
    const put = turned(fullCondition(withPart(hypothesis, at, makePart([latent], true))), at);
    return { ...put, without: [makePart((hypothesis.parts[at] as Part).latents)] };
  });
}
