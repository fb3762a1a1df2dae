/**
 * Labels without any API: the words that make a latent fire and others not.
 *
 *   own(j, w)       = Σ over prompts where latent j peaks at word w of a_j / s_j     (s_j: typical activation)
 *   selectivity     = own(j, w) / (n_w + 1)          n_w: prompts in which w occurs at all among the words read
 *   specificity     = own(j, w) / Σ over latents i of own(i, w)
 *   rank            = selectivity · √specificity
 *
 * The loudest token alone misleads: a word that occurs everywhere and fires the latent now and then has a small
 * selectivity, and a word that fires every latent (the first token, "and", a full stop) has a small specificity.
 */
import { type PromptText, wordAt } from "./contexts.js";
import type { Firings } from "./firings.js";
import type { LatentUnits } from "./units.js";

/** Words in a label. */
const LABEL_WORDS = 4;
/** A word joins the label while it ranks at least this share of the best. */
const LABEL_SHARE = 0.2;
/** Peaks weaker than this share of the typical activation say little about what a latent means. */
const WEAK = 0.25;

export interface WordScore {
  readonly word: string;
  /** selectivity · √specificity, 0 … about 1. */
  readonly rank: number;
  /** Prompts in which the latent peaks at the word. */
  readonly firings: number;
  /** Prompts in which the word occurs. */
  readonly occurrences: number;
}

export interface GeneratedLabel {
  /** For example "mango, papaya, kiwi"; empty for a latent that never fires. */
  readonly text: string;
  /** Best first. */
  readonly words: readonly WordScore[];
  /** Share of prompts on which the latent fires. */
  readonly firingRate: number;
}

/**
 * Labels every latent. `masks[i]` marks the tokens of prompt i that were read (the mask given to the engine); words are
 * counted there only.
 */
export function labelLatents(
  firings: Firings,
  units: LatentUnits,
  texts: readonly PromptText[],
  masks: readonly Uint8Array[],
): GeneratedLabel[] {
  const occurrences = wordOccurrences(texts, masks);
  const own: Map<string, { sum: number; count: number }>[] = [];
  const all = new Map<string, number>();
  for (let j = 0; j < firings.latents; j++) {
    const words = new Map<string, { sum: number; count: number }>();
    const { prompts, values, tokens } = firings.of(j);
    for (let i = 0; i < prompts.length; i++) {
      const share = values[i]! / units.typical[j]!;
      const word = wordAt(texts[prompts[i]!]!, tokens[i]!);
      if (share < WEAK || word === "") continue;
      const known = words.get(word) ?? { sum: 0, count: 0 };
      words.set(word, { sum: known.sum + share, count: known.count + 1 });
      all.set(word, (all.get(word) ?? 0) + share);
    }
    own.push(words);
  }
  return own.map((words, j) => {
    const scored = [...words].map(([word, { sum, count }]) => {
      const seen = occurrences.get(word) ?? count;
      return {
        word,
        rank: (sum / (seen + 1)) * Math.sqrt(sum / all.get(word)!),
        firings: count,
        occurrences: seen,
      };
    });
    scored.sort((a, b) => b.rank - a.rank || (a.word < b.word ? -1 : 1));
    return { text: label(scored), words: scored, firingRate: firings.count(j) / Math.max(1, firings.promptCount) };
  });
}

/** Prompts in which each word occurs among the read tokens. */
function wordOccurrences(texts: readonly PromptText[], masks: readonly Uint8Array[]): Map<string, number> {
  const counts = new Map<string, number>();
  texts.forEach((prompt, i) => {
    const words = new Set<string>();
    for (let t = 0; t < prompt.spans.length; t++) if (masks[i]![t] === 1) words.add(wordAt(prompt, t));
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  });
  return counts;
}

function label(words: readonly WordScore[]): string {
  const best = words[0]?.rank ?? 0;
  return words
    .filter(({ rank }) => rank >= LABEL_SHARE * best)
    .slice(0, LABEL_WORDS)
    .map(({ word }) => word)
    .join(", ");
}
