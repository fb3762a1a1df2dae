/**
 * Every latent that an audit's answer names, with what it fires on in the search half, what it says, and its score by each
 * method beside the controls: what a reader needs to judge a part without trusting its label.
 */
import type { ControlColumn } from "../../methods/controls.js";
import { latentCards } from "../../sae/latent-card.js";
import { rankOf } from "../../sae/ranking.js";
import type { AuditContext } from "../ask/context.js";
import type { CorpusHalf } from "../prompts/corpus.js";
import { presentCard } from "./present-card.js";
import type { ResultHypothesis, ResultLatentCard, ResultMethod } from "./result.js";

/** One direction's scores, kept so that any latent can be asked for later. */
export interface DirectionScores {
  readonly method: string;
  /** Index of the direction among the method's. */
  readonly vector: number;
  /** [latents] */
  readonly scores: Float32Array;
  readonly controls: readonly ControlColumn[];
}

/** Cards of the latents in parts of hypotheses and in the methods' lists, ids ascending. */
export async function presentLatents(
  context: AuditContext,
  half: CorpusHalf,
  directions: readonly DirectionScores[],
  hypotheses: readonly ResultHypothesis[],
  methods: readonly ResultMethod[],
): Promise<ResultLatentCard[]> {
  const named = new Set([
    ...hypotheses.flatMap(({ parts }) => parts.flatMap(({ latents }) => latents)),
    ...methods.flatMap(({ vectors }) => vectors.flatMap(({ latents }) => latents.map(({ id }) => id))),
  ]);
  const ids = [...named].sort((a, b) => a - b);
  const { sae, label, lens } = context;
  const cards = await latentCards(ids, { sae, label, corpus: half.reading(), vocabulary: lens });
  return cards.map((card) => ({
    ...presentCard(card),
    scores: directions.map(({ method, vector, scores, controls }) => ({
      method,
      vector,
      score: scores[card.id]!,
      rank: scores[card.id] === 0 ? null : rankOf(scores, card.id),
      controls: Object.fromEntries(controls.map((control) => [control.name, control.of(card.id)])),
    })),
  }));
}
