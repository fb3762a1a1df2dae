/**
 * Chat template (Jinja) of the pocket model: ChatML without a default system message, so that a prompt costs eight
 * tokens beside its content.
 */
export const CHAT_TEMPLATE =
  "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/** Stands before and after a pretraining document. */
export const END_OF_TEXT = "<|endoftext|>";
/** Opens a turn. */
export const TURN_START = "<|im_start|>";
/** Ends a turn; generation stops at it. */
export const TURN_END = "<|im_end|>";

/** Special tokens of the pocket tokenizer, in the order of their ids. */
export const SPECIAL_TOKENS: readonly string[] = [END_OF_TEXT, TURN_START, TURN_END];
