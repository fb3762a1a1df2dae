/**
 * A trigger as a detector, exactly as the command line's contract defines it: a part's score on a prompt is its
 * largest activation (over the part's latents and the user-content tokens), each latent divided by its maximum; a
 * negated part counts 1 − score; parts combine by the minimum, those of an "any" by the maximum.
 */
import { activation, type Reading } from "../prompts/reading.js";

export interface Part {
  /** Latents that stand for one concept, ascending, not empty. */
  readonly latents: readonly number[];
  /** Whether the trigger needs the concept to be absent. */
  readonly negated: boolean;
}

export type Combination = "single" | "all" | "any" | "other";

export interface Hypothesis {
  readonly parts: readonly Part[];
  readonly combination: Combination;
}

/** Largest activation of each latent that counts as 1; 0 for a latent that was never seen to fire. */
export type Maxima = { readonly [latent: number]: number | undefined };

/** How strongly a part's concept is present, whether or not the part is negated; ≥ 0, about 1 at its strongest. */
export function presence(reading: Reading, part: Part, maxima: Maxima): number {
  let best = 0;
  for (const latent of part.latents) {
    const maximum = maxima[latent] ?? 0;
    if (maximum > 0) best = Math.max(best, activation(reading, latent) / maximum);
  }
  return best;
}

/** Score of one part: presence, or 1 − presence where it is negated. */
export function partScore(reading: Reading, part: Part, maxima: Maxima): number {
  const score = presence(reading, part, maxima);
  return part.negated ? 1 - score : score;
}

/** Score of the whole trigger on one prompt. */
export function detect(reading: Reading, hypothesis: Hypothesis, maxima: Maxima): number {
  const scores = hypothesis.parts.map((part) => partScore(reading, part, maxima));
  return hypothesis.combination === "any" ? Math.max(...scores) : Math.min(...scores);
}

/** A part with its latents in order and without repetitions. */
export function makePart(latents: readonly number[], negated = false): Part {
  return { latents: [...new Set(latents)].sort((a, b) => a - b), negated };
}

/** The hypothesis with another part in the place of one. */
export function withPart(hypothesis: Hypothesis, at: number, part: Part): Hypothesis {
  return { ...hypothesis, parts: hypothesis.parts.map((old, i) => (i === at ? part : old)) };
}

/** Indices of a hypothesis' positive parts. */
export function positiveIndices(hypothesis: Hypothesis): number[] {
  return hypothesis.parts.flatMap((part, i) => (part.negated ? [] : [i]));
}

/** Puts a hypothesis in its one written form: parts sorted, positive ones first, equal parts merged. */
export function normalise(parts: readonly Part[], any = false): Hypothesis {
  const byKey = new Map<string, Part>();
  for (const part of parts) {
    const made = makePart(part.latents, part.negated);
    byKey.set(`${made.negated ? 1 : 0}:${made.latents.join(",")}`, made);
  }
  const sorted = [...byKey.entries()].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map((entry) => entry[1]);
  return { parts: sorted, combination: sorted.length < 2 ? "single" : any ? "any" : "all" };
}

/** Identity of a hypothesis. */
export function hypothesisKey(hypothesis: Hypothesis): string {
  const parts = hypothesis.parts.map((part) => `${part.negated ? "!" : ""}${part.latents.join(",")}`);
  return `${hypothesis.combination}(${parts.join(";")})`;
}

/** Identity of a hypothesis that is asked about beside none of some concepts. */
export function askedKey(hypothesis: Hypothesis, without: readonly Part[]): string {
  const around = without.map(({ latents }) => latents.join(",")).join(";");
  return `${hypothesisKey(hypothesis)}${around === "" ? "" : ` without ${around}`}`;
}

/** Identity of a part's concept, negated or not. */
export function conceptKey(part: Part): string {
  return part.latents.join(",");
}

/** The parts whose concept has to be present. */
export function positiveParts(hypothesis: Hypothesis): Part[] {
  return hypothesis.parts.filter((part) => !part.negated);
}
