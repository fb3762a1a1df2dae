/**
 * Prominence of concepts on every prompt of a half, kept: screening asks for the same parts thousands of times.
 */
import type { CorpusHalf } from "./corpus.js";
import { conceptKey, type Part } from "./detector.js";
import { prominence, type Ranges } from "./ranges.js";
import type { Reading } from "./reading.js";

export class PresenceTable {
  readonly #half: CorpusHalf;
  readonly #ranges: Ranges;
  readonly #known = new Map<string, Float32Array>();

  constructor(half: CorpusHalf, ranges: Ranges) {
    this.#half = half;
    this.#ranges = ranges;
  }

  /** Prominence of a part's concept on each prompt (whether or not the part is negated). */
  of(part: Part): Float32Array {
    const key = conceptKey(part);
    let known = this.#known.get(key);
    if (known === undefined) {
      known = Float32Array.from(this.#half.readings, (reading: Reading) => prominence(reading, part, this.#ranges));
      this.#known.set(key, known);
    }
    return known;
  }
}
