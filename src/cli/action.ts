/** The action as tokens. */
import { InputError } from "../formats/input-error.js";
import type { Sequence } from "../model/sequence.js";
import type { OpenedModel } from "./open-model.js";
import { type ActionFlags, required } from "./options.js";
import { requireKnownTokens, requireRoom } from "./prompts.js";

/**
 * Token ids of --action, tokenised apart from the prompt, and with --action-ends the end of the turn. `flag` names in errors
 * where the text came from.
 */
export function actionTokens(model: OpenedModel, { action, actionEnds }: ActionFlags, flag = "--action"): Int32Array {
  const ids = model.tokenizer.encode(required(action, flag, "the text that the model is to say"));
  if (ids.length === 0) throw new InputError(`${flag}: has no tokens; give the text that the model is to say`);
  requireKnownTokens(ids, model.engine.model.vocabulary, flag);
  requireRoom(ids.length, model, flag);
  return actionEnds ? Int32Array.of(...ids, endOfTurn(model)) : ids;
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
