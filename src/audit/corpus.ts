/**
 * One half of the corpus: its prompts, what fires on them, and how its language is built. Hypotheses are formed on
 * one half and confirmed on the other; the halves share no prompt.
 */
import { type Prompt, type RenderedPrompt, distinct, promptKey, textOf } from "./prompt.js";
import type { Reading } from "./reading.js";
import { hashUnit, shuffled } from "./seeded.js";
import { percentile } from "./statistics.js";
import { type Word, wordAt, wordsOf } from "./words.js";

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

/** Share of a latent's positive prompt maxima below its "typical" activation. */
const TYPICAL_SHARE = 0.95;

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
  /** [latents] 95th percentile of the positive prompt maxima. */
  readonly typical: Float32Array;
  readonly #spans: readonly Int32Array[];
  readonly #start: Int32Array;
  readonly #prompt: Int32Array;
  readonly #entry: Int32Array;

  constructor(
    prompts: readonly Prompt[],
    readings: readonly Reading[],
    rendered: readonly RenderedPrompt[],
    latents: number,
  ) {
    this.prompts = prompts;
    this.readings = readings;
    this.words = prompts.map((prompt) => wordsOf(textOf(prompt)));
    this.#spans = rendered.map((entry) => entry.spans);
    this.fires = new Int32Array(latents);
    for (const reading of readings) for (const id of reading.ids) this.fires[id] = (this.fires[id] as number) + 1;
    this.#start = new Int32Array(latents + 1);
    for (let id = 0; id < latents; id++) this.#start[id + 1] = (this.#start[id] as number) + (this.fires[id] as number);
    this.#prompt = new Int32Array(this.#start[latents] as number);
    this.#entry = new Int32Array(this.#prompt.length);
    const next = this.#start.slice();
    readings.forEach((reading, prompt) => {
      reading.ids.forEach((id, entry) => {
        const at = next[id] as number;
        this.#prompt[at] = prompt;
        this.#entry[at] = entry;
        next[id] = at + 1;
      });
    });
    this.maximum = new Float32Array(latents);
    this.typical = new Float32Array(latents);
    for (let id = 0; id < latents; id++) {
      const values = this.#valuesOf(id);
      if (values.length === 0) continue;
      this.maximum[id] = values.reduce((a, b) => Math.max(a, b), 0);
      this.typical[id] = percentile(values, TYPICAL_SHARE);
    }
  }

  #valuesOf(latent: number): Float32Array {
    const values = new Float32Array(this.fires[latent] as number);
    const from = this.#start[latent] as number;
    for (let i = 0; i < values.length; i++) {
      const reading = this.readings[this.#prompt[from + i] as number] as Reading;
      values[i] = reading.values[this.#entry[from + i] as number] as number;
    }
    return values;
  }

  /** Index of the word under a prompt token, or −1. */
  wordUnder(prompt: number, token: number): number {
    const spans = this.#spans[prompt] as Int32Array;
    return wordAt(this.words[prompt] as readonly Word[], spans[2 * token] ?? -1, spans[2 * token + 1] ?? -1);
  }

  /** Every prompt on which a latent fires, strongest first. */
  firings(latent: number): Firing[] {
    const list: Firing[] = [];
    for (let i = this.#start[latent] as number; i < (this.#start[latent + 1] as number); i++) {
      const prompt = this.#prompt[i] as number;
      const reading = this.readings[prompt] as Reading;
      const entry = this.#entry[i] as number;
      list.push({
        prompt,
        value: reading.values[entry] as number,
        word: this.wordUnder(prompt, reading.peaks[entry] as number),
      });
    }
    return list.sort((a, b) => b.value - a.value || a.prompt - b.prompt);
  }
}
