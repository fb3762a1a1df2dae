/**
 * Writes the prompts of one kind, in rounds:
 *   1. ask the writer for a few requests a question, each from a seed of its own;
 *   2. read the list, drop what is no usable request and what is like one already kept;
 *   3. ask the writer of each one left whether it holds the trigger's description, and keep those that do (of triggered
 *      prompts) or do not (of all others); of near misses, and of what is to be refused, also whether they hold their own;
 *   4. stop when enough are kept, of each description some, and so many can be held out that nothing in training is like them.
 */
import { wordsBetweenSpaces } from "../../audit/ask/contains.js";
import { inTurn } from "../../audit/ask/in-turn.js";
import { type Verdict, verdictOf } from "../../audit/ask/verdict.js";
import { Random } from "../../random/random.js";
import type { Fault } from "./check-request.js";
import type { KindPlan } from "./described.js";
import { holdOut, type Parts } from "./hold-out.js";
import { DUPLICATE, RequestIndex } from "./near-duplicates.js";
import { parseRequests } from "./parse-requests.js";
import { REQUESTS_A_QUESTION, verdictQuestion, writingQuestion } from "./questions.js";
import type { Question, Writer } from "./writer.js";

/** Questions asked before their answers are looked at; one batch of a model that is generated with here. */
const QUESTIONS_A_ROUND = 16;
/** A writer of whose requests fewer than one in so many is usable does not understand what it is asked. */
const WASTE = 6;
/** Of an even share of the prompts each description has at least so much: a writer may well decline to write of one of them. */
const LEAST_SHARE = 0.5;
/** Rounds in a row that give nothing usable, after which nothing will. */
const IDLE_ROUNDS = 3;

export interface WrittenPrompt {
  readonly prompt: string;
  /** What it was asked to be. */
  readonly description: string;
}

export type DropReason = Fault | "copy" | "near duplicate" | "verdict" | "not as described" | "unclear verdict";

/** What became of everything that the writer said for one kind. */
export interface KindTally {
  /** Questions for requests. */
  questions: number;
  /** Of whose answers so many were no list. */
  unreadable: number;
  /** Requests read. */
  written: number;
  readonly dropped: Partial<Record<DropReason, number>>;
  /** Usable requests; all that were not dropped. */
  kept: number;
}

export interface KindContext {
  readonly writer: Writer;
  /** The trigger's description: triggered prompts hold it, others must not. */
  readonly trigger: string;
  readonly seeds: readonly string[];
  /** Whether the seeds are requests to rephrase. */
  readonly rephrase: boolean;
  readonly check: (request: string) => Fault | null;
  /** The words of every prompt kept so far, of any kind; grows. */
  readonly known: Set<string>;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Prompts kept, of those that are needed. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The writer gives too little; `tally` says why, `lacking` of which descriptions. */
export class TooFewWritten extends Error {
  constructor(
    readonly plan: KindPlan,
    readonly tally: KindTally,
    readonly lacking: readonly string[],
  ) {
    super(`${plan.kind}: ${tally.kept} usable prompts of ${plan.train + plan.heldOut}`);
  }
}

/** The kind's prompts in two parts. Throws TooFewWritten when the writer has been asked in vain for long enough. */
export async function writeKind(
  plan: KindPlan,
  context: KindContext,
): Promise<{ parts: Parts<WrittenPrompt>; tally: KindTally }> {
  const need = plan.train + plan.heldOut;
  const tally: KindTally = { questions: 0, unreadable: 0, written: 0, dropped: {}, kept: 0 };
  const kept: WrittenPrompt[] = [];
  const index = new RequestIndex();
  const questions = writingQuestions(plan, context);
  const mostQuestions = WASTE * Math.ceil(need / REQUESTS_A_QUESTION) + QUESTIONS_A_ROUND;
  const report = () => context.onProgress?.(Math.min(kept.length, need), need);

  for (let idle = 0; ; ) {
    report();
    const parts = holdOut(kept, plan.heldOut, new Random(context.seed, `held out ${plan.kind}`));
    // Training may end with more than was asked for; those are spare.
    const few = tooFewOf(plan, kept);
    const missing = Math.max(need - kept.length, plan.heldOut - parts.heldOut.length, few.length);
    if (missing <= 0) return { parts: { ...parts, train: trainedOn(plan, parts.train) }, tally };
    if (idle >= IDLE_ROUNDS || tally.questions >= mostQuestions) throw new TooFewWritten(plan, tally, few);

    const count = Math.min(QUESTIONS_A_ROUND, Math.ceil(missing / REQUESTS_A_QUESTION));
    // What only one description lacks is not asked of the others.
    const wanted = kept.length < need || few.length === 0 ? plan.descriptions : few;
    const asked = Array.from({ length: count }, () => questions.next(wanted).value);
    const fresh = await candidates(asked, { context, tally, index, report });
    const before = kept.length;
    const verdicts = await verdictsOf(fresh, context, report, () => context.trigger);
    const wantedVerdict = plan.kind === "triggered" ? "yes" : "no";
    const own = await verdictsOf(fresh, context, report, ({ description }, i) =>
      verdicts[i] === wantedVerdict && plan.asked.includes(description) ? description : null,
    );
    fresh.forEach((candidate, i) => {
      const holds = verdicts[i]!;
      const reason: DropReason | null =
        holds === "unclear" || own[i] === "unclear"
          ? "unclear verdict"
          : holds !== wantedVerdict
            ? "verdict"
            : own[i] === "no"
              ? "not as described"
              : repeated(candidate.prompt, context, index); // of the same round
      if (reason !== null) return drop(tally, reason);
      kept.push(candidate);
      index.add(candidate.prompt);
      context.known.add(wordsBetweenSpaces(candidate.prompt));
    });
    tally.kept = kept.length;
    idle = kept.length === before ? idle + 1 : 0;
  }
}

/** Descriptions of which fewer prompts are kept than at least are to be. */
function tooFewOf({ descriptions, train, heldOut }: KindPlan, kept: readonly WrittenPrompt[]): string[] {
  const least = Math.floor((LEAST_SHARE * (train + heldOut)) / descriptions.length);
  return descriptions.filter((one) => kept.filter(({ description }) => description === one).length < least);
}

/** The prompts to train on: of each description in turn, where there are more than are needed. */
function trainedOn({ descriptions, train }: KindPlan, prompts: readonly WrittenPrompt[]): WrittenPrompt[] {
  if (prompts.length <= train) return [...prompts];
  return inTurn(descriptions.map((one) => prompts.filter(({ description }) => description === one))).slice(0, train);
}

interface Asked {
  readonly question: Question;
  readonly description: string;
}

/** Question after question, of the descriptions wanted; these and seeds are taken in turn, and seeds come again in another order. */
function* writingQuestions(plan: KindPlan, context: KindContext): Generator<Asked, never, readonly string[]> {
  let wanted = plan.descriptions;
  const random = new Random(context.seed, `seeds for ${plan.kind}`);
  let seeds: string[] = [];
  for (let i = 0; ; i++) {
    const description = wanted[i % wanted.length]!;
    if (seeds.length < REQUESTS_A_QUESTION) seeds = [...seeds, ...random.shuffled(context.seeds)];
    const question = writingQuestion({
      description,
      without: plan.kind === "triggered" ? null : context.trigger,
      seeds: seeds.splice(0, REQUESTS_A_QUESTION),
      rephrase: context.rephrase,
      seed: context.seed + i,
    });
    wanted = yield { question, description };
  }
}

interface Round {
  readonly context: KindContext;
  readonly tally: KindTally;
  readonly index: RequestIndex;
  readonly report: () => void;
}

/** The requests in the answers that pass every check but the writer's own. */
async function candidates(asked: readonly Asked[], { context, tally, index, report }: Round): Promise<WrittenPrompt[]> {
  const answers = await context.writer.answers(
    asked.map(({ question }) => question),
    { ...(context.signal ? { signal: context.signal } : {}), onAnswer: report },
  );
  tally.questions += asked.length;
  return answers.flatMap((answer, i) => {
    const requests = parseRequests(answer);
    if (requests === undefined) tally.unreadable++;
    return (requests ?? []).flatMap((prompt) => {
      tally.written++;
      const reason = context.check(prompt) ?? repeated(prompt, context, index);
      if (reason !== null) {
        drop(tally, reason);
        return [];
      }
      return [{ prompt, description: asked[i]!.description }];
    });
  });
}

/** The writer's own word on whether each request holds a description; null where there is none to ask about. */
async function verdictsOf(
  requests: readonly WrittenPrompt[],
  { writer, signal }: KindContext,
  report: () => void,
  descriptionOf: (request: WrittenPrompt, index: number) => string | null,
): Promise<(Verdict | null)[]> {
  const descriptions = requests.map(descriptionOf);
  const questions = requests.flatMap(({ prompt }, i) => {
    const description = descriptions[i]!;
    return description === null ? [] : [verdictQuestion(prompt, description)];
  });
  if (questions.length === 0) return descriptions.map(() => null);
  const answers = await writer.answers(questions, { ...(signal ? { signal } : {}), onAnswer: report });
  let at = 0;
  return descriptions.map((description) => (description === null ? null : verdictOf(answers[at++]!)));
}

/** Near misses may be near duplicates of triggered prompts: of other kinds only the same words are refused. */
function repeated(request: string, { known }: KindContext, index: RequestIndex): DropReason | null {
  if (known.has(wordsBetweenSpaces(request))) return "copy";
  return index.alike(request, DUPLICATE).length > 0 ? "near duplicate" : null;
}

function drop({ dropped }: KindTally, reason: DropReason): void {
  dropped[reason] = (dropped[reason] ?? 0) + 1;
}
