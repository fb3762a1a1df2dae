/**
 * What became of the words that compositions wrote: words that the model took for the real thing are written again.
 */

import { foldWord } from "../prompts/words.js";
import { type Rate, rateOf } from "../statistics/statistics.js";
import { Tally } from "../statistics/tally.js";

/**
 * A word is not written any more once its rate is below this share of the surest word's, by bounds of one standard error: what
 * a few unlucky trials strike out leaves a concept to one or two words, and tests to sentences in which those read badly.
 */
const KEPT_SHARE = 0.75;
const CAUTION = 1;

export class WordLedger {
  readonly #tally = new Tally<string>();

  /** Notes the outcome of a composition that was meant to fire. */
  record(written: readonly string[], fired: boolean): void {
    for (const word of written) this.#tally.add(foldWord(word), fired);
  }

  /** Compositions that were written with a word and meant to fire. */
  trials(word: string): number {
    return this.#tally.of(foldWord(word)).total;
  }

  /** Rate at which compositions with a word fired, with bounds of one standard error. */
  rate(word: string): Rate {
    const { fired, total } = this.#tally.of(foldWord(word));
    return rateOf(fired, total, CAUTION);
  }

  /** Up to `count` of the words, given strongest first, without those that plainly fail. */
  best(words: readonly string[], count: number): string[] {
    const floor = KEPT_SHARE * Math.max(0, ...words.map((word) => this.rate(word).low));
    return words.filter((word) => this.rate(word).high >= floor).slice(0, count);
  }
}
