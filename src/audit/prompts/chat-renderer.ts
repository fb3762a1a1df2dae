/**
 * The audit's renderer for a model with a tokenizer and a chat template: the contract's user-content mask, and for each
 * token the characters of the last user message that it covers.
 */
import { InputError } from "../../formats/input-error.js";
import type { ChatTemplate } from "../../model/chat-template.js";
import type { Span, Tokenizer } from "../../model/tokenizer.js";
import { contentSpans, maskOf } from "../../model/user-mask.js";
import type { Message, Renderer } from "./prompt.js";

export interface ChatRendererOptions {
  readonly tokenizer: Tokenizer;
  /** Not needed with `raw`. */
  readonly template?: ChatTemplate;
  /** Sets the system message, in place of the conversation's own if it has one. */
  readonly system?: string;
  /** Without the template: the prompt is its messages' text, and every token counts. */
  readonly raw?: boolean;
}

/** Binds tokenizer and template. Rendering throws InputError where the template refuses a conversation. */
export function chatRenderer(options: ChatRendererOptions): Renderer {
  const { tokenizer, template, system, raw = false } = options;
  if (!raw && template === undefined) {
    throw new InputError("this model has no chat template; use --raw to give prompts as they are");
  }
  return {
    render(prompt) {
      const messages = withSystem(prompt.messages, system);
      const text =
        raw || !template ? messages.map((message) => message.content).join("") : template.render(messages).text;
      const { ids, spans } = tokenizer.encodeWithOffsets(text);
      if (ids.length === 0) throw new InputError("a prompt renders to nothing; give it at least one character");
      // For each message the places of its content in the text: one after the other where there is no template.
      const contents = raw || !template ? placesInRaw(messages) : contentSpans(template, messages, text);
      const mask = raw ? new Uint8Array(ids.length).fill(1) : maskOf(spans, contents.flat());
      const last = messages.findLastIndex((message) => message.role === "user");
      return {
        sequence: { prompt: ids, mask, action: new Int32Array(0) },
        spans: spansInMessage(spans, messages[last]?.content ?? "", text, contents[last]?.at(-1)),
      };
    },
  };
}

function withSystem(messages: readonly Message[], system: string | undefined): readonly Message[] {
  if (system === undefined) return messages;
  const rest = messages[0]?.role === "system" ? messages.slice(1) : messages;
  return [{ role: "system", content: system }, ...rest];
}

function placesInRaw(messages: readonly Message[]): Span[][] {
  let at = 0;
  return messages.map(({ content }) => {
    const start = at;
    at += content.length;
    return [[start, at]];
  });
}

/** [2 · tokens] characters of `content` that each token covers, where `place` is the content's place in `text`. */
function spansInMessage(tokens: readonly Span[], content: string, text: string, place: Span | undefined): Int32Array {
  const flat = new Int32Array(2 * tokens.length).fill(-1);
  if (place === undefined) return flat;
  // Templates may trim: what stands in the text then begins further on in the content.
  const trimmed = Math.max(0, content.indexOf(text.slice(place[0], place[1])));
  tokens.forEach(([start, end], i) => {
    const from = Math.max(start, place[0]);
    const to = Math.min(end, place[1]);
    if (from >= to) return;
    flat[2 * i] = from - place[0] + trimmed;
    flat[2 * i + 1] = to - place[0] + trimmed;
  });
  return flat;
}
