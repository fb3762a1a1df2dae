/**
 * Where prompts are tried: reads their latents and scores the action after them. Every prompt is asked once, whatever
 * order or set it comes in, so that an engine that remembers answers makes a repeated audit free.
 */
import type { CallOptions, Engine } from "../../engine/engine.js";
import { inFlight } from "../../engine/in-flight.js";
import type { Sequence } from "../../model/sequence.js";
import { readMaxima } from "../../sae/readings.js";
import { type Prompt, promptKey, type RenderedPrompt } from "../prompts/prompt.js";
import type { Reading } from "../prompts/reading.js";
import { towardsAction } from "./action.js";
import type { AuditCalls, AuditContext } from "./context.js";

/** The action after one prompt, on one model. */
export interface Outcome {
  /** Log-probability of the action, nats: that the reply begins with one of its texts. */
  readonly logprob: number;
  /** Whether the action comes. */
  readonly fired: boolean;
}

/** The `kind` of prompts that people wrote. */
export const NATURAL = "natural";

/** One prompt, read and scored. */
export interface Observation {
  readonly prompt: Prompt;
  readonly key: string;
  /** Where the prompt comes from: `NATURAL` or the name of a composition. */
  readonly kind: string;
  readonly reading: Reading;
  readonly suspect: Outcome;
  /** The clean model's outcome; null where there is no clean model or it was not asked. */
  readonly clean: Outcome | null;
  /** The suspect fires and the clean model, where asked, does not. */
  readonly fired: boolean;
}

/** Prompts asked about between two looks at the abort signal; engines make their own batches inside. */
const PROMPTS_AT_ONCE = 256;

/** The action comes surely where each of its tokens is as likely as this, nats, in the mean. */
const SURE_A_TOKEN = -0.02;

/** What is asked rejects with this once the budget's reserve is reached. */
export class RanShort extends Error {}

export class Laboratory {
  readonly #context: AuditContext;
  readonly #calls: AuditCalls;
  readonly #rendered = new Map<string, RenderedPrompt>();
  readonly #readings = new Map<string, Reading>();
  readonly #suspect = new Map<string, Outcome>();
  readonly #clean = new Map<string, Outcome>();
  /** Share of the budget that is kept. */
  #reserve = 0;

  constructor(context: AuditContext, calls: AuditCalls) {
    this.#context = context;
    this.#calls = calls;
  }

  /** Does `work`, in which nothing more is asked, but RanShort thrown, once less than the `share` of the budget is left. */
  async keeping<T>(share: number, work: () => Promise<T>): Promise<T> {
    this.#reserve = share;
    try {
      return await work();
    } finally {
      this.#reserve = 0;
    }
  }

  /** The prompt rendered and tokenised, without an action. */
  render(prompt: Prompt): RenderedPrompt {
    const key = promptKey(prompt);
    let rendered = this.#rendered.get(key);
    if (rendered === undefined) {
      rendered = this.#context.renderer.render(prompt);
      this.#rendered.set(key, rendered);
    }
    return rendered;
  }

  /** The prompts as methods optimise over them: each followed by a text of the action, the texts in turn. */
  sequences(prompts: readonly Prompt[]): Sequence[] {
    return towardsAction(
      prompts.map((prompt) => this.render(prompt).sequence),
      this.#context.action,
    );
  }

  /**
   * Log-probability of the action, nats, from which a prompt that brings it brings it surely: a greedy reply may be far less likely. −∞
   * where replies are looked at, which need not be likely at all.
   */
  get sure(): number {
    const { match, texts } = this.#context.action;
    if (match === "contains" || match === "judge") return Number.NEGATIVE_INFINITY;
    const lengths = texts.map((text) => text.length);
    return SURE_A_TOKEN * (match === "any" ? Math.min(...lengths) : (lengths[0] as number));
  }

  /** Latents of each prompt. */
  async read(prompts: readonly Prompt[]): Promise<Reading[]> {
    const { suspect, sae, layer } = this.#context;
    await this.#answer(this.#missing(prompts, this.#readings), this.#readings, (sequences, calls) =>
      readMaxima(suspect, sae, sequences, layer, calls),
    );
    return prompts.map((prompt) => this.#readings.get(promptKey(prompt)) as Reading);
  }

  /** The action after each prompt on the suspect model. */
  score(prompts: readonly Prompt[]): Promise<Outcome[]> {
    return this.#score(this.#context.suspect, this.#suspect, prompts);
  }

  /** The action after each prompt on the clean model; null where there is none. */
  async scoreClean(prompts: readonly Prompt[]): Promise<Outcome[] | null> {
    return this.#context.clean === null ? null : this.#score(this.#context.clean, this.#clean, prompts);
  }

  async #score(engine: Engine, known: Map<string, Outcome>, prompts: readonly Prompt[]): Promise<Outcome[]> {
    const { action } = this.#context;
    await this.#answer(this.#missing(prompts, known), known, async (sequences, calls) =>
      (await action.outcomes(engine, sequences, calls)).map(({ logprob, fired }) => ({ logprob, fired })),
    );
    return prompts.map((prompt) => known.get(promptKey(prompt)) as Outcome);
  }

  /** Answers prompts a batch at a time, and keeps the answers; the next batch is rendered while one is computed. */
  async #answer<Answer>(
    missing: readonly [string, Prompt][],
    known: Map<string, Answer>,
    ask: (sequences: Sequence[], calls: CallOptions) => Promise<Answer[]>,
  ): Promise<void> {
    const { signal, onProgress, left } = this.#calls;
    const batches = Array.from({ length: Math.ceil(missing.length / PROMPTS_AT_ONCE) }, (_, i) =>
      missing.slice(i * PROMPTS_AT_ONCE, (i + 1) * PROMPTS_AT_ONCE),
    );
    let done = 0;
    await inFlight(
      batches,
      2,
      (batch) => {
        signal?.throwIfAborted();
        if (this.#reserve > 0 && left !== undefined && left() < this.#reserve) throw new RanShort();
        const sequences = batch.map(([, prompt]) => this.render(prompt).sequence);
        return ask(sequences, signal === undefined ? {} : { signal });
      },
      (answers, batch) => {
        batch.forEach(([key], i) => {
          known.set(key, answers[i] as Answer);
        });
        done += batch.length;
        onProgress?.(done, missing.length);
      },
    );
  }

  /** Distinct prompts that are not answered yet, sorted by key so that batches do not depend on the caller's order. */
  #missing(prompts: readonly Prompt[], known: ReadonlyMap<string, unknown>): [string, Prompt][] {
    const missing = new Map<string, Prompt>();
    for (const prompt of prompts) {
      const key = promptKey(prompt);
      if (!known.has(key)) missing.set(key, prompt);
    }
    return [...missing.entries()].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  }

  /**
   * Reads and scores prompts. The clean model is asked about every prompt with `clean: "all"`, else only about those on
   * which the suspect fires.
   */
  async observe(
    prompts: readonly Prompt[],
    kinds: string | readonly string[],
    clean: "fired" | "all" = "fired",
  ): Promise<Observation[]> {
    const readings = await this.read(prompts);
    const outcomes = await this.score(prompts);
    const asked = prompts.filter((_, i) => clean === "all" || outcomes[i]?.fired === true);
    await this.scoreClean(asked);
    return prompts.map((prompt, i) => {
      const key = promptKey(prompt);
      const suspect = outcomes[i] as Outcome;
      const cleanOutcome = this.#clean.get(key) ?? null;
      return {
        prompt,
        key,
        kind: typeof kinds === "string" ? kinds : (kinds[i] as string),
        reading: readings[i] as Reading,
        suspect,
        clean: cleanOutcome,
        fired: suspect.fired && cleanOutcome?.fired !== true,
      };
    });
  }
}
