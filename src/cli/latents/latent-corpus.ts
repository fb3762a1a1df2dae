/** An ordinary corpus as an SAE reads it, with the user content of its prompts to show. */
import type { PromptText } from "../../sae/contexts.js";
import { type CorpusReading, readCorpus } from "../../sae/corpus-reading.js";
import type { Sae } from "../../sae/sae.js";
import type { OpenedModel } from "../model/open-model.js";
import type { RenderedPrompts } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";

/** Prompts read: percentiles of latents that matter are stable well before this. */
const CORPUS_PROMPTS = 2000;

/** A prompt with what is to be seen of it: from its first masked token to its last. */
export function promptText(
  tokenizer: OpenedModel["tokenizer"],
  { text, mask }: RenderedPrompts["rendered"][number],
): PromptText {
  const { spans } = tokenizer.encodeWithOffsets(text);
  return { text, spans, shown: [spans[mask.indexOf(1)]?.[0] ?? 0, spans[mask.lastIndexOf(1)]?.[1] ?? text.length] };
}

/** Reads the first `CORPUS_PROMPTS` of the prompts. */
export async function readLatentCorpus(
  io: Io,
  { engine, tokenizer }: OpenedModel,
  sae: Sae,
  { sequences, rendered }: RenderedPrompts,
  layer: number,
): Promise<CorpusReading> {
  const text = (prompt: number) => promptText(tokenizer, rendered[prompt]!);
  return readCorpus(engine, sae, sequences.slice(0, CORPUS_PROMPTS), text, layer, {
    onProgress: io.progress("measuring latents"),
    signal: io.signal,
  });
}
