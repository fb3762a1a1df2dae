/** Per-prompt maxima turned round: for each latent, the prompts on which it fires. */
import type { Maxima } from "./sparse.js";

/** One latent's firings, prompts ascending. */
export interface LatentFirings {
  /** Index of the prompt. */
  readonly prompts: Int32Array;
  /** Its largest activation there. */
  readonly values: Float32Array;
  /** The token index it fires at. */
  readonly tokens: Int32Array;
}

/** Firings of every latent over a set of prompts (compressed sparse columns). */
export class Firings {
  readonly latents: number;
  readonly promptCount: number;
  readonly #start: Int32Array;
  readonly #prompts: Int32Array;
  readonly #values: Float32Array;
  readonly #tokens: Int32Array;

  constructor(maxima: readonly Maxima[], latents: number) {
    this.latents = latents;
    this.promptCount = maxima.length;
    const start = new Int32Array(latents + 1);
    for (const { ids } of maxima) for (const id of ids) start[id + 1] = start[id + 1]! + 1;
    for (let j = 0; j < latents; j++) start[j + 1] = start[j + 1]! + start[j]!;
    const total = start[latents]!;
    this.#start = start;
    this.#prompts = new Int32Array(total);
    this.#values = new Float32Array(total);
    this.#tokens = new Int32Array(total);
    const next = start.slice(0, latents);
    maxima.forEach(({ ids, values, tokens }, prompt) => {
      for (let i = 0; i < ids.length; i++) {
        const at = next[ids[i]!]!;
        next[ids[i]!] = at + 1;
        this.#prompts[at] = prompt;
        this.#values[at] = values[i]!;
        this.#tokens[at] = tokens[i]!;
      }
    });
  }

  /** Number of prompts on which the latent fires. */
  count(latent: number): number {
    return this.#start[latent + 1]! - this.#start[latent]!;
  }

  of(latent: number): LatentFirings {
    const from = this.#start[latent]!;
    const to = this.#start[latent + 1]!;
    return {
      prompts: this.#prompts.subarray(from, to),
      values: this.#values.subarray(from, to),
      tokens: this.#tokens.subarray(from, to),
    };
  }
}
