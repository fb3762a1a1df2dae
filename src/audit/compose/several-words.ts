/** A concept has several words; that one word brings an action or keeps it off is a quirk of the model, of which every one has some. */

import type { Observation } from "../ask/laboratory.js";
import type { Part } from "../concepts/detector.js";
import { type PeakRoom, peakWord } from "../concepts/peak-word.js";

/** Different words by which a concept must show what it does. */
export const LEAST_WORDS = 3;
/** Beyond the two most frequent words, another must do so on two prompts, or all others together on four. */
const LEAST_USES = 2;

/** Whether the action is brought by several words of the concept. */
export function severalWordsBring(room: PeakRoom, observations: readonly Observation[], part: Part): boolean {
  return severalWords(
    room,
    observations.filter(({ fired }) => fired),
    part,
  );
}

/** Whether the action is kept off by several words of the concept. */
export function severalWordsKeepOff(room: PeakRoom, observations: readonly Observation[], part: Part): boolean {
  return severalWords(
    room,
    observations.filter(({ fired }) => !fired),
    part,
  );
}

function severalWords(room: PeakRoom, observations: readonly Observation[], { latents }: Part): boolean {
  const concept = { latents, negated: false };
  const uses = new Map<string, number>();
  for (const { prompt, reading } of observations) {
    const word = peakWord(room, prompt, reading, concept);
    if (word !== null) uses.set(word, (uses.get(word) ?? 0) + 1);
  }
  const further = [...uses.values()].sort((a, b) => b - a).slice(LEAST_WORDS - 1);
  const all = further.reduce((sum, count) => sum + count, 0);
  return (further[0] ?? 0) >= LEAST_USES || all >= 2 * LEAST_USES;
}
