/** Simpler hypotheses in place of one that its rehearsal refused: without weak alternatives, or without parts that are not needed. */

import { fullCondition, turned } from "../compose/prompt-sets.js";
import { severalWordsBring } from "../compose/several-words.js";
import { type Hypothesis, makePart, normalise, type Part, positiveParts } from "../concepts/detector.js";
import type { PeakRoom } from "../concepts/peak-word.js";
import type { Confirmation } from "../confirm/confirmation.js";

/** An alternative must reach this share of the best one's rate. */
const ALTERNATIVE_SHARE = 0.75;
/** A part without which the action still comes this often is needless. */
const NEEDLESS_RATE = 0.25;

/**
 * Alternatives without those on which the action comes much less often than on the best one, and those that bring it by a word or
 * two where others do by several; null where none is so weak.
 */
export function strongAlternatives({ hypothesis, alternatives }: Confirmation, room: PeakRoom): Hypothesis | null {
  if (alternatives.length === 0) return null;
  const best = Math.max(...alternatives.map(({ rate }) => rate.rate));
  const often = alternatives.map(({ rate }) => rate.rate >= ALTERNATIVE_SHARE * best);
  const severally = alternatives.map(({ observations }, i) =>
    severalWordsBring(room, observations, hypothesis.parts[i] as Part),
  );
  const noneSeverally = !severally.some((several, i) => several && often[i]);
  const strong = hypothesis.parts.filter((_, i) => often[i] && (severally[i] || noneSeverally));
  return strong.length === hypothesis.parts.length ? null : normalise(strong, strong.length > 1);
}

/** Of alternatives the one that brought the action most often; null of other hypotheses. */
export function surestAlternative({ hypothesis, alternatives }: Confirmation): Hypothesis | null {
  if (alternatives.length === 0) return null;
  const rates = alternatives.map(({ rate }) => rate.rate);
  return normalise([hypothesis.parts[rates.indexOf(Math.max(...rates))] as Part]);
}

/**
 * Simpler hypotheses in place of a conjunction that failed because the action comes without one of its parts: two latents of
 * one concept look like that where the corpus does not show them together. First all of them as one part, then what is
 * left without each needless part.
 */
export function reductions({ hypothesis, verified, others }: Confirmation): Hypothesis[] {
  if (verified || hypothesis.combination !== "all") return [];
  const full = fullCondition(hypothesis);
  const needless = hypothesis.parts.flatMap((part, i) => {
    const without = `${turned(full, i).present}`;
    const rate = others.find((set) => `${set.condition.present}` === without)?.rate;
    return !part.negated && rate !== undefined && rate.total > 0 && rate.rate >= NEEDLESS_RATE ? [i] : [];
  });
  if (needless.length === 0) return [];
  const positive = positiveParts(hypothesis);
  const negated = hypothesis.parts.filter((part) => part.negated);
  const merged = makePart(positive.flatMap((part) => part.latents));
  return [
    normalise([merged, ...negated]),
    ...needless.map((i) => normalise(hypothesis.parts.filter((_, j) => j !== i))),
  ].filter((simpler) => simpler.parts.some((part) => !part.negated));
}
