/**
 * Which latents belong to one concept, as far as prompts tell: those that fire on the same ones. A corpus that lacks the
 * concept says nothing, so the sentences of the vocabulary scan count too.
 */
import { makePart } from "./detector.js";
import type { PresenceTable } from "./presence-table.js";

/** A latent is on where it reaches this share of its maximum. */
const ON = 0.2;
/** Fewer shared prompts say nothing. */
const LEAST_SHARED = 3;
/** Kin: on together at least so many times as often as chance gives. People name two fruits in one sentence, so fruits are kin. */
const KIN_LIFT = 2;
/** One concept: on together still more clearly, and on this share of the rarer latent's prompts. */
const SAME_LIFT = 3;
const SAME_SHARE = 0.25;

/** Prompts on which a latent is on, ascending. */
type Prompts = readonly number[];

export class Kinship {
  readonly #presences: readonly PresenceTable[];
  readonly #on = new Map<number, Prompts>();
  #size = 0;

  /** @param presences on the prompts to compare latents by: the corpus, and words that it lacks written into sentences */
  constructor(presences: readonly PresenceTable[]) {
    this.#presences = presences;
  }

  /** Whether two latents fire together more often than chance. */
  kin(a: number, b: number): boolean {
    const { shared, lift } = this.#compare(a, b);
    return shared >= LEAST_SHARED && lift >= KIN_LIFT;
  }

  /**
   * Whether two latents are two readings of one concept. Such latents may widen each other, but "both of them" is no
   * conjunction: it is the same concept asked for twice.
   */
  same(a: number, b: number): boolean {
    const { shared, lift, share } = this.#compare(a, b);
    return shared >= LEAST_SHARED && lift >= SAME_LIFT && share >= SAME_SHARE;
  }

  #compare(a: number, b: number): { shared: number; lift: number; share: number } {
    const [onA, onB] = [this.#onPrompts(a), this.#onPrompts(b)];
    const shared = countShared(onA, onB);
    if (shared === 0) return { shared, lift: 0, share: 0 };
    return {
      shared,
      lift: (shared * this.#size) / (onA.length * onB.length),
      share: shared / Math.min(onA.length, onB.length),
    };
  }

  #onPrompts(latent: number): Prompts {
    let on = this.#on.get(latent);
    if (on === undefined) {
      const part = makePart([latent]);
      const found: number[] = [];
      this.#size = 0;
      for (const presences of this.#presences) {
        const values = presences.of(part);
        for (let i = 0; i < values.length; i++) if ((values[i] as number) >= ON) found.push(this.#size + i);
        this.#size += values.length;
      }
      this.#on.set(latent, found);
      on = found;
    }
    return on;
  }
}

function countShared(a: Prompts, b: Prompts): number {
  let [i, j, shared] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const difference = (a[i] as number) - (b[j] as number);
    if (difference === 0) shared++;
    if (difference <= 0) i++;
    if (difference >= 0) j++;
  }
  return shared;
}
