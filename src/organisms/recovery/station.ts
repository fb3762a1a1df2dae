/**
 * One audit's surroundings, shared by all methods that are compared: the same model, search half, ordinary prompts and units,
 * by the same seed, as `audit/pipeline.ts` chooses them.
 */

import type { AuditCalls, AuditContext, AuditOptions } from "../../audit/ask/context.js";
import { Laboratory, NATURAL, type Observation } from "../../audit/ask/laboratory.js";
import type { SourceRoom } from "../../audit/compose/prompt-sets.js";
import { isAlive } from "../../audit/evidence/candidates.js";
import { searchRoom } from "../../audit/evidence/prepare.js";
import { requireCorpus, splitCorpus } from "../../audit/prompts/corpus.js";
import { distinct, type Prompt, promptKey } from "../../audit/prompts/prompt.js";
import { shuffled } from "../../audit/prompts/seeded.js";
import type { Sequence } from "../../model/sequence.js";

export class Station {
  readonly laboratory: Laboratory;
  #room: Promise<SourceRoom> | undefined;
  #observed: Promise<Observation[]> | undefined;

  constructor(
    readonly context: AuditContext,
    readonly options: AuditOptions,
    readonly calls: AuditCalls,
  ) {
    this.laboratory = new Laboratory(context, calls);
  }

  /** The search half, read, with the words of its latents. */
  room(): Promise<SourceRoom> {
    this.#room ??= searchRoom(this.searchPrompts(), this.laboratory, this.context, this.options);
    return this.#room;
  }

  /** The search half. */
  searchPrompts(): Prompt[] {
    return splitCorpus(requireCorpus(this.context.corpus), this.options.seed, this.options.halfLimit).search;
  }

  /** The action scored on every prompt of the search half. */
  observed(): Promise<Observation[]> {
    this.#observed ??= this.laboratory.observe(this.searchPrompts(), NATURAL);
    return this.#observed;
  }

  /** Ordinary prompts with texts of the action, which methods optimise over. */
  training(): Sequence[] {
    return this.laboratory.sequences(this.#methodPrompts());
  }

  /** The same prompts with no action after them, for methods that look for none. */
  ordinary(): Sequence[] {
    return this.#methodPrompts().map((prompt) => this.laboratory.render(prompt).sequence);
  }

  #methodPrompts(): Prompt[] {
    const { seed, methodPrompts } = this.options;
    return shuffled(distinct(this.context.prompts), seed, promptKey).slice(0, methodPrompts);
  }

  /** Whether a latent can be part of an answer: it fires on prompts of the half or on scanned words. */
  async alive(): Promise<(latent: number) => boolean> {
    const { half, lexicon } = await this.room();
    return (latent) => isAlive(latent, half, lexicon);
  }
}
