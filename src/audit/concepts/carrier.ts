/** A prompt with a place into which any word can be written, and the words to write. */
import type { Language } from "../prompts/language.js";
import { type Prompt, textOf, withText } from "../prompts/prompt.js";
import { replaceWords, type Word } from "../prompts/words.js";
import type { Lexicon } from "./lexicon.js";

/** A prompt, its words, and the place of the one that is exchanged. */
export interface Carrier {
  readonly prompt: Prompt;
  readonly words: readonly Word[];
  readonly at: number;
}

/** The carrier's prompt with `word` in its place. */
export function writeInto({ prompt, words, at }: Carrier, word: string): Prompt {
  return withText(prompt, replaceWords(textOf(prompt), words, new Map([[at, word]])));
}

/** Words that carry subjects: those of the half, and those that were scanned because it lacks them. */
export function subjectWords(room: { readonly language: Language; readonly lexicon: Lexicon }): string[] {
  return [...new Set([...room.language.rareWords(), ...room.lexicon.scanned])];
}
