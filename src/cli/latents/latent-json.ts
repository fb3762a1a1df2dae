/** Readings of vectors as the JSON of results. */
import { presentCard, type ResultCard } from "../../audit/answer/present-card.js";
import type { LatentReading, VectorReading } from "../../methods/vector-reading.js";
import type { LogitEffect } from "../../sae/logit-effect.js";

export interface LatentJson extends ResultCard, Omit<LatentReading, "card"> {}

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
  return { ...numbers, ...presentCard(card) };
}
