/** `sae`: train one on a model's activations, label it, look at its latents, and say what an SAE folder holds. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { CARD_SIZES } from "../../sae/latent-card.js";
import { describeSae } from "../../sae/registry.js";
import { SAE_TRAINING_DEFAULTS } from "../../sae/training.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { fetchNamed } from "../hub.js";
import type { Io } from "../io.js";
import { checkLayer, chooseLayer } from "../layer.js";
import { openModel } from "../open-model.js";
import { openSaeFolder, requireSae } from "../open-sae.js";
import {
  jsonOption,
  labelledSaeOptions,
  type ModelFlags,
  modelOptions,
  type OutputFlags,
  outputPath,
  type PromptFlags,
  positiveNumber,
  promptOptions,
  required,
  type SaeFlags,
  saeOptions,
  wholeNumber,
  wholeNumbers,
} from "../options.js";
import { isFolder } from "../package-files.js";
import { CORPUS_SET, loadPromptsOr } from "../prompts.js";
import { type LatentsFlags, showLatents } from "../sae-latents.js";
import { type QualityFlags, qualityText, showQuality } from "../sae-quality.js";
import { LABELS_FILE, labelText, trainSaeFolder } from "../sae-train.js";
import { usedSettings, usedText } from "../used.js";

/** Activation rows of training: what the pocket SAE has, and 120 MiB at a width of 128. */
const DEFAULT_ROWS = 236_000;

interface TrainFlags extends ModelFlags, PromptFlags {
  readonly layer?: number;
  readonly out?: string;
  readonly latents: number;
  readonly k: number;
  readonly steps: number;
  readonly batch: number;
  readonly lr: number;
  readonly rows: number;
  readonly heldOut?: number;
}

interface LabelFlags extends ModelFlags, PromptFlags, SaeFlags {
  readonly out?: string;
}

export function saeCommand(io: Io): Command {
  const sae = new Command("sae").description("sparse autoencoders: train, measure, label, look at latents, describe");
  const { latents, k, steps, batch, learningRate } = SAE_TRAINING_DEFAULTS;
  const train = new Command("train")
    .description("train an SAE on a model's activations and write it as SAELens does")
    .option("--layer <n>", "residual stream after this block, from 0", wholeNumber(0))
    .option("--out <folder>", "where the SAE goes; an interrupted training goes on there", outputPath)
    .option("--latents <n>", "width", wholeNumber(1), latents)
    .option("--k <n>", "mean number of active latents a token", wholeNumber(1), k)
    .option("--steps <n>", "training steps", wholeNumber(1), steps)
    .option("--batch <n>", "tokens a step", wholeNumber(1), batch)
    .option("--lr <x>", "learning rate", positiveNumber, learningRate)
    .option("--rows <n>", "most tokens to train on", wholeNumber(1), DEFAULT_ROWS)
    .option(
      "--held-out <n>",
      "different prompts kept out of training, to measure the SAE on; default: a tenth, at most 200",
      wholeNumber(0),
    );
  const label = new Command("label")
    .description("label latents by the words that make them fire")
    .option("--out <file>", "label file; default: labels.jsonl in the SAE's folder", outputPath);
  sae.addCommand(promptOptions(modelOptions(train)).action((flags: TrainFlags) => runTrain(io, flags)));
  sae.addCommand(saeOptions(promptOptions(modelOptions(label))).action((flags: LabelFlags) => runLabel(io, flags)));
  const quality = new Command("quality").description(
    "how well an SAE keeps what the model computes with: explained variance, sparsity, loss recovered",
  );
  sae.addCommand(
    saeOptions(promptOptions(modelOptions(quality))).action((flags: QualityFlags) => showQuality(io, flags)),
  );
  const latentsOf = new Command("latents")
    .description("single latents: label, contexts, tokens, logit effect, firing rate, nearest latents")
    .option("--ids <numbers>", "which, separated by commas", wholeNumbers)
    .option("--search <text>", "those whose labels hold the words, or words that begin so; best first")
    .option("--contexts <n>", "contexts shown for each", wholeNumber(0), CARD_SIZES.contexts);
  sae.addCommand(
    labelledSaeOptions(promptOptions(modelOptions(latentsOf))).action((flags: LatentsFlags) => showLatents(io, flags)),
  );
  sae.addCommand(
    jsonOption(
      new Command("info").description("what an SAE holds").argument("<sae>", "folder or file, or `pocket`"),
    ).action((name: string, flags: OutputFlags) => runInfo(io, name, flags)),
  );
  return sae;
}

async function runTrain(io: Io, flags: TrainFlags): Promise<void> {
  const { rows, latents, k, steps, batch, lr, seed } = flags;
  const layer = required(flags.layer, "--layer", "the block after which the SAE is to read");
  const out = required(flags.out, "--out", "the folder that the SAE goes to");
  if (k > latents)
    throw new InputError(`--k ${k}: more latents cannot be active than there are (--latents ${latents})`);
  if (existsSync(out) && !isFolder(out)) throw new InputError(`--out ${out}: is a file; give a folder`);
  const model = await openModel(flags, flags);
  checkLayer(layer, model.engine.model, "--layer");
  const conversations = await loadPromptsOr(flags.prompts, CORPUS_SET, model);
  const options = { latents, k, steps, batch, learningRate: lr, seed };
  const training = { layer, out, options, rows, heldOut: flags.heldOut };
  const { quality, heldOut } = await trainSaeFolder(io, model, conversations, flags, training);
  const used = usedSettings(
    model,
    { ...flags, date: null },
    { layer, prompts: flags.prompts ?? CORPUS_SET, ...options },
  );
  io.result(
    flags.json,
    () => ({ folder: out, quality, heldOut, used }),
    () =>
      [
        `${out}: ${latents} latents, explained variance ${quality.explainedVariance.toFixed(3)}, ${quality.l0.toFixed(1)} active a token, ${quality.dead} dead`,
        heldOut ? `held out, ${heldOut.prompts} prompts, ${qualityText(heldOut)}` : "no prompts were held out",
        `\n${usedText(used)}`,
      ].join("\n"),
  );
}

async function runLabel(io: Io, flags: LabelFlags): Promise<void> {
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

async function runInfo(io: Io, name: string, flags: OutputFlags): Promise<void> {
  await fetchNamed(io, { sae: name });
  const { format, architecture, dModel, latents, layer, hook, notes } = await describeSae(
    await openSaeFolder(name),
    name,
  );
  const info = {
    format,
    architecture,
    dModel,
    latents,
    layer: layer ?? null,
    hook: hook ?? null,
    notes: notes?.join("; ") ?? null,
  };
  io.result(
    flags.json,
    () => info,
    () =>
      Object.entries(info)
        .map(([key, value]) => `${key.padEnd(12)} ${value ?? (key === "notes" ? "none" : "not said")}`)
        .join("\n"),
  );
}
