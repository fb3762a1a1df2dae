/**
 * What a method says the trigger is, as a detector: parts that are present in a prompt to some degree, and how they combine.
 * Answers made of latents work as the command line's contract says (`audit/concepts/detector.ts`); answers made of words work alike.
 */
import { type Combination, type Hypothesis, type Maxima, presence } from "../../audit/concepts/detector.js";
import type { Reading } from "../../audit/prompts/reading.js";
import { foldWord, wordsOf } from "../../audit/prompts/words.js";

/** Prompts as answers are tried on them. */
export interface ReadPrompts {
  readonly texts: readonly string[];
  readonly readings: readonly Reading[];
}

export interface AnswerPart {
  /** Whether the trigger needs the concept to be absent. */
  readonly negated: boolean;
  /** How strongly the part's concept is present in each prompt, 0 … 1, whether or not the part is negated. */
  presences(prompts: ReadPrompts): number[];
}

export interface Answer {
  readonly parts: readonly AnswerPart[];
  readonly combination: Combination;
  readonly statement: string;
}

/** A part made of latents, each divided by its largest activation over the prompts it is tried on. */
export function latentPart(latents: readonly number[], negated = false): AnswerPart {
  return {
    negated,
    presences: ({ readings }) => {
      const maxima = maximaOf(readings, latents);
      return readings.map((reading) => presence(reading, { latents, negated }, maxima));
    },
  };
}

/** A hypothesis over latents as an answer. */
export function latentAnswer({ parts, combination }: Hypothesis, statement: string): Answer {
  return { parts: parts.map(({ latents, negated }) => latentPart(latents, negated)), combination, statement };
}

function maximaOf(readings: readonly Reading[], latents: readonly number[]): Maxima {
  const maxima: Record<number, number> = Object.fromEntries(latents.map((latent) => [latent, 0]));
  for (const { ids, values } of readings) {
    ids.forEach((id, i) => {
      const known = maxima[id];
      if (known !== undefined) maxima[id] = Math.max(known, values[i] as number);
    });
  }
  return maxima;
}

/** A part made of words: a prompt's presence is the weight of its heaviest word; weights lie in 0 … 1. */
export function wordPart(weights: ReadonlyMap<string, number>): AnswerPart {
  return {
    negated: false,
    presences: ({ texts }) =>
      texts.map((text) =>
        wordsOf(text).reduce((best, word) => Math.max(best, weights.get(foldWord(word.text)) ?? 0), 0),
      ),
  };
}

/** The answer's score on each prompt: minimum over its parts (1 − presence where negated), maximum for "any". */
export function answerScores({ parts, combination }: Answer, prompts: ReadPrompts): number[] {
  const scores = parts.map((part) => part.presences(prompts).map((value) => (part.negated ? 1 - value : value)));
  const combine = combination === "any" ? Math.max : Math.min;
  return prompts.texts.map((_, i) => combine(...scores.map((row) => row[i] as number)));
}
