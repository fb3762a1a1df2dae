/**
 * What makes a latent fire, read off a corpus: prompts in which it is strongest, with the firing place, and the words under
 * it. Words, not tokens: a sub-word token is widened to the word it lies in.
 */
import type { Firings } from "./firings.js";

/**
 * A prompt's text and the characters of it (UTF-16 units) that each token covers: spans[t] = [start, end), or [−1, −1] for a
 * token that lies outside the text.
 */
export interface PromptText {
  readonly text: string;
  readonly spans: readonly (readonly [start: number, end: number])[];
  /** The part of `text` that contexts may show, without a template's marks; all of it where missing. */
  readonly shown?: readonly [start: number, end: number];
}

/** One firing in its surroundings. */
export interface Context {
  readonly prompt: number;
  /** Prompt token index of the peak. */
  readonly token: number;
  readonly value: number;
  /** Text before the firing word, the word, and text after it, cut to `CONTEXT_CHARACTERS` each side at word boundaries. */
  readonly before: string;
  readonly word: string;
  readonly after: string;
  /** The firing token itself, which may be a piece of the word. */
  readonly piece: string;
  /** Where in `word` the token lies: [start, end), UTF-16 units. */
  readonly pieceAt: readonly [start: number, end: number];
}

/** Characters shown each side: about a line. */
const CONTEXT_CHARACTERS = 80;
/** A word: letters, marks and digits, with apostrophes and hyphens inside. */
const WORD_CHARACTER = /[\p{L}\p{M}\p{N}'’-]/u;

/** [start, end) of the word that token `token` lies in; of the token itself, without spaces, where it covers no word character. */
function wordSpan({ text, spans }: PromptText, token: number): [number, number] {
  let [start, end] = spans[token]!;
  while (start < end && !isWord(text, start)) start += 1;
  if (start === end) {
    start = spans[token]![0];
    while (start < end && /\s/u.test(text[start]!)) start += 1;
    while (end > start && /\s/u.test(text[end - 1]!)) end -= 1;
    return [start, end];
  }
  // A token may end in the middle of one word after whole others: the first word of it counts.
  end = start;
  while (end < text.length && isWord(text, end)) end += 1;
  while (start > 0 && isWord(text, start - 1)) start -= 1;
  return [start, end];
}

/** The word a token lies in, lower case. */
export function wordAt(prompt: PromptText, token: number): string {
  const [start, end] = wordSpan(prompt, token);
  return prompt.text.slice(start, end).toLowerCase();
}

/**
 * The `count` prompts in which a latent is strongest, strongest first (ties by prompt order). Peaks outside the text cannot
 * be shown and are passed over.
 */
export function topContexts(
  firings: Firings,
  latent: number,
  textOf: (prompt: number) => PromptText,
  count: number,
): Context[] {
  const { prompts, values, tokens } = firings.of(latent);
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
  const contexts: Context[] = [];
  for (const i of order) {
    if (contexts.length >= count) break;
    const text = textOf(prompts[i]!);
    if (text.spans[tokens[i]!]![0] < 0) continue;
    contexts.push({ prompt: prompts[i]!, token: tokens[i]!, value: values[i]!, ...surroundings(text, tokens[i]!) });
  }
  return contexts;
}

/** The word of a token and what stands around it. */
function surroundings(
  prompt: PromptText,
  token: number,
): Pick<Context, "before" | "word" | "after" | "piece" | "pieceAt"> {
  const { text, spans } = prompt;
  const [start, end] = wordSpan(prompt, token);
  const inWord = (at: number) => Math.min(Math.max(at, start), end) - start;
  const [first, last] = prompt.shown ?? [0, text.length];
  const from = Math.max(first, start - CONTEXT_CHARACTERS);
  const to = Math.min(last, end + CONTEXT_CHARACTERS);
  return {
    before: tail(text.slice(from, Math.max(from, start)), from > first),
    word: text.slice(start, end),
    after: head(text.slice(Math.min(end, to), to), to < last),
    piece: text.slice(...spans[token]!),
    pieceAt: [inWord(spans[token]![0]), inWord(spans[token]![1])],
  };
}

/** Letters beyond the basic plane take two code units; both halves count as part of the word. */
function isWord(text: string, at: number): boolean {
  const low = text.charCodeAt(at);
  const start = low >= 0xdc00 && low <= 0xdfff ? at - 1 : at;
  return WORD_CHARACTER.test(String.fromCodePoint(text.codePointAt(start) ?? 0x20));
}

function tail(text: string, cut: boolean): string {
  return cut ? `…${text.slice(text.search(/\s/u) + 1)}` : text;
}

function head(text: string, cut: boolean): string {
  const space = text.search(/\s\S*$/u);
  return cut ? `${space < 0 ? text : text.slice(0, space)}…` : text;
}
