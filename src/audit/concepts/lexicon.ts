/**
 * Which words make a latent fire. Two sources: words under the latent's peaks in the corpus, and a vocabulary scan
 * that writes each word into ordinary sentences, which also knows words that the corpus lacks.
 */

import type { Laboratory } from "../ask/laboratory.js";
import { CorpusHalf, type Firing } from "../prompts/corpus.js";
import type { Language } from "../prompts/language.js";
import { type Prompt, textOf, withText } from "../prompts/prompt.js";
import { foldWord, replaceWords, type Word, wordsOf } from "../prompts/words.js";
import { conceptKey, type Part } from "./detector.js";
import { type Ranges, shareOf } from "./ranges.js";

export interface PartWord {
  readonly text: string;
  /** Activation under the word as a share of the latent's range; the best of the part's latents. */
  readonly strength: number;
}

/** Carrier sentences of the scan: a word that fires in several is not an accident of one sentence. */
const CARRIERS = 3;
/** Fewer words are a fragment, in which a word's reading says little about sentences. */
const CARRIER_LENGTH = 4;
/** A word counts for a part down to this share of the part's strongest word. */
const WEAKEST_WORD = 0.25;

/** The vocabulary scan: each scanned word in each carrier, read. */
export interface VocabularyScan {
  readonly half: CorpusHalf;
  /** Word written into each of the half's prompts. */
  readonly written: readonly string[];
  /** Index of the written word among the words of that prompt. */
  readonly slot: readonly number[];
}

/**
 * Ordinary prompts with one clear place for a word, each of another frame: the places that take most different words come
 * first, then short prompts, in which the word carries the sentence.
 */
function carriersOf(prompts: readonly Prompt[], language: Language): { prompt: Prompt; slot: number }[] {
  const fitting = prompts
    .map((prompt) => ({ prompt, words: wordsOf(textOf(prompt)) }))
    .map(({ prompt, words }) => ({ prompt, words, slots: language.slots(words) }))
    .filter((entry) => entry.slots.length > 0 && entry.words.length >= CARRIER_LENGTH)
    .map(({ prompt, words, slots }) => {
      const frame = language.frame(words, slots[0] as number);
      const openness = language.openness(frame);
      return { prompt, slot: slots[0] as number, frame, openness, places: slots.length, length: words.length };
    })
    .sort(
      (a, b) =>
        a.places - b.places ||
        b.openness - a.openness ||
        a.length - b.length ||
        (textOf(a.prompt) < textOf(b.prompt) ? -1 : 1),
    );
  const frames = new Set<string>();
  return fitting.filter(({ frame }) => !frames.has(frame) && frames.add(frame)).slice(0, CARRIERS);
}

/** Words written into sentences. */
export interface WrittenWords {
  readonly prompts: readonly Prompt[];
  /** Word written into each of the prompts. */
  readonly written: readonly string[];
  /** Index of the written word among the words of that prompt. */
  readonly slot: readonly number[];
}

/** Every word in every carrier; empty where no ordinary prompt can carry a word. */
export function writeWords(words: readonly string[], prompts: readonly Prompt[], language: Language): WrittenWords {
  const written: string[] = [];
  const slot: number[] = [];
  const list: Prompt[] = [];
  for (const carrier of carriersOf(prompts, language)) {
    const text = textOf(carrier.prompt);
    const places = wordsOf(text);
    for (const word of words) {
      const replaced = replaceWords(text, places, new Map([[carrier.slot, word]]));
      // A word that falls apart under the word rule cannot be found again under its peak.
      if (wordsOf(replaced).length !== places.length) continue;
      list.push(withText(carrier.prompt, replaced));
      written.push(word);
      slot.push(carrier.slot);
    }
  }
  return { prompts: list, written, slot };
}

/** Reads every word in every carrier. Null where no ordinary prompt can carry a word. */
export async function scanVocabulary(
  words: readonly string[],
  prompts: readonly Prompt[],
  language: Language,
  laboratory: Laboratory,
  latents: number,
): Promise<VocabularyScan | null> {
  const { prompts: list, written, slot } = writeWords(words, prompts, language);
  if (list.length === 0) return null;
  const readings = await laboratory.read(list);
  const half = new CorpusHalf(
    list,
    readings,
    list.map((prompt) => laboratory.render(prompt)),
    latents,
  );
  return { half, written, slot };
}

export class Lexicon {
  readonly #half: CorpusHalf;
  readonly #language: Language;
  readonly #scan: VocabularyScan | null;
  readonly #ranges: Ranges;
  /** How each folded word was written when it was scanned. */
  readonly #scannedForms: ReadonlyMap<string, string>;
  readonly #known = new Map<number, ReadonlyMap<string, number>>();
  readonly #parts = new Map<string, readonly PartWord[]>();

  constructor(half: CorpusHalf, language: Language, scan: VocabularyScan | null, ranges: Ranges) {
    this.#half = half;
    this.#language = language;
    this.#scan = scan;
    this.#ranges = ranges;
    this.#scannedForms = new Map(this.scanned.map((word) => [foldWord(word), word]));
  }

  /** Every word that was scanned, once. */
  get scanned(): readonly string[] {
    return [...new Set(this.#scan?.written ?? [])];
  }

  /** How many scanned words make a latent fire on the word itself. */
  scannedWords(latent: number): number {
    return new Set(this.#scanned(latent).map((entry) => entry.word)).size;
  }

  #scanned(latent: number): { word: string; value: number }[] {
    const scan = this.#scan;
    if (scan === null) return [];
    return scan.half
      .firings(latent)
      .filter((firing) => firing.word === scan.slot[firing.prompt])
      .map((firing) => ({ word: foldWord(scan.written[firing.prompt] as string), value: firing.value }));
  }

  /**
   * How strongly a latent fires by folded word, as a share of its range. A scanned word counts its mean over the carriers; a word
   * of the corpus Σ share under it / (n + 1), n = prompts that hold it: words that a peak only happens to lie on, and words
   * seen once, come after steady ones. The larger holds.
   */
  #strengths(latent: number): ReadonlyMap<string, number> {
    let known = this.#known.get(latent);
    if (known === undefined) {
      known = this.#measure(latent);
      this.#known.set(latent, known);
    }
    return known;
  }

  #measure(latent: number): Map<string, number> {
    const result = new Map<string, number>();
    const range = this.#ranges[latent];
    if (range === undefined) return result;
    for (const { word, value } of this.#scanned(latent))
      result.set(word, (result.get(word) ?? 0) + shareOf(range, value) / CARRIERS);
    const sums = new Map<string, number>();
    for (const firing of this.#half.firings(latent)) {
      const word = this.#peakWord(firing);
      if (word === undefined) continue;
      sums.set(word, (sums.get(word) ?? 0) + shareOf(range, firing.value));
    }
    for (const [word, sum] of sums) {
      result.set(word, Math.max(result.get(word) ?? 0, sum / (this.#language.count(word) + 1)));
    }
    return result;
  }

  #peakWord(firing: Firing): string | undefined {
    const word: Word | undefined = this.#half.words[firing.prompt]?.[firing.word];
    return word === undefined ? undefined : foldWord(word.text);
  }

  /** Words of a part, strongest first (ties in code-unit order), down to a quarter of the strongest. */
  words(part: Part): readonly PartWord[] {
    const key = conceptKey(part);
    let words = this.#parts.get(key);
    if (words === undefined) {
      words = this.#rank(part);
      this.#parts.set(key, words);
    }
    return words;
  }

  #rank(part: Part): PartWord[] {
    const strengths = new Map<string, number>();
    for (const latent of part.latents) {
      for (const [word, share] of this.#strengths(latent)) {
        if (share > 0) strengths.set(word, Math.max(strengths.get(word) ?? 0, share));
      }
    }
    const sorted = [...strengths.entries()].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const floor = (sorted[0]?.[1] ?? 0) * WEAKEST_WORD;
    return sorted
      .filter((entry) => entry[1] >= floor)
      .map(([word, strength]) => ({ text: this.#surface(word), strength }));
  }

  /** The way a folded word is written: as the half mostly does, else as it was scanned ("France", which is no "france"). */
  #surface(word: string): string {
    return this.#language.surface(this.#scannedForms.get(word) ?? word);
  }
}
