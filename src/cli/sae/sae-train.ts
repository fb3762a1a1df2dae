/** `sae train`: an SAE on a model's activations, into an SAELens folder. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { memorySource } from "../../formats/memory-source.js";
import type { Conversation } from "../../formats/prompts.js";
import { openDenseSae } from "../../sae/dense-sae.js";
import { MAX_CONFIG_BYTES } from "../../sae/loaders/config.js";
import { SAELENS_CONFIG, writeSaeLens } from "../../sae/loaders/saelens.js";
import { type ModelQuality, modelQuality } from "../../sae/model-quality.js";
import type { SaeQuality } from "../../sae/quality.js";
import { SAE_TRAINING_DEFAULTS, type SaeTrainingOptions, trainSae } from "../../sae/training.js";
import { readTrainingState, writeTrainingState } from "../../sae/training-state.js";
import type { SaeWeights } from "../../sae/weights.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { openFile } from "../../store/node-file-source.js";
import { requireNoOthers } from "../../store/own-folder.js";
import type { OpenedModel } from "../model/open-model.js";
import { renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import type { PromptFlags } from "../terminal/options.js";
import { keepOut } from "./held-out.js";
import { trainingRows } from "./sae-rows.js";

/** Unfinished training in the SAE's folder; gone when it is done. */
const CHECKPOINT_FILE = "training.safetensors";
const STAMP_FILE = `${CHECKPOINT_FILE}.stamp`;
/** What an SAE's metadata calls the digest of model, rows and options that it was trained with. */
const STAMP = "antecedent_training";

export interface SaeTraining {
  readonly layer: number;
  readonly out: string;
  readonly options: SaeTrainingOptions;
  /** Most activation rows to train on, and to hold at once; see `trainingRows`. */
  readonly rows: number;
  readonly buffer: number | undefined;
  /** Passes over the rows, in place of `options.steps`. */
  readonly passes: number | undefined;
  /** Different prompts kept out; a small share where undefined. */
  readonly heldOut: number | undefined;
}

export interface SaeTrainingQuality {
  /** On rows that it was trained on. */
  readonly quality: SaeQuality;
  /** On prompts that it was not; null where there are none. */
  readonly heldOut: (ModelQuality & { readonly prompts: number }) | null;
}

export interface SaeTrainingDone extends SaeTrainingQuality {
  readonly steps: number;
  /** Different rows that it was trained on. */
  readonly rows: number;
  /** Of those held at once; null where all were. */
  readonly buffer: number | null;
  /** The date that the template was told, where it prints one. */
  readonly date: string | null;
}

/** Trains on the masked tokens of `conversations`; a training that was interrupted goes on from `out`. */
export async function trainSaeFolder(
  io: Io,
  model: OpenedModel,
  conversations: readonly Conversation[],
  flags: PromptFlags,
  training: SaeTraining,
): Promise<SaeTrainingDone> {
  const { layer, out, rows: limit, passes } = training;
  const { seed = SAE_TRAINING_DEFAULTS.seed, batch = SAE_TRAINING_DEFAULTS.batch } = training.options;
  const kept = keepOut(conversations, training.heldOut, seed);
  const { sequences, date } = renderAll(model, kept.trained, flags);
  const { dModel } = model.engine.model;
  const rows = await trainingRows(io, model, sequences, { layer, limit, buffer: training.buffer, seed });
  const steps =
    passes === undefined
      ? (training.options.steps ?? SAE_TRAINING_DEFAULTS.steps)
      : Math.max(1, Math.round((passes * rows.source.count) / batch));
  const options = { ...training.options, steps };
  const stamp = createHash("sha256")
    .update(JSON.stringify([model.fingerprint, layer, options, rows.stamp]))
    .digest("hex");
  await requireOwnSae(out, stamp);
  const checkpoint = join(out, CHECKPOINT_FILE);
  const saved = await savedState(checkpoint, stamp, dModel, options.latents ?? SAE_TRAINING_DEFAULTS.latents);
  const report = io.progress("training steps");
  const { weights, quality } = await trainSae({
    rows: rows.source,
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
  const metadata = {
    modelName: model.name,
    hook: `blocks.${layer}.hook_resid_post`,
    extra: { quality, heldOut, [STAMP]: stamp },
  };
  for (const { name, bytes } of writeSaeLens(weights, metadata)) await writeFileAtomic(join(out, name), bytes);
  await removeCheckpoint(checkpoint);
  return { quality, heldOut, steps, rows: rows.source.count, buffer: rows.buffer, date };
}

/**
 * InputError where `out` holds an SAE that was not trained so, or something else; without a `stamp`, which takes the rows to know, where
 * that can be told already.
 */
export async function requireOwnSae(out: string, stamp?: string): Promise<void> {
  const config = join(out, SAELENS_CONFIG);
  if (!existsSync(config)) return requireNoOthers(out, [CHECKPOINT_FILE, STAMP_FILE]);
  const known = (await readJson(await openFile(config), MAX_CONFIG_BYTES)) as { metadata?: Record<string, unknown> };
  const trained = known?.metadata?.[STAMP];
  const other =
    typeof trained !== "string"
      ? "that does not say how it was trained"
      : stamp !== undefined && trained !== stamp
        ? "that was trained on another model, other activations or with other options"
        : undefined;
  if (other !== undefined) throw new InputError(`${out}: holds an SAE ${other}; choose another --out, or delete it`);
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
