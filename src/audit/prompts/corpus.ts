/**
 * One half of the corpus: its prompts, what fires on them, and how its language is built. Hypotheses are formed on
 * one half and confirmed on the other; the halves share no prompt.
 */
import { InputError } from "../../formats/input-error.js";
import type { CorpusReading } from "../../sae/corpus-reading.js";
import { Firings } from "../../sae/firings.js";
import { type LatentUnits, latentUnits } from "../../sae/units.js";
import { distinct, type Prompt, promptKey, type RenderedPrompt, textOf } from "./prompt.js";
import type { Reading } from "./reading.js";
import { hashUnit, shuffled } from "./seeded.js";
import { type Word, wordOfToken, wordsOf } from "./words.js";

/** A corpus smaller than this cannot be split into two halves that say anything. */
const LEAST_CORPUS = 40;

/** The corpus without repetitions. Throws InputError when it is too small to search and to confirm on. */
export function requireCorpus(corpus: readonly Prompt[]): Prompt[] {
  const prompts = distinct(corpus);
  if (prompts.length >= LEAST_CORPUS) return prompts;
  throw new InputError(`the corpus has ${prompts.length} different prompts; give at least ${LEAST_CORPUS}`);
}

/** Two disjoint lists of distinct prompts, each in a seeded order that does not depend on the corpus' order. */
export function splitCorpus(
  corpus: readonly Prompt[],
  seed: number,
  limit: number,
): { search: Prompt[]; confirm: Prompt[] } {
  const prompts = shuffled(distinct(corpus), seed, promptKey);
  const inSearch = (prompt: Prompt) => hashUnit(seed + 1, promptKey(prompt)) < 0.5;
  return {
    search: prompts.filter(inSearch).slice(0, limit),
    confirm: prompts.filter((prompt) => !inSearch(prompt)).slice(0, limit),
  };
}

/** Where one latent fires in a half, strongest first (ties by prompt). */
export interface Firing {
  readonly prompt: number;
  readonly value: number;
  /** Index of the word under the peak in `wordsOf(text)`, or −1. */
  readonly word: number;
}

export class CorpusHalf {
  readonly prompts: readonly Prompt[];
  readonly readings: readonly Reading[];
  readonly words: readonly (readonly Word[])[];
  /** [latents] prompts on which each latent fires. */
  readonly fires: Int32Array;
  /** [latents] largest activation; 0 where a latent never fires. */
  readonly maximum: Float32Array;
  /** [latents] faintest activation; 0 where a latent never fires. */
  readonly minimum: Float32Array;
  /** [latents] 95th percentile of the positive prompt maxima; for latents that never fire the median of the others. */
  readonly typical: Float32Array;
  readonly #rendered: readonly RenderedPrompt[];
  readonly #firings: Firings;
  readonly #units: LatentUnits;

  constructor(
    prompts: readonly Prompt[],
    readings: readonly Reading[],
    rendered: readonly RenderedPrompt[],
    latents: number,
  ) {
    this.prompts = prompts;
    this.readings = readings;
    this.words = prompts.map((prompt) => wordsOf(textOf(prompt)));
    this.#rendered = rendered;
    this.#firings = new Firings(readings, latents);
    const units = latentUnits(this.#firings);
    this.#units = units;
    this.fires = units.firing;
    this.typical = units.typical;
    this.maximum = new Float32Array(latents);
    this.minimum = new Float32Array(latents);
    for (let id = 0; id < latents; id++) {
      const { values } = this.#firings.of(id);
      if (values.length === 0) continue;
      this.maximum[id] = values.reduce((a, b) => Math.max(a, b));
      this.minimum[id] = values.reduce((a, b) => Math.min(a, b));
    }
  }

  /** Index of the word under a prompt token, or −1. */
  wordUnder(prompt: number, token: number): number {
    const { spans } = this.#rendered[prompt] as RenderedPrompt;
    return wordOfToken(this.words[prompt] as readonly Word[], spans, token);
  }

  /** The half as the cards of latents read it: contexts show the last user message. */
  reading(): CorpusReading {
    return {
      firings: this.#firings,
      units: this.#units,
      tokens: null,
      text: (prompt) => {
        const { spans } = this.#rendered[prompt] as RenderedPrompt;
        return {
          text: textOf(this.prompts[prompt] as Prompt),
          spans: Array.from({ length: spans.length / 2 }, (_, t) => [
            spans[2 * t] as number,
            spans[2 * t + 1] as number,
          ]),
        };
      },
      tokenId: (prompt, token) => this.#rendered[prompt]?.sequence.prompt[token] as number,
    };
  }

  /** Every prompt on which a latent fires, strongest first. */
  firings(latent: number): Firing[] {
    const { prompts, values, tokens } = this.#firings.of(latent);
    return Array.from(prompts, (prompt, i) => ({
      prompt,
      value: values[i] as number,
      word: this.wordUnder(prompt, tokens[i] as number),
    })).sort((a, b) => b.value - a.value || a.prompt - b.prompt);
  }
}
