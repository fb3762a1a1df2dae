/** `sae label`: what latents fire on, as a label file. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../formats/input-error.js";
import type { Conversation } from "../../formats/prompts.js";
import { type Context, topContexts } from "../../sae/contexts.js";
import { Firings } from "../../sae/firings.js";
import { labelLatents } from "../../sae/labelling.js";
import { type Label, writeLabels } from "../../sae/labels.js";
import { readMaxima } from "../../sae/readings.js";
import type { Sae } from "../../sae/sae.js";
import { latentUnits } from "../../sae/units.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { Journal } from "../../store/journal.js";
import { promptText } from "../latents/latent-corpus.js";
import { chooseLayer } from "../model/layer.js";
import { type OpenedModel, openModel } from "../model/open-model.js";
import { requireSae } from "../model/open-sae.js";
import { usedSettings, usedText } from "../model/used.js";
import { CORPUS_SET, loadPromptsOr, renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import type { ModelFlags, PromptFlags, SaeFlags } from "../terminal/options.js";
import {
  type LabelEndpointFlags,
  type LatentDescriber,
  openLatentDescriber,
  SHOWN_CONTEXTS,
} from "./latent-describer.js";

const LABELS_FILE = "labels.jsonl";
/** Beside it until it is written: what the endpoint has answered. */
const ANSWERS_SUFFIX = ".answers";
/** How labels were made, as Neuronpedia's files call it. */
const LABEL_TYPES = { words: "selective words", described: "described contexts" };

export interface LabelFlags extends ModelFlags, PromptFlags, SaeFlags, LabelEndpointFlags {
  readonly out?: string;
}

/** Writes labels: the words that make a latent fire, and before them, where an endpoint is named, what that says of its contexts. */
export async function runLabel(io: Io, flags: LabelFlags): Promise<void> {
  const describer = openLatentDescriber(flags);
  const model = await openModel(flags, flags);
  const { sae, name, ownFolder } = await requireSae(model, flags.sae, "sae label");
  const layer = chooseLayer(io, flags.layer, sae.info, model.engine.model);
  const out = flags.out ?? (ownFolder === undefined ? undefined : join(ownFolder, LABELS_FILE));
  if (out === undefined)
    throw new InputError(`--sae ${name}: is no folder of yours; give --out, the file that the labels are written to`);
  const { labels, firings, textOf, date } = await wordLabels(
    io,
    model,
    sae,
    layer,
    await loadPromptsOr(flags.prompts, CORPUS_SET, model),
    flags,
  );
  let described = 0;
  if (describer) {
    const contexts = new Map([...labels.keys()].map((id) => [id, topContexts(firings, id, textOf, SHOWN_CONTEXTS)]));
    for (const [id, description] of await descriptions(io, describer, contexts, `${out}${ANSWERS_SUFFIX}`)) {
      const { labelModel } = flags;
      const label = { description, typeName: LABEL_TYPES.described, explanationModelName: labelModel! };
      labels.set(id, [label, ...labels.get(id)!]);
      described += 1;
    }
  }
  await writeFileAtomic(out, writeLabels(labels, { modelId: model.name, layer: `${layer}-${sae.info.name}` }));
  await rm(`${out}${ANSWERS_SUFFIX}`, { force: true });
  const used = usedSettings(
    model,
    { ...flags, date },
    { sae: name, layer, prompts: flags.prompts ?? CORPUS_SET, ...describer?.about },
  );
  const counts = describer ? { described, unusable: describer.unusable } : {};
  io.result(
    flags.json,
    () => ({ file: out, labelled: labels.size, ...counts, latents: sae.info.latents, used }),
    () =>
      [
        `${out}: ${labels.size} of ${sae.info.latents} latents have a label; the others never fired`,
        ...(describer ? [`${described} are described by ${flags.labelModel}, the others by words alone`] : []),
        `\n${usedText(used)}`,
      ].join("\n"),
  );
}

/** Answers are kept in `path` until the labels are written. */
async function descriptions(
  io: Io,
  describer: LatentDescriber,
  contexts: ReadonlyMap<number, readonly Context[]>,
  path: string,
): Promise<Map<number, string>> {
  const journal = await Journal.open(path);
  try {
    return await describer.describe(contexts, journal, {
      onProgress: io.progress("describing latents"),
      signal: io.signal,
    });
  } catch (error) {
    if (journal.size > 0) io.log(`${journal.size} answers are kept in ${path}; the same command goes on from them`);
    throw error;
  } finally {
    journal.close();
  }
}

/** The words that make each latent fire on `conversations`, where it does. */
async function wordLabels(
  io: Io,
  model: OpenedModel,
  sae: Sae,
  layer: number,
  conversations: readonly Conversation[],
  flags: PromptFlags,
) {
  const { sequences, rendered, date } = renderAll(model, conversations, flags);
  const maxima = await readMaxima(model.engine, sae, sequences, layer, {
    onProgress: io.progress("reading prompts"),
    signal: io.signal,
  });
  const firings = new Firings(maxima, sae.info.latents);
  const texts = rendered.map((prompt) => promptText(model.tokenizer, prompt));
  const masks = sequences.map(({ mask }) => mask);
  const labels = new Map<number, Label[]>();
  labelLatents(firings, latentUnits(firings), texts, masks).forEach(({ text }, id) => {
    if (text !== "") labels.set(id, [{ description: text, typeName: LABEL_TYPES.words }]);
  });
  return { labels, firings, date, textOf: (prompt: number) => texts[prompt]! };
}
