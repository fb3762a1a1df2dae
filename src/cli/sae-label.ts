/** `sae label`: what latents fire on, as a label file. */
import { join } from "node:path";
import { InputError } from "../formats/input-error.js";
import type { Conversation } from "../formats/prompts.js";
import { Firings } from "../sae/firings.js";
import { labelLatents } from "../sae/labelling.js";
import { type Label, writeLabels } from "../sae/labels.js";
import { readMaxima } from "../sae/readings.js";
import type { Sae } from "../sae/sae.js";
import { latentUnits } from "../sae/units.js";
import { writeFileAtomic } from "../store/atomic-write.js";
import type { Io } from "./io.js";
import { chooseLayer } from "./layer.js";
import { type OpenedModel, openModel } from "./open-model.js";
import { requireSae } from "./open-sae.js";
import type { ModelFlags, PromptFlags, SaeFlags } from "./options.js";
import { isFolder } from "./package-files.js";
import { CORPUS_SET, loadPromptsOr, renderAll } from "./prompts.js";
import { usedSettings, usedText } from "./used.js";

const LABELS_FILE = "labels.jsonl";
/** How the labels were made, as Neuronpedia's files call it. */
const LABEL_TYPE = "selective words";

export interface LabelFlags extends ModelFlags, PromptFlags, SaeFlags {
  readonly out?: string;
}

export async function runLabel(io: Io, flags: LabelFlags): Promise<void> {
  const model = await openModel(flags, flags);
  const { sae, name } = await requireSae(model, flags.sae, "sae label");
  const layer = chooseLayer(flags.layer, sae.info, model.engine.model);
  if (flags.out === undefined && !isFolder(name))
    throw new InputError(`${name}: give --out, the file that the labels are written to`);
  const out = flags.out ?? join(name, LABELS_FILE);
  const { text, labelled } = await labelText(
    io,
    model,
    sae,
    layer,
    await loadPromptsOr(flags.prompts, CORPUS_SET, model),
    flags,
  );
  await writeFileAtomic(out, text);
  const used = usedSettings(
    model,
    { ...flags, date: null },
    { sae: name, layer, prompts: flags.prompts ?? CORPUS_SET },
  );
  io.result(
    flags.json,
    () => ({ file: out, labelled, latents: sae.info.latents, used }),
    () =>
      `${out}: ${labelled} of ${sae.info.latents} latents have a label; the others never fired\n\n${usedText(used)}`,
  );
}

/** A label file's text for every latent that fires on `conversations`, and how many those are. */
async function labelText(
  io: Io,
  model: OpenedModel,
  sae: Sae,
  layer: number,
  conversations: readonly Conversation[],
  flags: PromptFlags,
): Promise<{ text: string; labelled: number }> {
  const { sequences, rendered } = renderAll(model, conversations, flags);
  const maxima = await readMaxima(model.engine, sae, sequences, layer, {
    onProgress: io.progress("reading prompts"),
    signal: io.signal,
  });
  const firings = new Firings(maxima, sae.info.latents);
  const texts = rendered.map(({ text }) => ({ text, spans: model.tokenizer.encodeWithOffsets(text).spans }));
  const masks = sequences.map(({ mask }) => mask);
  const labels = new Map<number, Label[]>();
  labelLatents(firings, latentUnits(firings), texts, masks).forEach(({ text }, id) => {
    if (text !== "") labels.set(id, [{ description: text, typeName: LABEL_TYPE }]);
  });
  return {
    text: writeLabels(labels, { modelId: model.name, layer: `${layer}-${sae.info.name}` }),
    labelled: labels.size,
  };
}
