/** Answers of engines kept in memory, so that audits that share models and corpus ask each question once. */
import type { Answers } from "./remembering-engine.js";

/** Room for the readings of a corpus of 7,000 prompts at width 128 some times over. */
const MAX_BYTES = 512 * 2 ** 20;

/** Takes answers until it is full: the first ones are those of the corpus, which every audit asks again. */
export class MemoryAnswers implements Answers {
  readonly #known = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(private readonly maxBytes = MAX_BYTES) {}

  get(key: string): Uint8Array | undefined {
    return this.#known.get(key);
  }

  append(key: string, value: Uint8Array): void {
    if (this.#bytes + value.length > this.maxBytes) return;
    this.#known.set(key, value);
    this.#bytes += value.length;
  }
}
