/**
 * Presence of concepts on every prompt of a half, kept: screening asks for the same parts thousands of times.
 */
import type { CorpusHalf } from "./corpus.js";
import { conceptKey, type Maxima, type Part, presence } from "./detector.js";
import type { Reading } from "./reading.js";

export class PresenceTable {
  readonly #half: CorpusHalf;
  readonly #maxima: Maxima;
  readonly #known = new Map<string, Float32Array>();

  constructor(half: CorpusHalf, maxima: Maxima) {
    this.#half = half;
    this.#maxima = maxima;
  }

  /** Presence of a part's concept on each prompt (whether or not the part is negated). */
  of(part: Part): Float32Array {
    const key = conceptKey(part);
    let known = this.#known.get(key);
    if (known === undefined) {
      known = Float32Array.from(this.#half.readings, (reading: Reading) => presence(reading, part, this.#maxima));
      this.#known.set(key, known);
    }
    return known;
  }
}
