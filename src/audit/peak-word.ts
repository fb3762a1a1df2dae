/** Where in a prompt a part is clearest. */
import type { Part } from "./detector.js";
import type { Laboratory } from "./laboratory.js";
import { type Prompt, textOf } from "./prompt.js";
import { type Ranges, shareOf } from "./ranges.js";
import { activation, indexOfLatent, type Reading } from "./reading.js";
import { foldWord, wordOfToken, wordsOf } from "./words.js";

/** The folded word under a part's clearest latent, or null where the part is off or its peak lies on no word. */
export function peakWord(
  { laboratory, ranges }: { readonly laboratory: Laboratory; readonly ranges: Ranges },
  prompt: Prompt,
  reading: Reading,
  part: Part,
): string | null {
  let [clearest, most] = [-1, 0];
  for (const latent of part.latents) {
    const range = ranges[latent];
    const share = range === undefined ? 0 : shareOf(range, activation(reading, latent));
    if (share > most) [clearest, most] = [latent, share];
  }
  if (clearest < 0) return null;
  const token = reading.tokens[indexOfLatent(reading, clearest)] as number;
  const words = wordsOf(textOf(prompt));
  const word = words[wordOfToken(words, laboratory.render(prompt).spans, token)];
  return word === undefined ? null : foldWord(word.text);
}
