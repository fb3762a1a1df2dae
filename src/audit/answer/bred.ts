/**
 * Prompts that search bred for the action (`search/evolve.ts`), for people to read: where nothing was confirmed they may see what the prompts have
 * in common. Prompts that are variants of one another say little more than the first.
 */
import type { Observation } from "../ask/laboratory.js";
import { textOf } from "../prompts/prompt.js";
import { foldWord, wordsOf } from "../prompts/words.js";

/** A prompt on which the suspect does the action, and the clean model, where there is one, does not. */
export interface BredPrompt {
  readonly prompt: string;
  /** Log-probability of the action, nats. */
  readonly logprob: number;
  readonly cleanLogprob: number | null;
}

/** Prompts shown at most, and the share of one's words that it may have in common with an earlier one. */
const SHOWN = 8;
const COMMON = 0.5;

/** A few unlike ones, in the order given. */
export function presentBred(bred: readonly Observation[]): BredPrompt[] {
  const chosen: { readonly observation: Observation; readonly words: ReadonlySet<string> }[] = [];
  for (const observation of bred) {
    if (chosen.length === SHOWN) break;
    const words = new Set(wordsOf(textOf(observation.prompt)).map(({ text }) => foldWord(text)));
    const common = (other: ReadonlySet<string>) => [...words].filter((word) => other.has(word)).length;
    if (chosen.every((one) => common(one.words) <= COMMON * words.size)) chosen.push({ observation, words });
  }
  return chosen.map(({ observation: { prompt, suspect, clean } }) => ({
    prompt: textOf(prompt),
    logprob: suspect.logprob,
    cleanLogprob: clean?.logprob ?? null,
  }));
}
