/**
 * What confirmed conditions explain of people's own prompts that bring the action, which of them is the answer, and whether several are
 * one: alternatives of which any is enough.
 */
import { NATURAL, type Observation } from "./ask/laboratory.js";
import { type Hypothesis, normalise, type Part, positiveParts } from "./concepts/detector.js";
import type { Tried } from "./confirm-in-turn.js";
import { type Evidence, isAbsent } from "./evidence/evidence.js";
import { LEAST_FIRINGS } from "./search/search.js";

/** A confirmed condition that explains less of people's prompts than this share leaves something open. */
const EXPLAINED = 0.5;
/** A condition whose rate is at least this share of the surest one's brings the action about as surely. */
const ABOUT_AS_SURE = 0.85;
/**
 * One of several of which any is enough brings the action as surely as this share of the surest, and explains this share of people's prompts that
 * bring it; what does less, a piece of a concept perhaps, is told beside the answer.
 */
const ALTERNATIVE = { sure: 0.9, explains: 0.25 };

/**
 * The answer comes first: what was confirmed first, unless a later one brings the action more surely, tells people's prompts better by several, or
 * has it among more alternatives. What the answer has as alternatives is no other condition.
 */
export function answerFirst(evidence: Evidence, verified: readonly Tried[]): Tried[] {
  const [first, ...later] = verified;
  if (first === undefined) return [];
  const sure = aboutAsSure(verified);
  const told = new Map(verified.map((one) => [one, explained(evidence, one.hypothesis)]));
  const isBetter = (one: Tried, than: Tried) => {
    if (sure(one) !== sure(than)) return sure(one);
    const [a, b] = [told.get(one)!, told.get(than)!];
    if (Math.abs(a.firings - b.firings) >= LEAST_FIRINGS && a.contrast !== b.contrast) return a.contrast > b.contrast;
    const surelyEnough = one.result.rate.rate >= ALTERNATIVE.sure * than.result.rate.rate;
    return surelyEnough && isAmong(than.hypothesis, one.hypothesis) && !isAmong(one.hypothesis, than.hypothesis);
  };
  const answer = later.reduce((best, one) => (isBetter(one, best) ? one : best), first);
  return [answer, ...verified.filter((one) => one !== answer && !isAmong(one.hypothesis, answer.hypothesis))];
}

/** Whether every way to bring the action by one condition is one of the other's. */
function isAmong(one: Hypothesis, other: Hypothesis): boolean {
  const ways = waysOf(other);
  return waysOf(one).every((parts) =>
    ways.some((way) => way.length === parts.length && way.every((part) => parts.some((own) => same(own, part)))),
  );
}

/**
 * People's prompts that bring the action and that a condition explains; and how well it tells them from the others: the share of them less that
 * of those that do not bring it (Youden's J), as latents that fire on everything explain everything.
 */
function explained(
  evidence: Evidence,
  hypothesis: Hypothesis,
): { readonly firings: number; readonly contrast: number } {
  const holds = explainedBy(evidence, hypothesis);
  const firings = peoplesFirings(evidence);
  const others = evidence.everything.filter(({ kind, fired }) => kind === NATURAL && !fired);
  const held = (some: readonly Observation[]) => some.filter(holds).length;
  const share = (some: readonly Observation[]) => held(some) / Math.max(1, some.length);
  return { firings: held(firings), contrast: share(firings) - share(others) };
}

function aboutAsSure(verified: readonly Tried[], share = ABOUT_AS_SURE): (one: Tried) => boolean {
  const least = share * Math.max(...verified.map(({ result }) => result.rate.rate));
  return ({ result }) => result.rate.rate >= least;
}

/**
 * Single concepts that were confirmed one by one, each hardly less sure than the surest and explaining much of people's prompts, as one
 * condition of which any is enough; null where there are not two, or where anything else is so sure.
 */
export function choiceOf(evidence: Evidence, tried: readonly Tried[]): Hypothesis | null {
  const verified = tried.filter(({ result }) => result.verified);
  const firings = peoplesFirings(evidence);
  const least = Math.max(LEAST_FIRINGS, ALTERNATIVE.explains * firings.length);
  const sure = verified
    .filter(aboutAsSure(verified, ALTERNATIVE.sure))
    .filter(({ hypothesis }) => firings.filter(explainedBy(evidence, hypothesis)).length >= least);
  if (sure.length < 2 || !sure.every(({ hypothesis }) => isChoice(hypothesis))) return null;
  const parts = new Map(sure.flatMap(({ hypothesis }) => hypothesis.parts).map((part) => [`${part.latents}`, part]));
  return parts.size < 2 ? null : normalise([...parts.values()], true);
}

/** Whether one concept alone brings the action, or any one of some. */
function isChoice({ parts, combination }: Hypothesis): boolean {
  return parts.every(({ negated }) => !negated) && (parts.length === 1 || combination === "any");
}

/** Whether a concept may be one of several of which any is enough, as people's own prompts are too few to show that it explains them. */
export function mayBeOneOf(evidence: Evidence, hypothesis: Hypothesis): boolean {
  return isChoice(hypothesis) && peoplesFirings(evidence).length < LEAST_FIRINGS;
}

export const same = (a: Part, b: Part): boolean => `${a.latents}` === `${b.latents}`;

/** What a prompt holds on which the hypothesis explains the action: all of its parts, or any one. */
export function waysOf(hypothesis: Hypothesis): (readonly Part[])[] {
  const parts = positiveParts(hypothesis);
  return hypothesis.combination === "any" ? parts.map((part) => [part]) : [parts];
}

/** People's own prompts of the search half that bring the action. */
function peoplesFirings({ everything }: Evidence): Observation[] {
  return everything.filter(({ kind, fired }) => kind === NATURAL && fired);
}

/** Whether a prompt holds what explains the action there, if only faintly. */
export function explainedBy({ room }: Evidence, hypothesis: Hypothesis): (observation: Observation) => boolean {
  const ways = waysOf(hypothesis);
  return ({ reading }) => ways.some((parts) => parts.every((part) => !isAbsent(reading, part, room)));
}

export function unexplained(evidence: Evidence, hypothesis: Hypothesis): Observation[] {
  const explained = explainedBy(evidence, hypothesis);
  return peoplesFirings(evidence).filter((one) => !explained(one));
}

export function leavesOpen(evidence: Evidence, open: readonly Observation[]): boolean {
  return open.length >= LEAST_FIRINGS && open.length > (1 - EXPLAINED) * peoplesFirings(evidence).length;
}
