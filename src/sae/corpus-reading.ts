/**
 * An ordinary corpus as an SAE reads it: where each latent fires, and the texts to show it in. What contexts, top tokens,
 * firing rates and units are read off.
 */
import type { CallOptions, Engine } from "../engine/engine.js";
import type { Sequence } from "../model/sequence.js";
import type { PromptText } from "./contexts.js";
import { Firings } from "./firings.js";
import { readMaxima } from "./readings.js";
import type { Sae } from "./sae.js";
import { type LatentUnits, latentUnits } from "./units.js";

export interface CorpusReading {
  /** Per-prompt maxima of every latent. */
  readonly firings: Firings;
  readonly units: LatentUnits;
  /** Tokens at which each latent fires [m], of `read` tokens; null where only the maxima were kept. */
  readonly tokens: { readonly firing: Int32Array; readonly read: number } | null;
  /** Text of a prompt with the place of its tokens. Asked only for prompts that are shown. */
  readonly text: (prompt: number) => PromptText;
  /** Id of a token of a prompt. */
  readonly tokenId: (prompt: number, token: number) => number;
}

/** Reads the masked tokens of `sequences`; `text` gives the text of each. */
export async function readCorpus(
  engine: Engine,
  sae: Sae,
  sequences: readonly Sequence[],
  text: (prompt: number) => PromptText,
  layer: number,
  options: CallOptions = {},
): Promise<CorpusReading> {
  const firing = new Int32Array(sae.info.latents);
  let read = 0;
  const maxima = await readMaxima(engine, sae, sequences, layer, {
    ...options,
    onLatents: ({ ids, rowStart }) => {
      for (const id of ids) firing[id] = firing[id]! + 1;
      read += rowStart.length - 1;
    },
  });
  const firings = new Firings(maxima, sae.info.latents);
  return {
    firings,
    units: latentUnits(firings),
    tokens: { firing, read },
    text,
    tokenId: (prompt, token) => sequences[prompt]!.prompt[token]!,
  };
}
