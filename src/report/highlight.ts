/** A prompt with the words that carry its firing marked. */
import { type Html, html } from "./html.js";

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu;

/** Marks every whole word of `prompt` that is among `words`, whatever its case. */
export function highlight(prompt: string, words: readonly string[]): Html {
  const wanted = new Set(words.map((word) => word.toLowerCase()));
  const pieces: (Html | string)[] = [];
  let at = 0;
  for (const match of prompt.matchAll(WORD)) {
    if (!wanted.has(match[0].toLowerCase())) continue;
    pieces.push(prompt.slice(at, match.index), html`<mark>${match[0]}</mark>`);
    at = match.index + match[0].length;
  }
  return html`${pieces}${prompt.slice(at)}`;
}
