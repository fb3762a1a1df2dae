/**
 * What a direction says when it reaches the end of the model: the "logit lens" of SAE dashboards.
 *
 *   effect(d) = W_U (w ⊙ d) − its mean over the vocabulary          w: weight of the final norm, folded in
 *
 * The norm itself divides by rms(h), one positive number a token, which no direction alone decides: it is left out, so values are
 * logits per unit of the direction at rms 1, and only their order and their proportions mean something. The mean
 * shifts all logits alike, which softmax does not see. Blocks between the SAE and the end are passed over: a latent may
 * do all its work there, and then has no clear effect here.
 */
import type { Unembedding } from "../engine/engine.js";
import { stackRows } from "./direction-reading.js";
import { largest } from "./ranking.js";

/** A token whose logit a direction moves. */
export interface TokenEffect {
  readonly token: number;
  /** As the tokenizer writes it, with its space in front. */
  readonly text: string;
  readonly value: number;
}

export interface LogitEffect {
  /** Most raised first. */
  readonly raised: readonly TokenEffect[];
  /** Most lowered first. */
  readonly lowered: readonly TokenEffect[];
}

/** The model's way to the vocabulary, and the text of its tokens. */
export interface Vocabulary {
  readonly unembedding: Unembedding;
  /** Undefined for ids that are no token: embedding matrices are padded. */
  readonly tokenText: (id: number) => string | undefined;
}

/** Logits held at once: 64 MiB of f32, 130 directions at a vocabulary of 128,256. */
const LOGITS_AT_ONCE = 2 ** 24;

/** The `count` tokens that each direction raises and lowers most. */
export async function logitEffects(
  directions: readonly Float32Array[],
  { unembedding, tokenText }: Vocabulary,
  count: number,
): Promise<LogitEffect[]> {
  const { vocabulary } = unembedding.model;
  const texts = Array.from({ length: vocabulary }, (_, id) => tokenText(id));
  const tokens = Int32Array.from(texts.keys()).filter((id) => texts[id] !== undefined);
  const atOnce = Math.max(1, Math.floor(LOGITS_AT_ONCE / vocabulary));
  const effects: LogitEffect[] = [];
  for (let from = 0; from < directions.length; from += atOnce) {
    const some = directions.slice(from, from + atOnce);
    const logits = await unembedding.logitLens(stackRows(some));
    for (let i = 0; i < some.length; i++) {
      const effect = logits.subarray(i * vocabulary, (i + 1) * vocabulary);
      let mean = 0;
      for (const id of tokens) mean += effect[id]! / tokens.length;
      const present = (id: number): TokenEffect => ({ token: id, text: texts[id]!, value: effect[id]! - mean });
      const raised = largest(effect, count, tokens).map(present);
      const lowered = largest(
        effect.map((x) => -x),
        count,
        tokens,
      ).map(present);
      // With few tokens, what is listed last may stand on the other side of the mean.
      effects.push({
        raised: raised.filter(({ value }) => value > 0),
        lowered: lowered.filter(({ value }) => value < 0),
      });
    }
  }
  return effects;
}
