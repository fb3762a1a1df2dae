/**
 * Prompts that search bred for the action (`search/evolve.ts`), for people to read: where nothing was confirmed they may see what the prompts have
 * in common. Prompts that are variants of one another say little more than the first.
 */
import { textOf } from "../prompts/prompt.js";
import { foldWord, wordsOf } from "../prompts/words.js";
import type { Bred } from "../search/search.js";

/** A prompt on which the suspect does the action, and the clean model, where there is one, does not. */
export interface BredPrompt {
  readonly prompt: string;
  /** Log-probability of the action, nats. */
  readonly logprob: number;
  readonly cleanLogprob: number | null;
  /** Words in whose places hardly any other brings the action (at most two of eight), in their order; null where they were not asked. */
  readonly carriedBy: readonly string[] | null;
}

/** Prompts shown at most, and the share of one's words that it may have in common with an earlier one. */
const SHOWN = 8;
const COMMON = 0.5;

/** A few unlike ones, in the order given, those whose words were asked first. */
export function presentBred(bred: readonly Bred[]): BredPrompt[] {
  const chosen: { readonly one: Bred; readonly words: ReadonlySet<string> }[] = [];
  for (const one of [...bred].sort((a, b) => Number(a.carriedBy === null) - Number(b.carriedBy === null))) {
    if (chosen.length === SHOWN) break;
    const words = new Set(wordsOf(textOf(one.observation.prompt)).map(({ text }) => foldWord(text)));
    const common = (other: ReadonlySet<string>) => [...words].filter((word) => other.has(word)).length;
    if (chosen.every((other) => common(other.words) <= COMMON * words.size)) chosen.push({ one, words });
  }
  return chosen.map(({ one: { observation, carriedBy } }) => {
    const { prompt, suspect, clean } = observation;
    return {
      prompt: textOf(prompt),
      logprob: suspect.logprob,
      cleanLogprob: clean?.logprob ?? null,
      carriedBy,
    };
  });
}
