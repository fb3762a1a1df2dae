/**
 * Reads found vectors as latents, every way that tells something:
 *   1. latents by the method's score, by score times typical activation, by cosine with decoder rows and with encoder rows;
 *   2. for each latent in any of these lists its card (contexts, tokens, logit effect, firing rate) and its score in each
 *      control;
 *   3. of the vector itself: the histogram of its coordinates (or scores), what it says through the logit lens, and how
 *      much of it the latents listed by score account for.
 */
import { type ExplainedShare, explainedShare } from "../sae/explained-share.js";
import { type Histogram, histogram } from "../sae/histogram.js";
import { type CardSizes, type CardSources, decoderRows, type LatentCard, latentCards } from "../sae/latent-card.js";
import { type LogitEffect, logitEffects } from "../sae/logit-effect.js";
import { largest } from "../sae/ranking.js";
import type { Sae } from "../sae/sae.js";
import { type Control, type ControlScore, readTogether } from "./controls.js";
import type { FoundVector } from "./method.js";

/** A latent in one vector. */
export interface LatentReading {
  readonly id: number;
  readonly score: number;
  /** z_j: the raw activation that the vector adds, negative where it takes some away; null where the method searches no coordinates. */
  readonly coordinate: number | null;
  /**
   * Score times the latent's typical activation: what it is worth when it fires as it usually does. For a coordinate, |z_j|.
   * Null where no corpus was read and it is needed.
   */
  readonly timesTypical: number | null;
  readonly decoderCosine: number;
  readonly encoderCosine: number;
  readonly card: LatentCard;
  /** By the control's name. */
  readonly controls: Readonly<Record<string, ControlScore>>;
}

/** Orders in which the latents of a vector are listed: ids, first ones first. */
export interface LatentOrders {
  readonly score: readonly number[];
  readonly timesTypical: readonly number[];
  readonly decoderCosine: readonly number[];
  readonly encoderCosine: readonly number[];
}

export interface VectorReading {
  readonly orders: LatentOrders;
  /** Every latent in `orders`. */
  readonly latents: ReadonlyMap<number, LatentReading>;
  readonly histogram: Histogram & { readonly of: "coordinates" | "scores" };
  /** Of the vector itself; null where the model's way to the vocabulary is not at hand. */
  readonly logitEffect: LogitEffect | null;
  /** By the latents listed by score. */
  readonly explained: ExplainedShare;
}

export interface ReadingInput extends CardSources {
  readonly vectors: readonly FoundVector[];
  /** Whether the vectors are gradients of a loss, which point away from the action: they are read turned round. */
  readonly gradients: boolean;
  /** Whether scores are of decoder rows of norm 1: times typical activation they are times the row's norm too. */
  readonly unitNorm?: boolean;
  /** Decoder rows that one unit of each latent adds [m] (`Sae.unitLengths`); 1 where not given. */
  readonly unitLengths?: Float32Array | undefined;
  readonly controls: readonly Control[];
  /** Latents in each list. */
  readonly top: number;
  readonly sizes: CardSizes;
}

/** Readings of the vectors, in their order. Vectors that no SAE has scored are an error of the caller. */
export async function readVectors(input: ReadingInput): Promise<VectorReading[]> {
  const { sae, vectors, vocabulary, corpus } = input;
  const directions = vectors.map(({ vector }) => (input.gradients ? vector.map((x) => -x) : vector));
  const { cosines, columns } = await readTogether(sae, directions, input.controls);
  const typical =
    corpus && (await typicalOfScores(sae, corpus.units.typical, input.unitNorm ?? false, input.unitLengths));
  const read = vectors.map((found, i) => {
    const { scores, timesTypical, among } = scoresOf(found, typical);
    const { decoder, encoder } = cosines[i]!;
    const orders: LatentOrders = {
      score: largest(scores, input.top, among),
      timesTypical: timesTypical === null ? [] : largest(timesTypical, input.top, among),
      decoderCosine: largest(decoder, input.top),
      encoderCosine: largest(encoder, input.top),
    };
    return { found, scores, timesTypical, decoder, encoder, orders };
  });

  const listed = [...new Set(read.flatMap(({ orders }) => Object.values(orders).flat() as number[]))];
  const cards = await latentCards(listed, input, input.sizes);
  const cardOf = new Map(cards.map((card) => [card.id, card]));
  const effects = vocabulary === undefined ? [] : await logitEffects(directions, vocabulary, input.sizes.tokens);

  const readings: VectorReading[] = [];
  for (const [i, { found, scores, timesTypical, decoder, encoder, orders }] of read.entries()) {
    const z = found.z && dense(found.z.ids, found.z.values, sae.info.latents);
    const latents = new Map<number, LatentReading>();
    for (const id of new Set(Object.values(orders).flat() as number[]))
      latents.set(id, {
        id,
        score: scores[id]!,
        coordinate: z && z[id]!,
        timesTypical: timesTypical?.[id] ?? null,
        decoderCosine: decoder[id]!,
        encoderCosine: encoder[id]!,
        card: cardOf.get(id)!,
        controls: Object.fromEntries(columns.map((column) => [column.name, column.of(id)])),
      });
    readings.push({
      orders,
      latents,
      histogram:
        found.z === null
          ? { of: "scores", ...histogram(scores) }
          : { of: "coordinates", ...histogram(dense(found.z.ids, found.z.inUnits, sae.info.latents)) },
      logitEffect: effects[i] ?? null,
      explained: explainedShare(directions[i]!, await decoderRows(sae, orders.score)),
    });
  }
  return readings;
}

/**
 * [m] What a score, the gain of one decoder row (or a vector's reading by the encoder), is multiplied by to give that of the latent as it
 * usually fires: its typical activation times the rows that one unit of it adds (`unitLengths`, 1 where not given); with rows of norm 1 times the length of its row too.
 */
export async function typicalOfScores(
  sae: Sae,
  typical: Float32Array,
  unitNorm: boolean,
  unitLengths?: Float32Array,
): Promise<Float32Array> {
  const norms = unitNorm ? await sae.decoderNorms() : undefined;
  return typical.map((x, j) => x * (unitLengths?.[j] ?? 1) * (norms?.[j] ?? 1));
}

/** Scores [m], the same times typical activation, and the ids that can be ranked: a sparse vector's zeros rank nothing. */
function scoresOf({ scores, z }: FoundVector, typical: Float32Array | undefined) {
  if (scores === null) throw new RangeError("a vector without scores cannot be read: give the method the SAE");
  if (z === null)
    return { scores, timesTypical: typical ? scores.map((x, j) => x * typical[j]!) : null, among: undefined };
  return { scores, timesTypical: dense(z.ids, z.values, scores.length).map(Math.abs), among: z.ids };
}

/** [m] from its non-zero values. */
function dense(ids: Int32Array, values: Float32Array, latents: number): Float32Array {
  const all = new Float32Array(latents);
  ids.forEach((id, i) => {
    all[id] = values[i]!;
  });
  return all;
}
