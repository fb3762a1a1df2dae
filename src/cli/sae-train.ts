/** Trains an SAE on a model's activations into an SAELens folder; and labels one from what its latents fire on. */
import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../formats/input-error.js";
import { memorySource } from "../formats/memory-source.js";
import type { Conversation } from "../formats/prompts.js";
import { openDenseSae } from "../sae/dense-sae.js";
import { Firings } from "../sae/firings.js";
import { labelLatents } from "../sae/labelling.js";
import { type Label, writeLabels } from "../sae/labels.js";
import { writeSaeLens } from "../sae/loaders/saelens.js";
import { type ModelQuality, modelQuality } from "../sae/model-quality.js";
import type { SaeQuality } from "../sae/quality.js";
import { readMaxima, readRows } from "../sae/readings.js";
import type { Sae } from "../sae/sae.js";
import { SAE_TRAINING_DEFAULTS, type SaeTrainingOptions, trainSae } from "../sae/training.js";
import { readTrainingState, writeTrainingState } from "../sae/training-state.js";
import { latentUnits } from "../sae/units.js";
import type { SaeWeights } from "../sae/weights.js";
import { writeFileAtomic } from "../store/atomic-write.js";
import { keepOut } from "./held-out.js";
import type { Io } from "./io.js";
import type { OpenedModel } from "./open-model.js";
import type { PromptFlags } from "./options.js";
import { renderAll } from "./prompts.js";

/** Unfinished training in the SAE's folder; gone when it is done. */
const CHECKPOINT_FILE = "training.safetensors";
export const LABELS_FILE = "labels.jsonl";
/** How the labels were made, as Neuronpedia's files call it. */
const LABEL_TYPE = "selective words";

export interface SaeTraining {
  readonly layer: number;
  readonly out: string;
  readonly options: SaeTrainingOptions;
  /** Most activation rows to train on. */
  readonly rows: number;
  /** Different prompts kept out; a small share where undefined. */
  readonly heldOut: number | undefined;
}

export interface SaeTrainingQuality {
  /** On rows that it was trained on. */
  readonly quality: SaeQuality;
  /** On prompts that it was not; null where there are none. */
  readonly heldOut: (ModelQuality & { readonly prompts: number }) | null;
}

/** Trains on the masked tokens of `conversations`; a training that was interrupted goes on from `out`. */
export async function trainSaeFolder(
  io: Io,
  model: OpenedModel,
  conversations: readonly Conversation[],
  flags: PromptFlags,
  training: SaeTraining,
): Promise<SaeTrainingQuality> {
  const { layer, out, options, rows: limit } = training;
  const kept = keepOut(conversations, training.heldOut, options.seed ?? SAE_TRAINING_DEFAULTS.seed);
  const { sequences } = renderAll(model, kept.trained, flags);
  const { engine } = model;
  const { dModel } = engine.model;
  const rows = await readRows(engine, sequences, layer, {
    limit,
    onProgress: io.progress("reading prompts"),
    signal: io.signal,
  });
  const stamp = createHash("sha256")
    .update(JSON.stringify([model.fingerprint, layer, options, rows.length]))
    .update(rows)
    .digest("hex");
  const checkpoint = join(out, CHECKPOINT_FILE);
  const saved = await savedState(checkpoint, stamp, dModel, options.latents ?? SAE_TRAINING_DEFAULTS.latents);
  const report = io.progress("training steps");
  const { weights, quality } = await trainSae({
    rows,
    dModel,
    runtime: model.runtime,
    describe: { name: out, layer },
    options,
    ...(saved ? { resume: saved } : {}),
    signal: io.signal,
    onStep: ({ step }, total) => report(step, total),
    onCheckpoint: async (state) => {
      await writeFileAtomic(checkpoint, writeTrainingState(state));
      await writeFileAtomic(`${checkpoint}.stamp`, stamp);
    },
  });
  if (!Number.isFinite(quality.explainedVariance)) {
    await removeCheckpoint(checkpoint);
    throw new InputError(`the training at learning rate ${options.learningRate} left the range of numbers; lower --lr`);
  }
  const heldOut = await heldOutQuality(io, model, weights, kept.heldOut, flags);
  const metadata = { modelName: model.name, hook: `blocks.${layer}.hook_resid_post`, extra: { quality, heldOut } };
  for (const { name, bytes } of writeSaeLens(weights, metadata)) await writeFileAtomic(join(out, name), bytes);
  await removeCheckpoint(checkpoint);
  return { quality, heldOut };
}

async function heldOutQuality(
  io: Io,
  model: OpenedModel,
  weights: SaeWeights<Float32Array>,
  conversations: readonly Conversation[],
  flags: PromptFlags,
): Promise<SaeTrainingQuality["heldOut"]> {
  const { sequences } = renderAll(model, conversations, flags);
  if (!sequences.some(({ mask }) => mask.includes(1))) return null;
  // Opening takes the matrices away; they are still to be written.
  const copy = { ...weights, encoder: weights.encoder.slice(), decoder: weights.decoder.slice() };
  const sae = await openDenseSae(copy, model.runtime);
  const measured = await modelQuality(model.engine, sae, sequences, weights.info.layer!, {
    onProgress: io.progress("measuring the SAE"),
    signal: io.signal,
  });
  await sae.close();
  return { prompts: sequences.length, ...measured };
}

async function removeCheckpoint(path: string): Promise<void> {
  for (const file of [path, `${path}.stamp`]) await rm(file, { force: true });
}

/** The checkpoint of this very training (model, rows and options), where there is one. */
async function savedState(path: string, stamp: string, dModel: number, latents: number) {
  try {
    if ((await readFile(`${path}.stamp`, "utf8")) !== stamp) return undefined;
    return await readTrainingState(memorySource(path, new Uint8Array(await readFile(path))), dModel, latents);
  } catch (error) {
    if (error instanceof InputError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A label file's text for every latent that fires on `conversations`, and how many those are. */
export async function labelText(
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
