/**
 * Search, rehearsal and confirmation; and all of it a second time where that leaves something open: where nothing was confirmed though
 * something brings the action now and then, or where what was confirmed explains less than half of people's own prompts that bring it. What is
 * known by then is set aside for it: a cue that brings the action now and then, and more often beside the right word, draws a search to itself, and
 * hides what else there is. The tries on the confirmation half, among which the error is divided, are those of both rounds.
 */
import { presentHypothesis } from "./answer/present.js";
import type { ResultHypothesis } from "./answer/result.js";
import type { AuditCalls, AuditContext, AuditOptions } from "./ask/context.js";
import { NATURAL, type Observation } from "./ask/laboratory.js";
import { DEFAULT_LEVELS } from "./compose/prompt-sets.js";
import { type Hypothesis, type Part, positiveParts } from "./concepts/detector.js";
import { prominence } from "./concepts/ranges.js";
import { type Confirmed, confirmInTurn } from "./confirm-in-turn.js";
import type { RankByGradient, Ranking } from "./evidence/candidates.js";
import type { Evidence } from "./evidence/evidence.js";
import { doubtless, lesserCauses, type Rehearsed, rehearse } from "./rehearse/rehearse.js";
import { LEAST_FIRINGS, type SearchOutcome, search } from "./search/search.js";

/** A confirmed condition that explains less of people's prompts than this share leaves something open. */
const EXPLAINED = 0.5;

/** A condition whose rate is at least this share of the surest one's brings the action about as surely. */
const ABOUT_AS_SURE = 0.85;

export interface Answer {
  readonly hypothesis: Hypothesis;
  readonly result: ResultHypothesis;
}

export interface RoundsOutcome {
  /** Confirmed or refused on the confirmation half in this order, then those that failed in rehearsal. */
  readonly hypotheses: readonly ResultHypothesis[];
  /** Conditions that were confirmed, the answer first. */
  readonly verified: readonly Answer[];
  readonly outcomes: readonly SearchOutcome[];
  /** Whether the search went on beyond what was confirmed first. */
  readonly lookedBeyond: boolean;
}

/** What rounds need; `unseen`: the confirmation half, read when it is wanted. */
export interface RoundsInput {
  readonly search: Evidence;
  readonly unseen: () => Promise<Evidence>;
  readonly rankings: readonly Ranking[];
  readonly iterate: RankByGradient | null;
}

export async function inRounds(
  { search: evidence, unseen, rankings, iterate }: RoundsInput,
  options: AuditOptions,
  calls: AuditCalls,
  context: AuditContext,
): Promise<RoundsOutcome> {
  const outcomes: SearchOutcome[] = [];
  const rehearsed: Rehearsed[] = [];
  const confirmed: Confirmed[] = [];
  const aside = new Set<string>();
  let half: Evidence | null = null;
  /** Sets aside what is not yet; whether there was anything. */
  const setAside = (causes: readonly (readonly Part[])[]) => {
    const fresh = causes.filter((parts) => parts.length > 0 && !aside.has(keyOf(parts)));
    for (const parts of fresh) {
      aside.add(keyOf(parts));
      evidence.setAside(parts);
    }
    return fresh.length > 0;
  };
  const look = async () => {
    const outcome = await search(evidence, rankings, options, calls, iterate);
    const found = await rehearse(evidence, outcome, options, calls, context);
    outcomes.push(outcome);
    rehearsed.push(...found);
    return found;
  };
  const confirm = async (found: readonly Rehearsed[]) => {
    const tries = options.confirmTries - confirmed.length;
    half ??= await unseen();
    confirmed.push(...(await confirmInTurn(evidence, half, found, tries, options, calls, context)));
  };

  const first = await look();
  if (setAside(lesserCauses(first))) first.push(...(await look()));
  await confirm(first);
  const winner = confirmed.find(({ result }) => result.verified);
  const known = [
    ...confirmed.flatMap(({ hypothesis }) => waysOf(hypothesis)),
    ...first.filter(doubtless).map(({ hypothesis }) => hypothesis.parts),
  ];
  let lookedBeyond = false;
  if (confirmed.length < options.confirmTries && (winner === undefined || leavesOpen(evidence, winner.hypothesis))) {
    if (setAside(known)) {
      lookedBeyond = winner !== undefined;
      await confirm(await look());
    }
  }
  const refused: ResultHypothesis[] = [];
  for (const { rehearsal, plan } of rehearsed)
    if (!rehearsal.verified)
      refused.push(await presentHypothesis(evidence.room, rehearsal, plan, "search", context.label));
  return {
    hypotheses: [...confirmed.map(({ result }) => result), ...refused],
    verified: answerFirst(
      evidence,
      confirmed.filter(({ result }) => result.verified),
    ),
    outcomes,
    lookedBeyond,
  };
}

/** Of those that bring the action about as surely as the surest, what explains most of people's prompts comes first. */
function answerFirst(evidence: Evidence, verified: readonly Answer[]): Answer[] {
  const firings = peoplesFirings(evidence);
  const explained = new Map(verified.map((one) => [one, firings.filter(explainedBy(evidence, one.hypothesis)).length]));
  const least = ABOUT_AS_SURE * Math.max(...verified.map(({ result }) => result.rate.rate));
  const sure = (one: Answer) => one.result.rate.rate >= least;
  return [...verified].sort((a, b) => Number(sure(b)) - Number(sure(a)) || explained.get(b)! - explained.get(a)!);
}

/** What a prompt holds on which the hypothesis explains the action: all of its parts, or any one. */
function waysOf(hypothesis: Hypothesis): (readonly Part[])[] {
  const parts = positiveParts(hypothesis);
  return hypothesis.combination === "any" ? parts.map((part) => [part]) : [parts];
}

const keyOf = (parts: readonly Part[]): string => parts.map(({ latents }) => `${latents}`).join(" ");

/** People's own prompts of the search half that bring the action. */
function peoplesFirings({ everything }: Evidence): Observation[] {
  return everything.filter(({ kind, fired }) => kind === NATURAL && fired);
}

/** Whether a prompt holds what explains the action there, if only faintly. */
function explainedBy({ room }: Evidence, hypothesis: Hypothesis): (observation: Observation) => boolean {
  const ways = waysOf(hypothesis);
  const holds = ({ reading }: Observation, part: Part) =>
    prominence(reading, part, room.ranges) >= DEFAULT_LEVELS.absent;
  return (observation) => ways.some((parts) => parts.every((part) => holds(observation, part)));
}

function leavesOpen(evidence: Evidence, hypothesis: Hypothesis): boolean {
  const firings = peoplesFirings(evidence);
  const open = firings.length - firings.filter(explainedBy(evidence, hypothesis)).length;
  return open >= LEAST_FIRINGS && open > (1 - EXPLAINED) * firings.length;
}
