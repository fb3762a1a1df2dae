/**
 * What became of the words that compositions wrote: words that the model took for the real thing are written again.
 */
import { foldWord } from "./words.js";

/** Trials' worth of the overall rate that every word starts with, so that one lucky firing does not decide. */
const PRIOR_TRIALS = 3;
/** A word whose estimated rate falls below this share of the best word's is not written any more. */
const KEPT_SHARE = 0.75;

export class WordLedger {
  readonly #fired = new Map<string, number>();
  readonly #tried = new Map<string, number>();
  #allFired = 0;
  #allTried = 0;

  /** Notes the outcome of a composition that was meant to fire. */
  record(written: readonly string[], fired: boolean): void {
    for (const word of written) {
      const key = foldWord(word);
      this.#tried.set(key, (this.#tried.get(key) ?? 0) + 1);
      this.#allTried++;
      if (!fired) continue;
      this.#fired.set(key, (this.#fired.get(key) ?? 0) + 1);
      this.#allFired++;
    }
  }

  /** Compositions that were written with a word and meant to fire. */
  trials(word: string): number {
    return this.#tried.get(foldWord(word)) ?? 0;
  }

  /** Estimated rate at which compositions with a word fire. */
  rate(word: string): number {
    const prior = (this.#allFired + 1) / (this.#allTried + 2);
    const key = foldWord(word);
    return ((this.#fired.get(key) ?? 0) + PRIOR_TRIALS * prior) / ((this.#tried.get(key) ?? 0) + PRIOR_TRIALS);
  }

  /** Up to `count` of the words, given strongest first, without those that keep failing. */
  best(words: readonly string[], count: number): string[] {
    const rates = words.map((word) => this.rate(word));
    const floor = Math.max(0, ...rates) * KEPT_SHARE;
    return words.filter((_, i) => (rates[i] as number) >= floor).slice(0, count);
  }
}
