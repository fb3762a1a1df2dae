/** Simpler hypotheses in place of one that its rehearsal refused: without weak alternatives, or without parts that are not needed. */

import type { Observation } from "../ask/laboratory.js";
import { fullCondition, holding, type SourceRoom, turned } from "../compose/prompt-sets.js";
import { severalWordsBring } from "../compose/several-words.js";
import { type Hypothesis, makePart, normalise, type Part, positiveParts } from "../concepts/detector.js";
import type { PeakRoom } from "../concepts/peak-word.js";
import type { Confirmation } from "../confirm/confirmation.js";
import type { Plan } from "../confirm/confirmation-sets.js";
import { foldWord } from "../prompts/words.js";

/** An alternative must reach this share of the best one's rate. */
const ALTERNATIVE_SHARE = 0.75;
/** A part without which the action still comes this often is needless. */
const NEEDLESS_RATE = 0.25;

/**
 * Alternatives without those on which the action comes much less often than on the best one, and those that bring it by a word or
 * two where others do by several, in everything that was tried (the rehearsal may have had room for a few words of each); null where none is so weak.
 */
export function strongAlternatives(
  { hypothesis, alternatives }: Pick<Confirmation, "hypothesis" | "alternatives">,
  { room, observations }: { readonly room: PeakRoom; readonly observations: readonly Observation[] },
): Hypothesis | null {
  if (alternatives.length === 0) return null;
  const best = Math.max(...alternatives.map(({ rate }) => rate.rate));
  const often = alternatives.map(({ rate }) => rate.rate >= ALTERNATIVE_SHARE * best);
  const severally = alternatives.map((alternative, i) => {
    const tried = holding(observations, fullCondition(hypothesis, i), room.ranges);
    return [alternative.observations, tried].some((some) => severalWordsBring(room, some, hypothesis.parts[i] as Part));
  });
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

/** Of the words by which a part brings the action, the share that is another part's too, from which that one adds nothing. */
const IMPLIED_SHARE = 0.5;

/**
 * A conjunction without each positive part that has most of the words by which another one brings the action: "France" and "proper
 * names" is "France", whose latent fires on a word or two besides. Where nothing else can be written for the first, no set shows that the second is needed.
 */
export function withoutImpliedParts(
  { hypothesis, plan }: { readonly hypothesis: Hypothesis; readonly plan: Pick<Plan, "failing"> },
  { lexicon }: Pick<SourceRoom, "lexicon">,
): Hypothesis[] {
  if (hypothesis.combination !== "all") return [];
  const words = hypothesis.parts.map((part) => lexicon.words(part).map(({ text }) => foldWord(text)));
  const counting = words.map((list, i) => list.filter((word) => !plan.failing[i]?.has(word)));
  const implies = (i: number, j: number) => {
    const shared = counting[i]!.filter((word) => words[j]!.includes(word)).length;
    return shared > 0 && shared >= IMPLIED_SHARE * counting[i]!.length;
  };
  const positive = hypothesis.parts.flatMap((part, i) => (part.negated ? [] : [i]));
  return positive
    .filter((j) => positive.some((i) => i !== j && implies(i, j)))
    .map((j) => normalise(hypothesis.parts.filter((_, k) => k !== j)));
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
