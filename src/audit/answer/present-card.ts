/** A latent's card as plain data for results, with its rates and their intervals. */
import type { Context } from "../../sae/contexts.js";
import type { LatentCard, PeakToken } from "../../sae/latent-card.js";
import type { LogitEffect } from "../../sae/logit-effect.js";
import { type Rate, rateOf } from "../statistics/statistics.js";

export interface ResultCard {
  readonly id: number;
  readonly label: string | null;
  /** The next five are null where no corpus was read. */
  readonly dead: boolean | null;
  /** 95th percentile and maximum of its prompt maxima, SAE units. */
  readonly typical: number | null;
  readonly maximum: number | null;
  /** Of the corpus' prompts. */
  readonly firingRate: Rate | null;
  /** Of their tokens; null also where only maxima were kept. */
  readonly tokenRate: Rate | null;
  readonly contexts: readonly Context[];
  readonly topTokens: readonly PeakToken[];
  readonly logitEffect: LogitEffect | null;
}

export function presentCard({ id, label, corpus, logitEffect }: LatentCard): ResultCard {
  const rate = (counts: { readonly firing: number; readonly read: number } | null | undefined) =>
    counts ? rateOf(counts.firing, counts.read) : null;
  return {
    id,
    label,
    dead: corpus?.dead ?? null,
    typical: corpus?.typical ?? null,
    maximum: corpus?.maximum ?? null,
    firingRate: rate(corpus?.prompts),
    tokenRate: rate(corpus?.tokens),
    contexts: corpus?.contexts ?? [],
    topTokens: corpus?.topTokens ?? [],
    logitEffect,
  };
}
