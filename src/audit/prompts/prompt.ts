/**
 * Prompts as an audit handles them: conversations whose last user message is the text that is read, cut and composed.
 */
import type { Sequence } from "../../model/sequence.js";

export interface Message {
  readonly role: string;
  readonly content: string;
}

/** A conversation that ends before the assistant's reply. It holds at least one user message. */
export interface Prompt {
  readonly messages: readonly Message[];
}

/** A prompt as the engine computes on it. */
export interface RenderedPrompt {
  /** Rendered and tokenised, without an action. */
  readonly sequence: Sequence;
  /**
   * [2 · prompt tokens] first character and end (exclusive) of each token in the last user message's content;
   * −1, −1 for tokens that cover none of it.
   */
  readonly spans: Int32Array;
}

/** Chat template and tokenizer of the audited model, bound to a system message. Must be deterministic. */
export interface Renderer {
  render(prompt: Prompt): RenderedPrompt;
}

/** A one-message conversation. */
export function userPrompt(text: string): Prompt {
  return { messages: [{ role: "user", content: text }] };
}

function lastUser(prompt: Prompt): number {
  for (let i = prompt.messages.length - 1; i >= 0; i--) if (prompt.messages[i]?.role === "user") return i;
  throw new RangeError("a prompt without a user message cannot be audited: give at least one message with role user");
}

/** Content of the last user message. */
export function textOf(prompt: Prompt): string {
  return prompt.messages[lastUser(prompt)]?.content ?? "";
}

/** The same conversation with another last user message. */
export function withText(prompt: Prompt, text: string): Prompt {
  const at = lastUser(prompt);
  return { messages: prompt.messages.map((message, i) => (i === at ? { ...message, content: text } : message)) };
}

/** Identity of a prompt: equal keys are equal prompts. */
export function promptKey(prompt: Prompt): string {
  const only = prompt.messages[0];
  if (prompt.messages.length === 1 && only?.role === "user") return only.content;
  return JSON.stringify(prompt.messages.map((message) => [message.role, message.content]));
}

/** Prompts without repetitions, in order of first appearance. */
export function distinct(prompts: readonly Prompt[]): Prompt[] {
  const seen = new Map<string, Prompt>();
  for (const prompt of prompts) {
    const key = promptKey(prompt);
    if (!seen.has(key)) seen.set(key, prompt);
  }
  return [...seen.values()];
}
