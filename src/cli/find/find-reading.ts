/** Found vectors read as latents, beside the controls. */
import type { Control } from "../../methods/controls.js";
import type { MethodResult } from "../../methods/method.js";
import { readVectors, type VectorReading } from "../../methods/vector-reading.js";
import { CARD_SIZES } from "../../sae/latent-card.js";
import { readRows } from "../../sae/readings.js";
import { openCleanModel } from "../model/open-model.js";
import type { OpenedSae } from "../model/open-sae.js";
import type { Io } from "../terminal/io.js";
import { runControls } from "./find-controls.js";
import type { FindCorpus } from "./find-corpus.js";
import { prepareObjective, runMethod, type Search, takesOneGradient } from "./find-search.js";
import type { FindFlags, FindSetup } from "./find-setup.js";

export interface FindReadings {
  /** In the order of the vectors; empty without an SAE. */
  readonly readings: readonly VectorReading[];
  readonly controls: readonly Control[];
}

/** Without an SAE there is nothing to read, and nothing that a control would score. */
export async function readFound(
  io: Io,
  setup: FindSetup,
  opened: OpenedSae | undefined,
  search: Search,
  corpus: FindCorpus,
  { vectors }: MethodResult,
  flags: FindFlags,
): Promise<FindReadings> {
  if (opened === undefined) return { readings: [], controls: [] };
  const { model, method, training } = setup;
  const gradients = takesOneGradient(method);
  const controls = flags.controls
    ? await runControls({
        ...setup,
        sae: opened.sae,
        clean: (setup.base ?? (await openCleanModel(model, undefined)))?.engine ?? null,
        vectors,
        gradients,
        seed: flags.seed,
        search: async (engine, name, action) => {
          const towards = action ? { ...search, action } : search;
          const objective = await prepareObjective(io, engine, training.sequences, towards);
          return runMethod(io, engine, training.sequences, objective, towards, `${method.name}, ${name}`);
        },
      })
    : [];
  const readings = await readVectors({
    sae: opened.sae,
    label: opened.label,
    corpus: corpus.reading,
    vocabulary: { unembedding: model.engine, tokenText: (id) => model.tokenizer.tokenText(id) },
    vectors,
    gradients,
    unitNorm: search.options.unitNorm ?? false,
    unitLengths: await opened.sae.unitLengths(() =>
      readRows(model.engine, training.sequences, search.layer, { signal: io.signal }),
    ),
    controls,
    top: flags.top,
    sizes: { ...CARD_SIZES, contexts: flags.contexts },
  });
  return { readings, controls };
}
