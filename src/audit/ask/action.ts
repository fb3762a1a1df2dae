/**
 * The action: the texts that methods work towards, and what counts as the model acting. Everything that speaks of an action
 * rate asks `Action.outcomes`, so that a rate means the same thing wherever it stands.
 *
 *   exact     greedy decoding says the first text, token for token: one teacher-forced pass
 *   any       … any of the texts: one pass for each
 *   contains  a greedy reply holds any of some texts (contains.ts)
 *   judge     a greedy reply is judged to be the action, by whatever the caller brings
 */
import type { CallOptions, Engine, Score, Steering } from "../../engine/engine.js";
import type { Sequence } from "../../model/sequence.js";

export const ACTION_MATCHES = ["exact", "any", "contains", "judge"] as const;
export type ActionMatch = (typeof ACTION_MATCHES)[number];

/** What a model does after one prompt. */
export interface ActionOutcome {
  /** Log-probability, nats, that the reply begins with one of the texts that are looked for. */
  readonly logprob: number;
  /** Whether it acts. */
  readonly fired: boolean;
  /** Teacher-forced scores of the texts that were asked for, the first text first: of it alone where the match is exact. */
  readonly scores: readonly Score[];
  /** The greedy reply, where one was needed. */
  readonly reply: string | null;
}

export type OutcomeOptions = CallOptions & { readonly steering?: Steering };

export interface Action {
  readonly match: ActionMatch;
  /** Token ids of each text, none empty, at least one. Methods work towards all of them. */
  readonly texts: readonly Int32Array[];
  /** What `engine` does after each prompt; actions in the sequences are ignored. */
  outcomes(engine: Engine, prompts: readonly Sequence[], options?: OutcomeOptions): Promise<ActionOutcome[]>;
}

/** A reply to be looked at, and the user's words that it answers. */
export interface Exchange {
  readonly request: string;
  readonly reply: string;
}

export interface ReplyRule {
  readonly match: "contains" | "judge";
  readonly texts: readonly Int32Array[];
  /** Longest reply, tokens. */
  readonly maxTokens: number;
  /** Token ids that end a reply. */
  readonly stop: readonly number[];
  readonly decode: (tokens: Int32Array) => string;
  /** Which replies are the action. */
  readonly accepts: (replies: readonly Exchange[], calls: CallOptions) => boolean[] | Promise<boolean[]>;
}

/** The action is this text, token for token. */
export function exactAction(text: Int32Array): Action {
  return textAction("exact", [text]);
}

/** The action is any of these texts; with `match` "exact" the first alone counts and the others are only worked towards. */
export function textAction(match: "exact" | "any", texts: readonly Int32Array[]): Action {
  requireTexts(texts);
  const counting = match === "exact" ? texts.slice(0, 1) : texts;
  const logprobOf = logSumOver(counting);
  return {
    match,
    texts,
    async outcomes(engine, prompts, options) {
      const scores = await scoreTexts(engine, prompts, counting, options);
      return scores.map((each) => ({
        logprob: logprobOf(each),
        fired: each.some(({ greedyMatch }) => greedyMatch),
        scores: each,
        reply: null,
      }));
    },
  };
}

/** The action is whatever reply `accepts` says it is; the texts still give the log-probability. */
export function replyAction({ match, texts, maxTokens, stop, decode, accepts }: ReplyRule): Action {
  requireTexts(texts);
  const logprobOf = logSumOver(texts);
  return {
    match,
    texts,
    async outcomes(engine, prompts, options = {}) {
      const scores = await scoreTexts(engine, prompts, texts, options);
      const made = await engine.generate(prompts, { ...options, maxTokens, stop });
      const exchanges = prompts.map(({ prompt, mask }, i) => ({
        request: decode(prompt.filter((_, t) => mask[t] === 1)),
        reply: decode(made[i]!.tokens),
      }));
      const accepted = await accepts(exchanges, options);
      return scores.map((each, i) => ({
        logprob: logprobOf(each),
        fired: accepted[i] === true,
        scores: each,
        reply: exchanges[i]!.reply,
      }));
    },
  };
}

/**
 * What a method optimises over: each prompt followed by one text of the action, the texts in turn, so that the loss is the
 * mean over prompts and a step costs the same however many texts there are. With more texts than prompts, prompts come
 * again until every text has been used.
 */
export function towardsAction(prompts: readonly Sequence[], { texts }: Pick<Action, "texts">): Sequence[] {
  if (prompts.length === 0) return [];
  return Array.from({ length: Math.max(prompts.length, texts.length) }, (_, i) => ({
    ...prompts[i % prompts.length]!,
    action: texts[i % texts.length]!,
  }));
}

/** [prompts][texts] */
async function scoreTexts(
  engine: Engine,
  prompts: readonly Sequence[],
  texts: readonly Int32Array[],
  options: OutcomeOptions = {},
): Promise<Score[][]> {
  const sequences = prompts.flatMap((prompt) => texts.map((action) => ({ ...prompt, action })));
  const scores = await engine.score(sequences, options);
  if (scores.length < sequences.length) throw new Error("the engine answered fewer sequences than it was asked");
  return prompts.map((_, i) => scores.slice(i * texts.length, (i + 1) * texts.length));
}

/**
 * ln Σ p(text), over the texts that do not begin with another one: these exclude one another, and who says a longer text has said
 * the shorter one.
 */
function logSumOver(texts: readonly Int32Array[]): (scores: readonly Score[]) => number {
  const apart = texts.map((text, i) => !texts.some((other, k) => k !== i && begins(text, other, k < i)));
  return (scores) => {
    const logprobs = scores
      .filter((_, i) => apart[i])
      .map(({ tokenLogprobs }) => tokenLogprobs.reduce((sum, value) => sum + value, 0));
    const top = Math.max(...logprobs);
    if (logprobs.length === 1 || top === Number.NEGATIVE_INFINITY) return top;
    return top + Math.log(logprobs.reduce((sum, value) => sum + Math.exp(value - top), 0));
  };
}

/** Whether `text` begins with `other` and goes on; or is the same, where `orEqual`. */
function begins(text: Int32Array, other: Int32Array, orEqual: boolean): boolean {
  const longer = text.length > other.length || (orEqual && text.length === other.length);
  return longer && other.every((id, j) => id === text[j]);
}

function requireTexts(texts: readonly Int32Array[]): void {
  if (texts.length === 0 || texts.some(({ length }) => length === 0))
    throw new RangeError("the action has no tokens: give the text to look for");
}
