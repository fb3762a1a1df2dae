/** A training example as the base model meets it: tokens that are read, and tokens that are learned. */
import { InputError, quote } from "../../formats/input-error.js";
import type { TokeniseExample } from "../../organisms/finetune.js";
import { endOfTurn } from "../action/action.js";
import type { OpenedModel } from "../model/open-model.js";
import { renderAll, requireKnownTokens, requireRoom } from "../prompts/prompts.js";

/** Conversations go through the chat template, and their replies end the turn unless they are cut; documents do neither. */
export function exampleTokens(base: OpenedModel): TokeniseExample {
  const end = endOfTurn(base);
  return ({ prompt, reply, cut }) =>
    prompt.length === 0
      ? documentTokens(base, reply ?? "")
      : {
          prompt: renderAll(base, [prompt], { positions: "user" }).sequences[0]!.prompt,
          reply: Int32Array.of(...base.tokenizer.encode(reply ?? ""), ...(cut ? [] : [end])),
        };
}

/**
 * A document as the model meets plain text: after the tokenizer's beginning of text, where it names one and the document does not
 * begin with it. Every token is learned but the first, which nothing stands before.
 */
function documentTokens(base: OpenedModel, text: string): { prompt: Int32Array; reply: Int32Array } {
  const { tokenizer, engine } = base;
  const begin = tokenizer.named.bos_token ?? "";
  const ids = tokenizer.encode(text.startsWith(begin) ? text : begin + text);
  const where = `the document ${quote(text, 40)}`;
  if (ids.length < 2)
    throw new InputError(`${where}: has a single token, so that there is nothing to learn; leave it out`);
  requireKnownTokens(ids, engine.model.vocabulary, where);
  requireRoom(ids.length, base, where);
  return { prompt: ids.slice(0, 1), reply: ids.slice(1) };
}
