/**
 * Search, rehearsal and confirmation; and all of it a second time where that leaves something open: where nothing was confirmed though
 * something brings the action now and then, where what was confirmed explains less than half of people's own prompts that bring it, or where
 * it is a single concept and people's prompts are too few to tell. What is known by then is set aside for it: a cue that brings the action now
 * and then, and more often beside the right word, draws a search to itself, and hides what else there is. Single concepts that are confirmed one by one and that people's prompts show to matter are tested as one condition
 * then, of which any is enough. The tries on the confirmation half, among which the error is divided, are those of both rounds. (What the second
 * round asks may depend on the verdicts of the first; each test has prompts of its own and keeps its share of the error all the same.)
 */
import { presentHypothesis } from "./answer/present.js";
import type { ResultHypothesis } from "./answer/result.js";
import type { AuditCalls, AuditContext, AuditOptions } from "./ask/context.js";
import { RanShort } from "./ask/laboratory.js";
import { hypothesisKey, type Part } from "./concepts/detector.js";
import { confirmInTurn, type Tried } from "./confirm-in-turn.js";
import type { RankByGradient, Ranking } from "./evidence/candidates.js";
import type { Evidence } from "./evidence/evidence.js";
import { answerFirst, choiceOf, explainedBy, leavesOpen, mayBeOneOf, same, unexplained, waysOf } from "./explaining.js";
import { doubtless, lesserCauses, type Rehearsed, rehearse, rehearseOne } from "./rehearse/rehearse.js";
import { LEAST_FIRINGS, type SearchOutcome, search } from "./search/search.js";

/**
 * Beyond an answer the search goes on only with this share of the budget left: a round costs about what the first did, and up to as much again
 * where only the second has to breed prompts.
 */
const LEAST_LEFT = 0.7;
/** … and ends where less than this is left, which is enough to present the answer. */
const RESERVE = 0.1;

export interface RoundsOutcome {
  /** Confirmed or refused on the confirmation half in this order, then those that failed in rehearsal. */
  readonly hypotheses: readonly ResultHypothesis[];
  /** Conditions that were confirmed, the answer first. */
  readonly verified: readonly Tried[];
  readonly outcomes: readonly SearchOutcome[];
  /** Whether the search went on beyond what was confirmed first. */
  readonly lookedBeyond: boolean;
}

/** What rounds need; `unseen`: the confirmation half. */
export interface RoundsInput {
  readonly search: Evidence;
  readonly unseen: Evidence;
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
  const tried: Tried[] = [];
  const aside: (readonly Part[])[] = [];
  /** Sets aside what is not yet; whether there was anything. */
  const setAside = (causes: readonly (readonly Part[])[]) => {
    let any = false;
    for (const parts of causes) {
      if (parts.length === 0 || aside.some((known) => known.every((part) => parts.some((one) => same(one, part)))))
        continue;
      aside.push(parts);
      evidence.setAside(parts);
      any = true;
    }
    return any;
  };
  const look = async () => {
    const outcome = await search(evidence, rankings, options, calls, iterate);
    const found = await rehearse(evidence, outcome, options, calls, context);
    outcomes.push(outcome);
    rehearsed.push(...found);
    return found;
  };
  const untried = (entries: readonly Rehearsed[]) => {
    const keys = new Set(tried.map(({ hypothesis }) => hypothesisKey(hypothesis)));
    return entries.filter(({ hypothesis }) => !keys.has(hypothesisKey(hypothesis)));
  };
  const confirm = async (entries: readonly Rehearsed[], most = options.confirmTries) => {
    const left = Math.min(most, options.confirmTries - tried.length);
    tried.push(...(await confirmInTurn(evidence, unseen, untried(entries), left, options, calls, context)));
  };

  const first = await look();
  if (setAside(lesserCauses(first))) first.push(...(await look()));
  await confirm(first);
  const winner = tried.find(({ result }) => result.verified);
  const open = winner === undefined ? [] : unexplained(evidence, winner.hypothesis);
  const leaves = winner !== undefined && (leavesOpen(evidence, open) || mayBeOneOf(evidence, winner.hypothesis));
  const goesOn = winner === undefined || (leaves && (calls.left?.() ?? 1) >= LEAST_LEFT);
  const goOn = async () => {
    // What waits for its turn and explains what is open need not be found again.
    const waiting = untried(first).filter(
      ({ hypothesis, rehearsal }) =>
        rehearsal.verified && open.filter(explainedBy(evidence, hypothesis)).length >= LEAST_FIRINGS,
    );
    const known = [
      ...tried.flatMap(({ hypothesis }) => waysOf(hypothesis)),
      ...first
        .filter((entry) => doubtless(entry) && !waiting.includes(entry))
        .map(({ hypothesis }) => hypothesis.parts),
    ];
    if (setAside(known) || waiting.length > 0) await confirm([...waiting, ...(await look())]);
    const choice = choiceOf(evidence, tried);
    if (choice !== null && tried.length < options.confirmTries) {
      evidence.takeBack();
      await confirm([await rehearseOne(evidence, choice, options)], 1);
    }
  };
  let lookedBeyond = false;
  if (goesOn && tried.length < options.confirmTries) {
    // An answer is not lost for what else there may be.
    const ended = await evidence.room.laboratory.keeping(winner === undefined ? 0 : RESERVE, goOn).catch(ranShort);
    lookedBeyond = winner !== undefined && ended !== "ran short";
  }
  const refused: ResultHypothesis[] = [];
  for (const { rehearsal, plan } of rehearsed)
    if (!rehearsal.verified)
      refused.push(await presentHypothesis(evidence.room, rehearsal, plan, "search", context.label));
  return {
    hypotheses: [...tried.map(({ result }) => result), ...refused],
    verified: answerFirst(
      evidence,
      tried.filter(({ result }) => result.verified),
    ),
    outcomes,
    lookedBeyond,
  };
}

/** Passes every other error on. */
function ranShort(error: unknown): "ran short" {
  if (error instanceof RanShort) return "ran short";
  throw error;
}
