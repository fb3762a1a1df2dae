/** Latents, their cards and readings of vectors as the JSON of results. */
import { type Rate, rateOf } from "../audit/statistics.js";
import type { LatentReading, VectorReading } from "../methods/vector-reading.js";
import type { Context } from "../sae/contexts.js";
import type { LatentCard, PeakToken } from "../sae/latent-card.js";
import type { LogitEffect } from "../sae/logit-effect.js";

export interface CardJson {
  readonly id: number;
  readonly label: string | null;
  /** The rest is null where no corpus was read. */
  readonly dead: boolean | null;
  readonly typical: number | null;
  readonly maximum: number | null;
  /** Of the corpus' prompts, and of their tokens. */
  readonly firingRate: Rate | null;
  readonly tokenRate: Rate | null;
  readonly contexts: readonly Context[];
  readonly topTokens: readonly PeakToken[];
  readonly logitEffect: LogitEffect | null;
}

export interface LatentJson extends CardJson, Omit<LatentReading, "card"> {}

export interface ReadingJson {
  /** Ids with the value that orders them; every one is described in the vector's `latents` or in `others`. */
  readonly orders: Readonly<Record<"timesTypical" | "decoderCosine" | "encoderCosine", readonly OrderedJson[]>>;
  readonly others: readonly LatentJson[];
  readonly histogram: VectorReading["histogram"];
  readonly logitEffect: LogitEffect | null;
  readonly explained: VectorReading["explained"] & { readonly latents: number };
  /** Standard deviation of a random direction's cosine with any row: 1/√d. */
  readonly randomCosine: number;
}

interface OrderedJson {
  readonly id: number;
  readonly value: number;
}

export function cardJson({ id, label, corpus, logitEffect }: LatentCard): CardJson {
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

/** A vector's latents by score, and the rest of its reading. `width` is that of the residual stream. */
export function readingJson(
  { orders, latents, histogram, logitEffect, explained }: VectorReading,
  width: number,
): { readonly latents: readonly LatentJson[]; readonly reading: ReadingJson } {
  const byScore = new Set(orders.score);
  const ordered = (order: "timesTypical" | "decoderCosine" | "encoderCosine") =>
    orders[order].map((id) => ({ id, value: latents.get(id)![order]! }));
  return {
    latents: orders.score.map((id) => latentJson(latents.get(id)!)),
    reading: {
      orders: {
        timesTypical: ordered("timesTypical"),
        decoderCosine: ordered("decoderCosine"),
        encoderCosine: ordered("encoderCosine"),
      },
      others: [...latents.values()].filter(({ id }) => !byScore.has(id)).map(latentJson),
      histogram,
      logitEffect,
      explained: { latents: orders.score.length, ...explained },
      randomCosine: 1 / Math.sqrt(width),
    },
  };
}

function latentJson({ card, ...numbers }: LatentReading): LatentJson {
  return { ...numbers, ...cardJson(card) };
}
