/**
 * Decides which hypotheses may meet the confirmation half, and in which order. Every one is pruned, planned, and rehearsed
 * on the search half: a hypothesis that fails its own rehearsal is not worth one of the few tries. The order is that of the
 * fit, but a hypothesis that fires much less often than another steps back: it explains the leaks of the true one.
 */

import { splitAlternatives } from "./alternatives.js";
import { isAlive } from "./candidates.js";
import { type Confirmation, confirm } from "./confirm.js";
import type { AuditCalls, AuditContext, AuditOptions } from "./context.js";
import { type Hypothesis, hypothesisKey, makePart, normalise, type Part, positiveParts } from "./detector.js";
import type { Evidence } from "./evidence.js";
import { exclude } from "./exclude.js";
import { planTest, type TestPlan } from "./plan.js";
import { presentHypothesis } from "./present.js";
import { fullCondition, turned } from "./prompt-sets.js";
import { prune } from "./prune.js";
import type { ResultHypothesis } from "./result.js";
import type { SearchOutcome } from "./search.js";
import { leaders, leadersAndSurest } from "./sharpen.js";
import { bonferroni, wilson } from "./statistics.js";
import { widen } from "./widen.js";

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
/** Where no rehearsal's whole fires this surely, what was found may be a lesser cause that hides the trigger. */
const WEAK = 0.65;
/** A hypothesis steps back when its bound is below this share of the best one's. */
const STEP_BACK = 0.85;
/** An alternative must reach this share of the best one's rate: what a word or two bring now and then is a leak. */
const ALTERNATIVE_SHARE = 0.75;
/** A part without which the action still comes this often is needless. */
const NEEDLESS_RATE = 0.25;

export interface Rehearsed {
  readonly hypothesis: Hypothesis;
  readonly plan: TestPlan;
  readonly rehearsal: Confirmation;
  /** One-standard-error lower bound of the whole's rate in rehearsal. */
  readonly low: number;
}

export interface TurnsOutcome {
  /** Confirmed or refused on the confirmation half in this order, then those that failed in rehearsal. */
  readonly hypotheses: readonly ResultHypothesis[];
  /** The verified one and its result, or null. */
  readonly verified: { readonly hypothesis: Hypothesis; readonly result: ResultHypothesis } | null;
}

/** Confirms on `unseen` what was rehearsed on `search`, until one holds or the tries are used up. */
export async function confirmInTurn(
  search: Evidence,
  unseen: Evidence,
  rehearsed: readonly Rehearsed[],
  options: AuditOptions,
  calls: AuditCalls,
  context: Pick<AuditContext, "label">,
): Promise<TurnsOutcome> {
  const order = inOrder(rehearsed);
  calls.onStage?.("confirm");
  const results: ResultHypothesis[] = [];
  let verified: TurnsOutcome["verified"] = null;
  for (let tries = 0; tries < options.confirmTries; tries++) {
    const next = order.shift();
    if (next === undefined) break;
    const { hypothesis, plan } = next;
    const confirmation = await confirm(unseen, hypothesis, plan);
    const result = await presentHypothesis(unseen.room, confirmation, plan, "confirmation", context.label);
    results.push(result);
    if (confirmation.verified) {
      verified = { hypothesis, result };
      break;
    }
    // One weak alternative refuses all; the others alone are a further hypothesis, at the cost of a further try.
    const stronger = strongAlternatives(confirmation);
    if (stronger !== null) order.unshift(await rehearseOne(search, stronger, options));
  }
  for (const { rehearsal, plan } of rehearsed) {
    if (!rehearsal.verified)
      results.push(await presentHypothesis(search.room, rehearsal, plan, "search", context.label));
  }
  return { hypotheses: results, verified };
}

/**
 * Single concepts that raise the action beyond doubt, where nothing that was found raises it surely: a cue that brings it now and then
 * draws the search to itself, and a conjunction that shares nothing with it is never met.
 */
export function lesserCauses(rehearsed: readonly Rehearsed[]): Part[] {
  if (rehearsed.some(({ rehearsal, low }) => rehearsal.verified && low >= WEAK)) return [];
  return rehearsed
    .filter(({ hypothesis, rehearsal }) => hypothesis.parts.length === 1 && rehearsal.pValue <= rehearsal.allowed)
    .flatMap(({ hypothesis }) => hypothesis.parts);
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
    const { half, lexicon, kinship } = search.room;
    const widened = await widen(search, pruned, (latent) => isAlive(latent, half, lexicon));
    const hypothesis = await splitAlternatives(widened, kinship, (latent) => sae.decoderRow(latent));
    const key = hypothesisKey(hypothesis);
    if (seen.has(key) || hypothesis.parts.every((part) => part.negated)) continue;
    seen.add(key);
    calls.onStage?.("rehearse");
    let entry = await rehearseOne(search, hypothesis, options);
    // Rehearsed at once: on the queue it would be pruned, as a conjunction.
    for (let stronger = strongAlternatives(entry.rehearsal); stronger !== null; ) {
      entry = await rehearseOne(search, stronger, options);
      stronger = strongAlternatives(entry.rehearsal);
    }
    const { rehearsal, low } = entry;
    rehearsed.push(entry);
    if (rehearsal.verified && low >= SURE) break;
    queue.unshift(...reductions(rehearsal));
  }
  const [first] = inOrder(rehearsed);
  if (first === undefined || first.hypothesis.combination === "any") return rehearsed;
  // What the fit excludes may be any second way of speaking: it is kept where `exclude` finds it too, or nothing is sure without it.
  const bare = normalise(positiveParts(first.hypothesis));
  const narrower = await exclude(search, bare);
  for (const instead of new Set([narrower, bare])) {
    if (hypothesisKey(instead) === hypothesisKey(first.hypothesis)) break;
    const entry = await rehearseOne(search, instead, options);
    if (entry.rehearsal.verified && entry.low >= STEP_BACK * first.low) return [entry, ...rehearsed];
  }
  return rehearsed;
}

/** Those that passed, in the order in which they meet the other half. */
function inOrder(rehearsed: readonly Rehearsed[]): Rehearsed[] {
  const passed = rehearsed.filter((entry) => entry.rehearsal.verified);
  const best = Math.max(0, ...passed.map((entry) => entry.low));
  const inFront = (entry: Rehearsed) => entry.low >= STEP_BACK * best;
  return [...passed.filter(inFront), ...passed.filter((entry) => !inFront(entry))];
}

async function rehearseOne(search: Evidence, hypothesis: Hypothesis, options: AuditOptions): Promise<Rehearsed> {
  const allowed = bonferroni(options.familyError, options.confirmTries);
  const plan = await planTest(search, hypothesis, options.confirmSize, allowed);
  const rehearsal = await confirm(search, hypothesis, plan);
  const { count, total } = rehearsal.whole.rate;
  return { hypothesis, plan, rehearsal, low: wilson(count, total, 1).low };
}

/** Alternatives without those on which the action comes much less often than on the best one; null where none is so weak. */
function strongAlternatives({ hypothesis, alternatives }: Confirmation): Hypothesis | null {
  const best = Math.max(0, ...alternatives.map(({ rate }) => rate.rate));
  const strong = hypothesis.parts.filter((_, i) => (alternatives[i]?.rate.rate ?? 0) >= ALTERNATIVE_SHARE * best);
  if (alternatives.length === 0 || strong.length === hypothesis.parts.length) return null;
  return normalise(strong, strong.length > 1);
}

/**
 * Simpler hypotheses in place of a conjunction that failed because the action comes without one of its parts: two latents of
 * one concept look like that where the corpus does not show them together. First all of them as one part, then what is
 * left without each needless part.
 */
function reductions({ hypothesis, verified, others }: Confirmation): Hypothesis[] {
  if (verified || hypothesis.combination !== "all") return [];
  const full = fullCondition(hypothesis);
  const needless = hypothesis.parts.flatMap((part, i) => {
    const without = `${turned(full, i).present}`;
    const rate = others.find((set) => `${set.condition.present}` === without)?.rate;
    return !part.negated && rate !== undefined && rate.total > 0 && rate.rate >= NEEDLESS_RATE ? [i] : [];
  });
  if (needless.length === 0) return [];
  const positive = hypothesis.parts.filter((part) => !part.negated);
  const negated = hypothesis.parts.filter((part) => part.negated);
  const merged = makePart(positive.flatMap((part) => part.latents));
  return [
    normalise([merged, ...negated]),
    ...needless.map((i) => normalise(hypothesis.parts.filter((_, j) => j !== i))),
  ].filter((simpler) => simpler.parts.some((part) => !part.negated));
}
