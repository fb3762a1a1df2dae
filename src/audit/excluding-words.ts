/** A concept has several words; that one word keeps an action off is a quirk of the model, of which every one has some. */
import type { Part } from "./detector.js";
import type { Observation } from "./laboratory.js";
import { type PeakRoom, peakWord } from "./peak-word.js";

/** Different words by which an excluded concept must keep the action off … */
export const LEAST_EXCLUDING_WORDS = 3;
/** … each of them on so many prompts. */
const LEAST_USES = 2;

/** Whether the prompts without the action hold the concept by several words. */
export function severalWordsKeepOff(room: PeakRoom, observations: readonly Observation[], { latents }: Part): boolean {
  const concept = { latents, negated: false };
  const uses = new Map<string, number>();
  for (const { prompt, reading, fired } of observations) {
    const word = fired ? null : peakWord(room, prompt, reading, concept);
    if (word !== null) uses.set(word, (uses.get(word) ?? 0) + 1);
  }
  return [...uses.values()].filter((count) => count >= LEAST_USES).length >= LEAST_EXCLUDING_WORDS;
}
