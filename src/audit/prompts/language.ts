/**
 * How the corpus' sentences are built, learned by counting: which words are rare, and which places in a sentence
 * take many different words. Compositions write into such places, so that they read like what people write.
 */
import { foldWord, type Word } from "./words.js";

/** A word on more than this share of the prompts belongs to the sentence's frame, not to its subject. */
const FRAME_SHARE = 0.02;
/** Words shorter than this are particles in most languages. */
const SLOT_LENGTH = 3;

export class Language {
  readonly #prompts: number;
  readonly #documents = new Map<string, number>();
  readonly #surface = new Map<string, Map<string, number>>();
  readonly #frames = new Map<string, Set<string>>();
  readonly #neighbours = new Map<string, Set<string>>();
  #rare: string[] | undefined;

  /** Learns from the words of each prompt. */
  constructor(prompts: readonly (readonly Word[])[]) {
    this.#prompts = prompts.length;
    for (const words of prompts) {
      const folded = words.map((word) => foldWord(word.text));
      for (const word of new Set(folded)) this.#documents.set(word, (this.#documents.get(word) ?? 0) + 1);
      folded.forEach((word, i) => {
        const forms = mapAt(this.#surface, word, () => new Map<string, number>());
        const text = (words[i] as Word).text;
        forms.set(text, (forms.get(text) ?? 0) + 1);
        mapAt(this.#frames, frameAt(folded, i), () => new Set<string>()).add(word);
        const near = mapAt(this.#neighbours, word, () => new Set<string>());
        near.add(`<${folded[i - 1] ?? ""}`).add(`>${folded[i + 1] ?? ""}`);
      });
    }
  }

  /** Share of prompts that hold a word. */
  share(word: string): number {
    return this.#prompts === 0 ? 0 : this.count(word) / this.#prompts;
  }

  /** Prompts that hold a word. */
  count(word: string): number {
    return this.#documents.get(foldWord(word)) ?? 0;
  }

  /** The way a word is mostly written (ties: the first in code-unit order). */
  surface(word: string): string {
    const forms = this.#surface.get(foldWord(word));
    if (forms === undefined) return word;
    return [...forms.entries()].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? word;
  }

  /** Words that carry subjects, not frames, in code-unit order, as mostly written. */
  rareWords(): string[] {
    this.#rare ??= [...this.#documents.keys()]
      .filter((word) => word.length >= SLOT_LENGTH && this.share(word) <= FRAME_SHARE)
      .sort()
      .map((word) => this.surface(word));
    return this.#rare;
  }

  /** How alike the places are in which two words stand, 0 … 1; 0.5 where one of them was never seen. */
  exchangeable(a: string, b: string): number {
    const near = this.#neighbours.get(foldWord(a));
    const other = this.#neighbours.get(foldWord(b));
    if (near === undefined || other === undefined) return 0.5;
    let shared = 0;
    for (const neighbour of near) if (other.has(neighbour)) shared++;
    return shared / Math.min(near.size, other.size);
  }

  /** Frame of a place: the words before and after it. Places of one frame take the same kind of word. */
  frame(words: readonly Word[], index: number): string {
    return frameAt(
      words.map((word) => foldWord(word.text)),
      index,
    );
  }

  /** How many different words stand in places of this frame. */
  openness(frame: string): number {
    return this.#frames.get(frame)?.size ?? 0;
  }

  /**
   * Indices of the words that may be exchanged, best first: rare words whose place takes many different words come
   * before other rare words. `kept` words are left out. At least the rarest word is offered where any is free.
   */
  slots(words: readonly Word[], kept: ReadonlySet<number> = new Set()): number[] {
    const folded = words.map((word) => foldWord(word.text));
    const free = words
      .map((word, index) => ({
        index,
        share: this.share(word.text),
        openness: this.#frames.get(frameAt(folded, index))?.size ?? 0,
        long: word.text.length >= SLOT_LENGTH,
      }))
      .filter((slot) => slot.long && !kept.has(slot.index));
    const rare = free.filter((slot) => slot.share <= FRAME_SHARE);
    if (rare.length === 0) {
      const rarest = free.sort((a, b) => a.share - b.share || a.index - b.index)[0];
      return rarest === undefined ? [] : [rarest.index];
    }
    return rare
      .sort((a, b) => b.openness - a.openness || a.share - b.share || a.index - b.index)
      .map((slot) => slot.index);
  }
}

function frameAt(folded: readonly string[], i: number): string {
  return `${folded[i - 1] ?? ""} _ ${folded[i + 1] ?? ""}`;
}

function mapAt<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
