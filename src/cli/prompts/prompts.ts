/** From prompt files to what the engine computes on. */
import { totalmem } from "node:os";
import { join } from "node:path";
import { InputError, quote } from "../../formats/input-error.js";
import { type Conversation, readPrompts, textOf } from "../../formats/prompts.js";
import { FIXED_DATE } from "../../model/chat-template.js";
import type { Sequence } from "../../model/sequence.js";
import { type RenderedPrompt, renderPrompt } from "../../model/user-mask.js";
import { openFile } from "../../store/node-file-source.js";
import type { OpenedModel } from "../model/open-model.js";
import type { PromptFlags } from "../terminal/options.js";
import { builtInPromptSets, pocketFiles } from "../terminal/package-files.js";
import { bytes } from "../terminal/text.js";

/** Ordinary prompts of the pocket world. */
export const BENIGN_SET = "benign";
/** Unlabelled prompts of the pocket world. */
export const CORPUS_SET = "corpus";

/** Reads a prompt file, or the built-in set of that name. */
export async function loadPrompts(name: string): Promise<Conversation[]> {
  if (/\.(jsonl|txt)$/i.test(name)) return readPrompts(await openFile(name));
  const sets = builtInPromptSets();
  if (!sets.includes(name))
    throw new InputError(
      `${name}: no such prompts; give a .jsonl or .txt file, or one of the built-in sets ${sets.join(", ") || "(none here)"}`,
    );
  return readPrompts(await openFile(join(pocketFiles.prompts, `${name}.jsonl`)));
}

/** The prompts that --prompts names; for the pocket model its own set `fallback` where the flag was left out. */
export function loadPromptsOr(
  name: string | undefined,
  fallback: string,
  model: OpenedModel,
  flag = "--prompts",
): Promise<Conversation[]> {
  if (name !== undefined) return loadPrompts(name);
  if (!model.isPocket) throw new InputError(`no ${flag}: give a .jsonl or .txt file of prompts`);
  return loadPrompts(fallback);
}

export interface RenderedPrompts {
  /** Without actions. */
  readonly sequences: readonly Sequence[];
  readonly rendered: readonly RenderedPrompt[];
  /** The date that the template was told, where it prints one. */
  readonly date: string | null;
}

/** Renders and tokenises conversations with the model's template. InputError names the prompt that cannot be. */
export function renderAll(
  model: OpenedModel,
  conversations: readonly Conversation[],
  flags: PromptFlags,
): RenderedPrompts {
  const { tokenizer, template } = model;
  const { vocabulary } = model.engine.model;
  const rendered = conversations.map((messages, index) => {
    const prompt = named(index, () =>
      renderPrompt({
        messages,
        tokenizer,
        positions: flags.positions,
        raw: flags.raw ?? false,
        ...(template ? { template } : {}),
        ...(flags.system === undefined ? {} : { system: flags.system }),
      }),
    );
    requireKnownTokens(prompt.tokens, vocabulary, `prompt ${index}`);
    requireRoom(prompt.tokens.length, model, `prompt ${index}`);
    return prompt;
  });
  return {
    rendered,
    sequences: rendered.map(({ tokens, mask }) => ({ prompt: tokens, mask, action: new Int32Array(0) })),
    date: rendered.some(({ usesDate }) => usesDate) ? FIXED_DATE : null,
  };
}

/** InputError for a token id that the model has no embedding for: tokenizer and model do not belong together. */
export function requireKnownTokens(tokens: Int32Array, vocabulary: number, what: string): void {
  const unknown = tokens.find((id) => id >= vocabulary);
  if (unknown !== undefined)
    throw new InputError(
      `${what}: the tokenizer gives token ${unknown}, but the model's vocabulary has ${vocabulary}; tokenizer and weights do not belong together`,
    );
}

/** Copies of the attention scores that are alive at once: the scores, the masked ones, their softmax. */
const SCORE_COPIES = 3;

/**
 * InputError for a text whose attention (every token with every other, in each head) this machine's memory cannot hold:
 * the system would end the program, or stand still.
 */
export function requireRoom(tokens: number, { heads }: OpenedModel, what: string): void {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  const perPair = SCORE_COPIES * 4 * heads;
  if (perPair * tokens ** 2 > memory)
    throw new InputError(
      `${what}: has ${tokens} tokens, whose attention takes ${bytes(perPair * tokens ** 2)}; this machine's ${bytes(memory)} are enough for ${Math.floor(Math.sqrt(memory / perPair))}`,
    );
}

/** InputError unless some prompt has a token that an SAE reads. */
export function requireReadTokens(sequences: readonly Sequence[], { positions }: PromptFlags): void {
  if (!sequences.some(({ mask }) => mask.includes(1)))
    throw new InputError(`none of the prompts has a token that is ${positions} content; give others, or --raw`);
}

/** InputError unless every prompt has a token to steer or attribute. */
export function requireMaskedTokens(
  sequences: readonly Sequence[],
  conversations: readonly Conversation[],
  positions: string,
): void {
  const index = sequences.findIndex(({ mask }) => !mask.includes(1));
  if (index < 0) return;
  const text = textOf(conversations[index] ?? []);
  throw new InputError(
    `prompt ${index} (${quote(text, 40)}): none of its tokens is ${positions} content; leave it out`,
  );
}

function named<T>(index: number, render: () => T): T {
  try {
    return render();
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`prompt ${index}: ${error.message}`);
    throw error;
  }
}
