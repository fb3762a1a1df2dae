/** From the flags about the action to what is worked towards and what counts. */
import { type Action, type ActionMatch, replyAction, textAction } from "../../audit/ask/action.js";
import { containsAny } from "../../audit/ask/contains.js";
import { InputError } from "../../formats/input-error.js";
import { readTexts } from "../../formats/texts.js";
import type { Sequence } from "../../model/sequence.js";
import { openFile } from "../../store/node-file-source.js";
import type { OpenedModel } from "../model/open-model.js";
import type { Used } from "../model/used.js";
import { requireKnownTokens, requireRoom } from "../prompts/prompts.js";
import { type ActionFlags, required } from "../terminal/options.js";
import { type ActionMatchFlags, actionFlagsOf, DEFAULT_REPLY_TOKENS } from "./action-options.js";
import { type Judge, openJudge } from "./judge.js";

const ACTION_IS = "the text that the model is to say";

export interface OpenedAction {
  readonly action: Action;
  /** Where a judge decides. */
  readonly judge: Judge | null;
  /** What results say about it. */
  readonly used: Used;
}

/** Whether any flag is about an action. */
export function namesAction(flags: ActionMatchFlags): boolean {
  return Object.values(actionFlagsOf(flags)).some((value) => value !== undefined);
}

/** The action that the flags describe. InputError for flags that do not go together, and texts that cannot be said. */
export async function openAction(model: OpenedModel, flags: ActionMatchFlags): Promise<OpenedAction> {
  const match = matchOf(flags);
  const also = flags.actionAlso === undefined ? [] : await readTexts(await openFile(flags.actionAlso));
  const named = also.length > 0 && flags.action === undefined ? [] : [required(flags.action, "--action", ACTION_IS)];
  const strings = [...new Set([...named, ...also])];
  if (match === "any" && strings.length === 1)
    throw new InputError("--action-match any: there is one text alone; give others with --action-also");
  const ends = flags.actionEnds ? [endOfTurn(model)] : [];
  const texts = strings.map((text, i) => {
    const where = i < named.length ? "--action" : `${flags.actionAlso}: text ${i - named.length + 1}`;
    return Int32Array.of(...textTokens(model, text, where), ...ends);
  });
  const judge = match === "judge" ? openJudge(flags) : null;
  const used = {
    action: strings[0]!,
    actionEnds: flags.actionEnds ?? false,
    actionMatch: match,
    actionTexts: strings.length,
  };
  if (match === "exact" || match === "any") return { action: textAction(match, texts), judge, used };

  const maxTokens = flags.maxTokens ?? DEFAULT_REPLY_TOKENS;
  const wanted = flags.actionContains ?? strings;
  const holds = match === "contains" ? readable(wanted) : undefined;
  return {
    action: replyAction({
      match,
      texts,
      maxTokens,
      stop: model.endIds,
      decode: (tokens) => model.tokenizer.decode(tokens, { skipSpecial: true }),
      accepts: judge
        ? (replies, calls) => judge.accepts(replies, calls)
        : (replies) => replies.map(({ reply }) => holds!(reply)),
    }),
    judge,
    used: {
      ...used,
      ...(judge ? judge.about : { actionContains: wanted.map((text) => JSON.stringify(text)).join(", ") }),
      maxTokens,
    },
  };
}

/** What counts: --action-match, or what the other flags are for. InputError where they contradict each other. */
function matchOf(flags: ActionMatchFlags): ActionMatch {
  const { actionAlso, actionContains, judgeUrl, judgeModel, judgeQuestion, maxTokens } = flags;
  const judged = judgeUrl !== undefined || judgeModel !== undefined || judgeQuestion !== undefined;
  const match =
    flags.actionMatch ?? (judged ? "judge" : actionContains ? "contains" : actionAlso === undefined ? "exact" : "any");
  const wrong =
    judged && match !== "judge"
      ? "--judge-url, --judge-model and --judge-question"
      : actionContains && match !== "contains"
        ? "--action-contains"
        : maxTokens !== undefined && match !== "contains" && match !== "judge"
          ? "--max-tokens"
          : undefined;
  if (wrong !== undefined)
    throw new InputError(`${wrong}: have no meaning where the action is matched by ${match}; leave one of the two out`);
  return match;
}

function readable(texts: readonly string[]): (reply: string) => boolean {
  try {
    return containsAny(texts);
  } catch (error) {
    throw new InputError(`--action-contains: ${(error as RangeError).message}`);
  }
}

/**
 * Token ids of --action alone, tokenised apart from the prompt, and with --action-ends the end of the turn. `flag` names in errors
 * where the text came from.
 */
export function actionTokens(model: OpenedModel, { action, actionEnds }: ActionFlags, flag = "--action"): Int32Array {
  const ids = textTokens(model, required(action, flag, ACTION_IS), flag);
  return actionEnds ? Int32Array.of(...ids, endOfTurn(model)) : ids;
}

function textTokens(model: OpenedModel, text: string, where: string): Int32Array {
  const ids = model.tokenizer.encode(text);
  if (text.trim() === "") throw new InputError(`${where}: is blank; give ${ACTION_IS}`);
  if (ids.length === 0) throw new InputError(`${where}: has no tokens; give ${ACTION_IS}`);
  requireKnownTokens(ids, model.engine.model.vocabulary, where);
  requireRoom(ids.length, model, where);
  return ids;
}

/** The same prompts, each followed by the action. */
export function withAction(sequences: readonly Sequence[], action: Int32Array): Sequence[] {
  return sequences.map((sequence) => ({ ...sequence, action }));
}

/**
 * The token that the template writes after an assistant's reply; where that is not one of the model's end tokens, the
 * tokenizer's own.
 */
export function endOfTurn({ template, tokenizer, endIds, name }: OpenedModel): number {
  const known = tokenizer.endIds[0] ?? endIds[0];
  if (template) {
    const reply = "reply";
    const { text } = template.render(
      [
        { role: "user", content: "prompt" },
        { role: "assistant", content: reply },
      ],
      { generationPrompt: false },
    );
    const [next] = tokenizer.encode(text.slice(text.lastIndexOf(reply) + reply.length).trimStart());
    if (next !== undefined && (endIds.includes(next) || tokenizer.isSpecial(next))) return next;
  }
  if (known === undefined)
    throw new InputError(`${name}: its files name no end token, which --action-ends needs; leave the flag out`);
  return known;
}
