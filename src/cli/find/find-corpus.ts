/** The corpus on which `find` reads latents: their typical activation, what they fire on, and which are dead. */
import type { CorpusReading } from "../../sae/corpus-reading.js";
import { readLatentCorpus } from "../latents/latent-corpus.js";
import type { OpenedSae } from "../model/open-sae.js";
import { CORPUS_SET, loadPrompts, renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import type { FindFlags, FindSetup } from "./find-setup.js";

export interface FindCorpus {
  /** Name of the corpus; null for none. */
  readonly name: string | null;
  /** What latents do on it; undefined without a corpus or an SAE. */
  readonly reading: CorpusReading | undefined;
  /** Typical activations [m], from the corpus or, for methods with coordinates, the training prompts. */
  readonly typical: Float32Array | undefined;
  /** Where the units of the method's coordinates come from, for methods that have any. */
  readonly unitsFrom: string | undefined;
}

/** Reads --corpus (for the pocket model its own), else the training prompts where the method has coordinates. */
export async function readFindCorpus(
  io: Io,
  { method, model, training }: Pick<FindSetup, "method" | "model" | "training">,
  opened: OpenedSae | undefined,
  layer: number,
  flags: FindFlags,
): Promise<FindCorpus> {
  const name = flags.corpus ?? (model.isPocket ? CORPUS_SET : null);
  // Raw units need a typical activation too: the learning rate is a share of it.
  const measures = opened !== undefined && method.options.includes("units");
  const corpus = name === null ? undefined : await loadPrompts(name);
  const prompts = corpus ?? (measures ? training.conversations : undefined);
  // What people write, wherever the vector is added: at the template's own tokens other latents fire on every prompt.
  const render = { ...flags, positions: "user" } as const;
  const reading =
    opened && prompts && (await readLatentCorpus(io, model, opened.sae, renderAll(model, prompts, render), layer));
  return {
    name,
    reading: corpus && reading,
    typical: reading?.units.typical,
    unitsFrom: measures && flags.units !== "raw" ? (name ?? "the prompts optimised over") : undefined,
  };
}
