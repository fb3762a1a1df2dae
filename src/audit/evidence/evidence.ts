/**
 * What one half of the corpus has taught so far: every prompt that counts as evidence, each once, and the way to try more. Prompts that
 * are only probed, to find words and latents, count nowhere, and are known all the same: nobody may meet them as new.
 */

import { NATURAL, type Observation, type Outcome } from "../ask/laboratory.js";
import {
  type Condition,
  composedSource,
  DEFAULT_LEVELS,
  type Levels,
  naturalSource,
  type PromptSource,
  type SourceRoom,
  select,
} from "../compose/prompt-sets.js";
import type { Recipe } from "../compose/recipe.js";
import type { Part } from "../concepts/detector.js";
import { prominence } from "../concepts/ranges.js";
import { type Prompt, promptKey } from "../prompts/prompt.js";
import type { Reading } from "../prompts/reading.js";

/** A set of prompts to draw and try. */
export interface Request {
  readonly source: PromptSource;
  readonly condition: Condition;
  readonly count: number;
  /** Names the draw: the same name draws the same prompts. */
  readonly name: string;
  /** Whether the hypothesis expects the action: then the words that were written are credited or blamed. */
  readonly full: boolean;
}

/** The request for prompts as they come and not the strongest, which hold the same few words. */
export function asTheyCome(request: Request): Request {
  return { ...request, source: { ...request.source, strongest: false } };
}

export class Evidence {
  readonly room: SourceRoom;
  readonly #askClean: "fired" | "all";
  readonly #isKnown: (key: string) => boolean;
  readonly #seen = new Map<string, Observation>();
  readonly #probed = new Set<string>();
  readonly #bred = new Set<number>();
  readonly #aside: (readonly Part[])[] = [];
  #sorted: Observation[] | null = null;

  /**
   * `askClean`: whether the clean model is asked about every prompt, or only about those on which the suspect fires.
   * `isKnown`: prompts, by their keys, that are never drawn, as somebody has seen what they bring.
   */
  constructor(room: SourceRoom, askClean: "fired" | "all" = "fired", isKnown: (key: string) => boolean = () => false) {
    this.room = room;
    this.#askClean = askClean;
    this.#isKnown = isKnown;
  }

  /** Whether a prompt was tried or probed. */
  has(key: string): boolean {
    return this.#seen.has(key) || this.#probed.has(key);
  }

  /** How many prompts were probed and not tried. */
  get probed(): number {
    return [...this.#probed].filter((key) => !this.#seen.has(key)).length;
  }

  /** Everything observed without what is set aside, ordered by prompt, so that nothing depends on when it was seen. */
  get observations(): readonly Observation[] {
    this.#sorted ??= [...this.#seen.values()]
      .filter(({ reading }) => this.isOpen(reading))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    return this.#sorted;
  }

  /** Everything observed, what is set aside too. */
  get everything(): readonly Observation[] {
    return [...this.#seen.values()];
  }

  /** From now on prompts that hold all of these parts explain nothing: what else brings the action shows better without them. */
  setAside(parts: readonly Part[]): void {
    this.#aside.push(parts);
    this.#sorted = null;
  }

  /** Takes everything back that was set aside. */
  takeBack(): void {
    this.#aside.length = 0;
    this.#sorted = null;
  }

  /** Whether a prompt holds nothing, as a whole, that is set aside. */
  isOpen(reading: Reading): boolean {
    return this.#aside.every((parts) => parts.some((part) => isAbsent(reading, part, this.room)));
  }

  /** Whether a latent belongs to what is set aside by itself. */
  isSetAside(latent: number): boolean {
    return this.#aside.some(
      ([part, ...others]) =>
        others.length === 0 && part?.latents.some((known) => known === latent || this.room.kinship.same(known, latent)),
    );
  }

  /** Remembers latents to which only prompts that were bred for the action point. */
  noteBred(latents: readonly number[]): void {
    for (const latent of latents) this.#bred.add(latent);
  }

  isBred(latent: number): boolean {
    return this.#bred.has(latent);
  }

  /** Only the prompts of the corpus. */
  get natural(): Observation[] {
    return this.observations.filter((observation) => observation.kind === NATURAL);
  }

  /** Reads, scores and keeps prompts. */
  async observe(prompts: readonly Prompt[], kinds: string | readonly string[]): Promise<Observation[]> {
    const observed = await this.room.laboratory.observe(prompts, kinds, this.#askClean);
    for (const observation of observed) {
      if (this.#seen.has(observation.key)) continue;
      this.#seen.set(observation.key, observation);
      this.#sorted = null;
    }
    return observed;
  }

  /** Reads and scores prompts that are no evidence. */
  probe(prompts: readonly Prompt[], kind: string): Promise<Observation[]> {
    for (const prompt of prompts) this.#probed.add(promptKey(prompt));
    return this.room.laboratory.observe(prompts, kind, this.#askClean);
  }

  /** Scores prompts that are no evidence, on the suspect alone. */
  probeScores(prompts: readonly Prompt[]): Promise<Outcome[]> {
    for (const prompt of prompts) this.#probed.add(promptKey(prompt));
    return this.room.laboratory.score(prompts);
  }

  /** Draws and tries many sets at once, so that the engine sees few large batches. One list for each request. */
  async drawAll(requests: readonly Request[]): Promise<Observation[][]> {
    const { laboratory, ledger } = this.room;
    const proposals = requests.map(({ source, condition, count, name }) =>
      source.propose(condition, count, name).filter(({ prompt }) => !this.#isKnown(promptKey(prompt))),
    );
    await laboratory.read(proposals.flatMap((proposal) => proposal.map((entry) => entry.prompt)));
    const chosen = [];
    for (const [i, request] of requests.entries()) {
      const proposed = proposals[i] ?? [];
      const readings = await laboratory.read(proposed.map((entry) => entry.prompt));
      chosen.push(select(this.room, request.source, proposed, readings, request.condition, request.count));
    }
    const observed = await this.observe(
      chosen.flatMap((list) => list.map((entry) => entry.prompt)),
      chosen.flatMap((list, i) => list.map(() => requests[i]?.source.kind ?? "")),
    );
    let at = 0;
    return chosen.map((list, i) => {
      const outcomes = observed.slice(at, at + list.length);
      at += list.length;
      if (requests[i]?.full) {
        for (const [j, entry] of list.entries()) ledger.record(entry.written, outcomes[j]?.fired === true);
      }
      return outcomes;
    });
  }

  /** A request for prompts composed by recipe. */
  composed(
    recipe: Recipe,
    condition: Condition,
    count: number,
    name: string,
    full: boolean,
    levels: Levels = DEFAULT_LEVELS,
  ): Request {
    return { source: composedSource(this.room, recipe, levels), condition, count, name, full };
  }

  /** A request for prompts of the half as they are. */
  naturally(condition: Condition, count: number, name: string, levels: Levels = DEFAULT_LEVELS): Request {
    return { source: naturalSource(this.room, levels), condition, count, name, full: false };
  }
}

/** Whether a prompt holds a part not even faintly. */
export function isAbsent(reading: Reading, part: Part, { ranges }: Pick<SourceRoom, "ranges">): boolean {
  return prominence(reading, part, ranges) < DEFAULT_LEVELS.absent;
}
