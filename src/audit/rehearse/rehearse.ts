/**
 * Rehearses hypotheses on the half that they were found on, before any of them may meet the other one: a hypothesis that fails its
 * own rehearsal is not worth one of the few tries. Every one is pruned, planned and tested. The order is that of the fit, but a
 * hypothesis that fires much less often than another steps back: it explains the leaks of the true one. The first of them then
 * loses what dilutes it, and is asked away from what blocks it, or gets what it excludes.
 */

import type { AuditCalls, AuditContext, AuditOptions } from "../ask/context.js";
import { fullCondition, holding } from "../compose/prompt-sets.js";
import { severalWordsBring } from "../compose/several-words.js";
import { type Hypothesis, hypothesisKey, normalise, type Part, positiveParts } from "../concepts/detector.js";
import type { Confirmation } from "../confirm/confirmation.js";
import { planTest, type TestPlan } from "../confirm/plan.js";
import { mayExplain } from "../evidence/candidates.js";
import { LEAST_TRIALS } from "../evidence/composed-rates.js";
import type { Evidence } from "../evidence/evidence.js";
import { splitAlternatives } from "../search/alternatives.js";
import { blockingConcepts } from "../search/blocking.js";
import { exclude } from "../search/exclude.js";
import { prune } from "../search/prune.js";
import type { SearchOutcome } from "../search/search.js";
import { leaders, leadersAndSurest } from "../search/sharpen.js";
import { widen } from "../search/widen.js";
import { bonferroni, wilson } from "../statistics/statistics.js";
import { rehearseClearly } from "./clearest-way.js";
import { narrowed } from "./dilution.js";
import { reductions, strongAlternatives, withoutImpliedParts } from "./simplify.js";

/**
 * Hypotheses rehearsed at most: the first of the fit, those that explain the corpus alone (compositions are many, and crude
 * enough for leaks that people's prompts do not show), then those that fire most surely.
 */
const LEADING = 3;
const NATURAL = 2;
const SUREST = 4;
/** … and at most with what they are reduced to. */
const MOST_REHEARSED = 12;
/** Once a rehearsal's whole fires this surely (cautious lower bound), the search for better ones ends. */
const SURE = 0.75;
/** Where no rehearsal's whole fires this surely, what was found may be a lesser cause that hides the trigger, or words that happen to bring it. */
const WEAK = 0.65;
/** A hypothesis steps back when its bound is below this share of the best one's. */
const STEP_BACK = 0.85;
/** With what it excludes beyond doubt one may be this much less sure: its prompts leave room for other concepts in that one's place. */
const EXCLUDING = 0.75;
/** A hypothesis this sure is not diluted by concepts; what is none goes all the same, as long as it stays so sure. */
const UNDILUTED = 0.9;
/** One that is less sure loses a group of latents where it becomes surer by so much … */
const SURER = 0.1;
/** … or where it stays as sure, but for so much, and the group is no concept or reaches less than this share in its part's place. */
const AS_SURE = 0.02;
const STANDS_ALONE = 0.75;
/** Parts that bring the action by a word or two, from which a conjunction is a phrase. */
const PHRASE_PARTS = 2;
/** Hypotheses rehearsed for that at most. */
const MOST_NARROWED = 10;

export interface Rehearsed {
  readonly hypothesis: Hypothesis;
  readonly plan: TestPlan;
  readonly rehearsal: Confirmation;
  /** One-standard-error lower bound of the whole's rate in rehearsal. */
  readonly low: number;
  /** Whether two of its parts or more bring the action by a word or two each: such a conjunction is a phrase, and no meanings. */
  readonly phrase: boolean;
  /** Whether nothing but prompts that were bred for the action points to one of its parts. */
  readonly bred: boolean;
}

/**
 * What hides the trigger where no meaning was found that raises the action surely: single concepts that raise it beyond doubt, as a
 * cue that brings it now and then draws the search to itself, and a conjunction that shares nothing with it is never met; and
 * phrases, of which a model that heeds a meaning has some. Each as parts that a prompt holds together.
 */
export function lesserCauses(rehearsed: readonly Rehearsed[]): (readonly Part[])[] {
  if (rehearsed.some(({ rehearsal, low, phrase }) => rehearsal.verified && low >= WEAK && !phrase)) return [];
  return rehearsed
    .filter((entry) => (entry.phrase ? entry.rehearsal.verified : doubtless(entry)))
    .map(({ hypothesis }) => positiveParts(hypothesis));
}

/** Whether a single concept raises the action beyond doubt, however seldom it brings it. */
export function doubtless({ hypothesis, rehearsal }: Rehearsed): boolean {
  return hypothesis.parts.length === 1 && rehearsal.pValue <= rehearsal.allowed;
}

/** Prunes, plans and rehearses what was found, on the half that it was found on. */
export async function rehearse(
  search: Evidence,
  { fitted, fittedNaturally }: Pick<SearchOutcome, "fitted" | "fittedNaturally">,
  options: AuditOptions,
  calls: AuditCalls,
  { sae }: Pick<AuditContext, "sae">,
): Promise<Rehearsed[]> {
  const rehearsed: Rehearsed[] = [];
  const seen = new Set<string>();
  const all = leadersAndSurest(fitted, LEADING, SUREST);
  const queue = [...all.slice(0, LEADING), ...leaders(fittedNaturally, NATURAL), ...all.slice(LEADING)];
  for (let leading = queue.shift(); leading !== undefined && seen.size < MOST_REHEARSED; leading = queue.shift()) {
    calls.onStage?.("prune");
    const pruned = await prune(search, leading);
    const widened = await widen(search, pruned, (latent) => mayExplain(search, latent));
    const hypothesis = await splitAlternatives(widened, search.room.kinship, (latent) => sae.decoderRow(latent));
    const key = hypothesisKey(hypothesis);
    if (seen.has(key) || hypothesis.parts.every((part) => part.negated)) continue;
    seen.add(key);
    calls.onStage?.("rehearse");
    let entry = await rehearseOne(search, hypothesis, options);
    // Rehearsed at once: on the queue it would be pruned, as a conjunction.
    for (let stronger = strongAlternatives(entry.rehearsal, search); stronger !== null; ) {
      entry = await rehearseOne(search, stronger, options);
      stronger = strongAlternatives(entry.rehearsal, search);
    }
    const { rehearsal, low } = entry;
    rehearsed.push(entry);
    if (rehearsal.verified && low >= SURE && !entry.phrase) break;
    queue.unshift(...reductions(rehearsal));
  }
  const [leading] = inOrder(rehearsed);
  if (leading === undefined || leading.hypothesis.combination === "any") return rehearsed;
  calls.onStage?.("dilution");
  const first = await withoutImplied(search, await undiluted(search, leading, options), options);
  rehearsed[rehearsed.indexOf(leading)] = first;
  // What the fit excludes may be any second way of speaking: it is kept where `exclude` finds it too, or nothing is sure without it.
  calls.onStage?.("exclusions");
  const bare = normalise(positiveParts(first.hypothesis));
  // The parts of both are sorted alike.
  const failing = first.plan.failing.filter((_, i) => first.hypothesis.parts[i]?.negated === false);
  const narrower = await exclude(search, bare, failing);
  if (narrower === bare && first.low < UNDILUTED) {
    const unblocked = await withoutBlocking(search, bare, failing, first, options);
    if (unblocked !== null) return [unblocked, ...rehearsed];
  }
  for (const instead of new Set([narrower, bare])) {
    if (hypothesisKey(instead) === hypothesisKey(first.hypothesis)) break;
    const entry = await rehearseOne(search, instead, options);
    if (entry.rehearsal.verified && entry.low >= (excludes(entry) ? EXCLUDING : STEP_BACK) * first.low)
      return [entry, ...rehearsed];
  }
  return rehearsed;
}

/**
 * The hypothesis without groups of latents, as long as it is surer without one, or as sure without one that is no concept or brings
 * the action less often in the place of its part.
 */
async function undiluted(search: Evidence, from: Rehearsed, options: AuditOptions): Promise<Rehearsed> {
  const known = new Map<string, Rehearsed>([[hypothesisKey(from.hypothesis), from]]);
  const tryOut = async (hypothesis: Hypothesis) => {
    const key = hypothesisKey(hypothesis);
    const entry = known.get(key) ?? (await rehearseOne(search, hypothesis, options));
    known.set(key, entry);
    return entry;
  };
  let [best, most] = [from, from.low];
  for (;;) {
    const passed: Rehearsed[] = [];
    const sure = best.low >= UNDILUTED;
    for (const { hypothesis, instead } of narrowed(search, best.hypothesis, best.rehearsal.whole.observations)) {
      if (known.size > MOST_NARROWED) break;
      if (sure && instead !== null) continue;
      const entry = await tryOut(hypothesis);
      const enough = sure ? UNDILUTED : most - AS_SURE;
      if (!entry.rehearsal.verified || entry.low < enough) continue;
      if (entry.low >= best.low + SURER || instead === null || fallsShort(await tryOut(instead), best))
        passed.push(entry);
    }
    const [surest] = passed.sort((a, b) => b.low - a.low);
    if (surest === undefined) return best;
    best = surest;
    most = Math.max(most, best.low);
  }
}

/** The hypothesis without a part that another one implies, if it passes about as surely. */
async function withoutImplied(search: Evidence, from: Rehearsed, options: AuditOptions): Promise<Rehearsed> {
  for (const simpler of withoutImpliedParts(from, search.room)) {
    const entry = await rehearseOne(search, simpler, options);
    if (entry.rehearsal.verified && entry.low >= STEP_BACK * from.low) return entry;
  }
  return from;
}

/**
 * The bare hypothesis asked where nothing stands that keeps the action off, if many unrelated things do; null where it is not clearly surer so than
 * `first`, or about as sure where that excludes something by the fit alone.
 */
async function withoutBlocking(
  search: Evidence,
  bare: Hypothesis,
  failing: readonly ReadonlySet<string>[],
  first: Rehearsed,
  options: AuditOptions,
): Promise<Rehearsed | null> {
  const without = blockingConcepts(search, bare, failing);
  if (without.length === 0) return null;
  const entry = await rehearseOne(search, bare, options, without);
  const excluding = hypothesisKey(bare) !== hypothesisKey(first.hypothesis);
  const enough = excluding ? STEP_BACK * first.low : first.low + SURER;
  return entry.rehearsal.verified && entry.low >= enough ? entry : null;
}

/** Whether what could be written of a hypothesis brings the action less often than a part of another one that it stands for must. */
function fallsShort({ rehearsal, low }: Rehearsed, best: Rehearsed): boolean {
  return rehearsal.whole.rate.total >= LEAST_TRIALS && low < STANDS_ALONE * best.low;
}

/**
 * Those that passed, each once, in the order in which they meet the other half: a phrase after every meaning. Phrases, and what only bred
 * prompts point to, must be sure: a model that heeds a meaning acts on some combination of words now and then, and who breeds for it finds it.
 */
export function inOrder(rehearsed: readonly Rehearsed[]): Rehearsed[] {
  const distinct = new Map<string, Rehearsed>();
  for (const entry of rehearsed) {
    const key = hypothesisKey(entry.hypothesis);
    if (entry.rehearsal.verified && mayBeTheTrigger(entry) && !distinct.has(key)) distinct.set(key, entry);
  }
  const passed = [...distinct.values()];
  const meanings = passed.filter(({ phrase }) => !phrase);
  const best = Math.max(0, ...meanings.map((entry) => entry.low));
  const inFront = (entry: Rehearsed) => entry.low >= (excludes(entry) ? EXCLUDING : STEP_BACK) * best;
  return [
    ...meanings.filter(inFront),
    ...meanings.filter((entry) => !inFront(entry)),
    ...passed.filter(({ phrase }) => phrase),
  ];
}

const mayBeTheTrigger = ({ phrase, bred, low }: Rehearsed): boolean => (!phrase && !bred) || low >= WEAK;

/** Whether it excludes something, and other concepts in that one's place bring the action. */
const excludes = ({ hypothesis, rehearsal: { placebos } }: Rehearsed): boolean =>
  hypothesis.parts.some((part) => part.negated) && placebos.some(({ rate }) => rate.total > 0);

/** Plans and rehearses; `without`: concepts beside which nothing is asked. */
export async function rehearseOne(
  search: Evidence,
  hypothesis: Hypothesis,
  options: AuditOptions,
  without: readonly Part[] = [],
): Promise<Rehearsed> {
  const allowed = bonferroni(options.familyError, options.confirmTries);
  const { plan, rehearsal } = await rehearseClearly(
    search,
    hypothesis,
    await planTest(search, hypothesis, options.confirmSize, allowed, without),
  );
  const { count, total } = rehearsal.whole.rate;
  const phrase = isPhrase(search, hypothesis);
  const bred = hypothesis.parts.some(({ latents }) => latents.every((latent) => search.isBred(latent)));
  return { hypothesis, plan, rehearsal, low: wilson(count, total, 1).low, phrase, bred };
}

/** Asked of everything that was tried on the half: a rehearsal may have had room for a few words of each part. */
function isPhrase({ room, observations }: Evidence, hypothesis: Hypothesis): boolean {
  if (hypothesis.combination === "any") return false;
  const held = holding(observations, fullCondition(hypothesis), room.ranges);
  const words = positiveParts(hypothesis).filter((part) => !severalWordsBring(room, held, part));
  return words.length >= PHRASE_PARTS;
}
