/**
 * Prominence of concepts on every prompt of a half, kept: screening asks for the same parts thousands of times.
 */
import type { CorpusHalf } from "../prompts/corpus.js";
import { conceptKey, type Part } from "./detector.js";
import { type Ranges, shareOf } from "./ranges.js";

/** Where one latent fires: prompts, ascending, and its largest activation on each. */
interface Firings {
  readonly prompts: number[];
  readonly values: number[];
}

export class PresenceTable {
  readonly #half: CorpusHalf;
  readonly #ranges: Ranges;
  readonly #known = new Map<string, Float32Array>();
  #firings: Map<number, Firings> | null = null;

  constructor(half: CorpusHalf, ranges: Ranges) {
    this.#half = half;
    this.#ranges = ranges;
  }

  /** Prominence of a part's concept on each prompt (whether or not the part is negated), as `ranges.ts` defines it. */
  of(part: Part): Float32Array {
    const key = conceptKey(part);
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#prominences(part);
      this.#known.set(key, known);
    }
    return known;
  }

  #prominences(part: Part): Float32Array {
    this.#firings ??= firingsOf(this.#half);
    const shares = new Float32Array(this.#half.readings.length);
    for (const latent of part.latents) {
      const range = this.#ranges[latent];
      const firings = this.#firings.get(latent);
      if (range === undefined || firings === undefined) continue;
      for (const [i, prompt] of firings.prompts.entries())
        shares[prompt] = Math.max(shares[prompt] as number, shareOf(range, firings.values[i] as number));
    }
    return shares;
  }
}

/** The readings of a half by latent: a latent fires on few prompts, so that it need not be looked for in each. */
function firingsOf(half: CorpusHalf): Map<number, Firings> {
  const firings = new Map<number, Firings>();
  for (const [prompt, { ids, values }] of half.readings.entries()) {
    for (let i = 0; i < ids.length; i++) {
      const latent = ids[i] as number;
      let found = firings.get(latent);
      if (found === undefined) {
        found = { prompts: [], values: [] };
        firings.set(latent, found);
      }
      found.prompts.push(prompt);
      found.values.push(values[i] as number);
    }
  }
  return firings;
}
