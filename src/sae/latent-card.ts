/**
 * A latent's card: what it fires on and what it says, the evidence beside its label. Labels mislead; a reader decides
 * by contexts, tokens and logit effect.
 */
import { type Context, topContexts } from "./contexts.js";
import type { CorpusReading } from "./corpus-reading.js";
import { type LogitEffect, logitEffects, type Vocabulary } from "./logit-effect.js";
import type { Sae } from "./sae.js";

/** A token under a latent's peaks. */
export interface PeakToken {
  readonly token: number;
  /** As the tokenizer writes it, with its space in front. */
  readonly text: string;
  /** Prompts in which the latent peaks at this token. */
  readonly peaks: number;
  /** Largest activation there, SAE units. */
  readonly largest: number;
}

/** What a corpus shows of a latent. */
export interface CorpusEvidence {
  /** Prompts on which it fires, of those read. */
  readonly prompts: { readonly firing: number; readonly read: number };
  /** Tokens at which it fires, of those read; null where only the prompts' maxima were kept. */
  readonly tokens: { readonly firing: number; readonly read: number } | null;
  /** Fired nowhere. */
  readonly dead: boolean;
  /** 95th percentile and maximum of its prompt maxima, SAE units; `maximum` is 0 for a dead latent. */
  readonly typical: number;
  readonly maximum: number;
  /** Strongest first. */
  readonly contexts: readonly Context[];
  /** By the sum of the peaks at them, largest first. */
  readonly topTokens: readonly PeakToken[];
}

export interface LatentCard {
  readonly id: number;
  readonly label: string | null;
  /** Null where no corpus was read. */
  readonly corpus: CorpusEvidence | null;
  /** Null where the model's way to the vocabulary is not at hand. */
  readonly logitEffect: LogitEffect | null;
}

export interface CardSources {
  readonly sae: Sae;
  readonly label?: ((latent: number) => string | undefined) | undefined;
  readonly corpus?: CorpusReading | undefined;
  readonly vocabulary?: Vocabulary | undefined;
}

export interface CardSizes {
  readonly contexts: number;
  readonly tokens: number;
}

/** Sizes that fill a card without hiding its head. */
export const CARD_SIZES: CardSizes = { contexts: 5, tokens: 8 };

/** The cards of `ids`, in their order. */
export async function latentCards(
  ids: readonly number[],
  sources: CardSources,
  sizes: CardSizes = CARD_SIZES,
): Promise<LatentCard[]> {
  const { sae, label, corpus, vocabulary } = sources;
  const rows = vocabulary === undefined ? [] : await decoderRows(sae, ids);
  const effects = vocabulary === undefined ? [] : await logitEffects(rows, vocabulary, sizes.tokens);
  const tokenText = vocabulary?.tokenText ?? (() => undefined);
  return ids.map((id, i) => ({
    id,
    label: label?.(id) ?? null,
    corpus: corpus === undefined ? null : corpusEvidence(id, corpus, tokenText, sizes),
    logitEffect: effects[i] ?? null,
  }));
}

/** Decoder rows of `ids`, each [d]. */
export async function decoderRows(sae: Sae, ids: readonly number[]): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for (const id of ids) rows.push(await sae.decoderRow(id));
  return rows;
}

function corpusEvidence(
  id: number,
  corpus: CorpusReading,
  tokenText: (id: number) => string | undefined,
  sizes: CardSizes,
): CorpusEvidence {
  const { firings, units, tokens } = corpus;
  const { values } = firings.of(id);
  return {
    prompts: { firing: values.length, read: firings.promptCount },
    tokens: tokens === null ? null : { firing: tokens.firing[id]!, read: tokens.read },
    dead: values.length === 0,
    typical: units.typical[id]!,
    maximum: values.reduce((a, b) => Math.max(a, b), 0),
    contexts: topContexts(firings, id, corpus.text, sizes.contexts),
    topTokens: peakTokens(id, corpus, tokenText).slice(0, sizes.tokens),
  };
}

function peakTokens(id: number, corpus: CorpusReading, tokenText: (id: number) => string | undefined): PeakToken[] {
  const { prompts, values, tokens } = corpus.firings.of(id);
  const found = new Map<number, { sum: number; peaks: number; largest: number }>();
  for (let i = 0; i < prompts.length; i++) {
    const token = corpus.tokenId(prompts[i]!, tokens[i]!);
    const known = found.get(token) ?? { sum: 0, peaks: 0, largest: 0 };
    found.set(token, {
      sum: known.sum + values[i]!,
      peaks: known.peaks + 1,
      largest: Math.max(known.largest, values[i]!),
    });
  }
  return [...found]
    .sort(([a, x], [b, y]) => y.sum - x.sum || a - b)
    .map(([token, { peaks, largest }]) => ({ token, text: tokenText(token) ?? `[${token}]`, peaks, largest }));
}
