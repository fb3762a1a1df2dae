/** Latents and readings as results store them, checked. What older results lack is empty. */
import { z } from "zod";

export const rate = z.object({
  count: z.int().min(0),
  total: z.int().min(0),
  rate: z.number().min(0).max(1),
  low: z.number().min(0).max(1),
  high: z.number().min(0).max(1),
});

const effect = z.object({ token: z.int(), text: z.string(), value: z.number() });
const controlScore = z.object({
  score: z.number().nullable(),
  rank: z.int().nullable(),
  decoderCosine: z.number(),
});

/** Scores of a latent in each control, by the control's name. */
export const controlScores = z.record(z.string(), controlScore).default({});

export const histogram = z
  .object({ edges: z.array(z.number()), counts: z.array(z.int().min(0)).min(1), zeros: z.int().min(0) })
  .refine(({ edges, counts }) => edges.length === counts.length + 1, "must have one edge more than counts");

export const explained = z.object({ share: z.number(), rank: z.int(), byChance: z.number() });

export const card = z.object({
  id: z.int().min(0),
  label: z.string().nullable(),
  dead: z.boolean().nullable(),
  typical: z.number().nullable(),
  maximum: z.number().nullable(),
  firingRate: rate.nullable(),
  tokenRate: rate.nullable(),
  contexts: z.array(
    z.object({
      value: z.number(),
      before: z.string(),
      word: z.string(),
      after: z.string(),
      piece: z.string(),
      pieceAt: z.tuple([z.int().min(0), z.int().min(0)]).optional(),
    }),
  ),
  topTokens: z.array(z.object({ text: z.string(), peaks: z.int(), largest: z.number() })),
  logitEffect: z.object({ raised: z.array(effect), lowered: z.array(effect) }).nullable(),
  scores: z
    .array(
      z.object({
        method: z.string(),
        vector: z.int(),
        score: z.number(),
        rank: z.int().nullable(),
        controls: controlScores,
      }),
    )
    .default([]),
});

/** Pages show values and change none, so that they take results as they are made as well as stored ones. */
export type Unchanging<T> = T extends object ? { readonly [K in keyof T]: Unchanging<T[K]> } : T;

export type StoredRate = z.infer<typeof rate>;
export type StoredCard = Unchanging<z.infer<typeof card>>;
export type StoredHistogram = Unchanging<z.infer<typeof histogram>>;
export type StoredExplained = Unchanging<z.infer<typeof explained>>;
export type StoredControlScores = Unchanging<z.infer<typeof controlScores>>;
