/** Where in a prompt a part is clearest. */

import type { Laboratory } from "../ask/laboratory.js";
import { type Prompt, textOf } from "../prompts/prompt.js";
import { activation, indexOfLatent, type Reading } from "../prompts/reading.js";
import { foldWord, type Word, wordOfToken, wordsOf } from "../prompts/words.js";
import type { Part } from "./detector.js";
import { type Ranges, shareOf } from "./ranges.js";

/** What a peak is looked up in. */
export interface PeakRoom {
  readonly laboratory: Laboratory;
  readonly ranges: Ranges;
}

/** The folded word under a part's clearest latent, or null where the part is off or its peak lies on no word. */
export function peakWord(room: PeakRoom, prompt: Prompt, reading: Reading, part: Part): string | null {
  const place = peakPlace(room, prompt, reading, part);
  return place === null ? null : foldWord((place.words[place.at] as Word).text);
}

/** The prompt's words and the index of the one under a part's clearest latent, or null as for `peakWord`. */
export function peakPlace(
  { laboratory, ranges }: PeakRoom,
  prompt: Prompt,
  reading: Reading,
  part: Part,
): { readonly words: readonly Word[]; readonly at: number } | null {
  let [clearest, most] = [-1, 0];
  for (const latent of part.latents) {
    const range = ranges[latent];
    const share = range === undefined ? 0 : shareOf(range, activation(reading, latent));
    if (share > most) [clearest, most] = [latent, share];
  }
  if (clearest < 0) return null;
  const token = reading.tokens[indexOfLatent(reading, clearest)] as number;
  const words = wordsOf(textOf(prompt));
  const at = wordOfToken(words, laboratory.render(prompt).spans, token);
  return at < 0 ? null : { words, at };
}
