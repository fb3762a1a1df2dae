/**
 * The audit's renderer for a model with a tokenizer and a chat template: the contract's user-content mask, and for each
 * token the characters of the last user message that it covers.
 */
import type { ChatTemplate } from "../model/chat-template.js";
import type { Tokenizer } from "../model/tokenizer.js";
import { contentSpans, renderPrompt } from "../model/user-mask.js";
import type { Prompt, Renderer } from "./prompt.js";

export interface ChatRendererOptions {
  readonly tokenizer: Tokenizer;
  /** Not needed with `raw`. */
  readonly template?: ChatTemplate;
  /** Sets the system message. */
  readonly system?: string;
  /** Without the template: the prompt is its messages' text, and every token counts. */
  readonly raw?: boolean;
}

/** Binds tokenizer and template. Rendering throws InputError where the template refuses a conversation. */
export function chatRenderer(options: ChatRendererOptions): Renderer {
  const { tokenizer, template, system, raw = false } = options;
  return {
    render(prompt) {
      const messages =
        system === undefined
          ? prompt.messages
          : [{ role: "system", content: system }, ...prompt.messages.filter((message) => message.role !== "system")];
      const { text, tokens, mask } = renderPrompt({
        messages,
        tokenizer,
        raw,
        ...(template === undefined ? {} : { template }),
      });
      const [from, shift] = placeOfLastUser({ messages }, text, raw ? undefined : template);
      const { spans } = tokenizer.encodeWithOffsets(text);
      const flat = new Int32Array(2 * tokens.length).fill(-1);
      const length = messages.findLast((message) => message.role === "user")?.content.length ?? 0;
      spans.forEach(([start, end], i) => {
        const first = Math.max(0, start - from + shift);
        const last = Math.min(length, end - from + shift);
        if (first >= last) return;
        flat[2 * i] = first;
        flat[2 * i + 1] = last;
      });
      return { sequence: { prompt: tokens, mask, action: new Int32Array(0) }, spans: flat };
    },
  };
}

/** Where the last user message's content begins in the rendering, and how much of its start the template trimmed. */
function placeOfLastUser(prompt: Prompt, text: string, template: ChatTemplate | undefined): [number, number] {
  const at = prompt.messages.findLastIndex((message) => message.role === "user");
  const content = prompt.messages[at]?.content ?? "";
  if (template === undefined) {
    return [prompt.messages.slice(0, at).reduce((sum, message) => sum + message.content.length, 0), 0];
  }
  const span = contentSpans(template, prompt.messages, text)[at]?.at(-1);
  if (span === undefined) return [text.length, 0];
  return [span[0], Math.max(0, content.indexOf(text.slice(span[0], span[1])))];
}
