/** The flags of `sae train`, and what it prints. */
import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import { InputError } from "../../formats/input-error.js";
import { JUMP_RELU_DEFAULTS } from "../../sae/jump-relu.js";
import { SAE_ARCHITECTURES, SAE_TRAINING_DEFAULTS, type SaeArchitecture } from "../../sae/training.js";
import { checkLayer } from "../model/layer.js";
import { openModel } from "../model/open-model.js";
import { usedSettings, usedText } from "../model/used.js";
import { CORPUS_SET, loadPromptsOr } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import {
  type ModelFlags,
  modelOptions,
  nonNegativeNumber,
  outputPath,
  type PromptFlags,
  positiveNumber,
  promptOptions,
  required,
  wholeNumber,
} from "../terminal/options.js";
import { isFolder } from "../terminal/package-files.js";
import { qualityText } from "./sae-quality.js";
import { requireOwnSae, trainSaeFolder } from "./sae-train.js";

/** Activation rows of training: what the pocket SAE has, and 120 MiB at a width of 128. */
const DEFAULT_ROWS = 236_000;

export interface TrainFlags extends ModelFlags, PromptFlags {
  readonly layer?: number;
  readonly out?: string;
  readonly architecture: SaeArchitecture;
  readonly latents: number;
  readonly k: number;
  readonly steps: number;
  readonly passes?: number;
  readonly batch: number;
  readonly lr: number;
  readonly sparsityWeight?: number;
  readonly bandwidth?: number;
  readonly rows: number;
  readonly buffer?: number;
  readonly heldOut?: number;
}

export function trainOptions(command: Command): Command {
  const { latents, k, steps, batch, learningRate } = SAE_TRAINING_DEFAULTS;
  const { weight, bandwidth } = JUMP_RELU_DEFAULTS;
  const train = command
    .description("train an SAE on a model's activations and write it as SAELens does")
    .option("--layer <n>", "residual stream after this block, from 0", wholeNumber(0))
    .option("--out <folder>", "where the SAE goes; an interrupted training goes on there", outputPath)
    .addOption(
      new Option("--architecture <name>", "one threshold for all latents, or one learned for each")
        .choices(SAE_ARCHITECTURES)
        .default(SAE_ARCHITECTURES[0]),
    )
    .option("--latents <n>", "width", wholeNumber(1), latents)
    .option("--k <n>", "mean number of active latents a token", wholeNumber(1), k)
    .option("--steps <n>", "training steps", wholeNumber(1), steps)
    .addOption(
      new Option("--passes <x>", "passes over the tokens, in place of --steps")
        .argParser(positiveNumber)
        .conflicts("steps"),
    )
    .option("--batch <n>", "tokens a step", wholeNumber(1), batch)
    .option("--lr <x>", "learning rate", positiveNumber, learningRate)
    .option(
      "--sparsity-weight <x>",
      `of jumprelu: weight of the penalty for not being --k sparse (default: ${weight})`,
      nonNegativeNumber,
    )
    .option(
      "--bandwidth <x>",
      `of jumprelu: width of the kernel around thresholds (default: ${bandwidth})`,
      positiveNumber,
    )
    .option("--rows <n>", "most tokens to train on", wholeNumber(1), DEFAULT_ROWS)
    .option(
      "--buffer <n>",
      "activations held at once, of more tokens they are computed as training goes; default: 1 GiB of them",
      wholeNumber(1),
    )
    .option(
      "--held-out <n>",
      "different prompts kept out of training, to measure the SAE on; default: a tenth, at most 200",
      wholeNumber(0),
    );
  return promptOptions(modelOptions(train));
}

export async function runTrain(io: Io, flags: TrainFlags): Promise<void> {
  const { architecture, latents, k, batch, lr, seed } = flags;
  const layer = required(flags.layer, "--layer", "the block after which the SAE is to read");
  const out = required(flags.out, "--out", "the folder that the SAE goes to");
  if (k > latents)
    throw new InputError(`--k ${k}: more latents cannot be active than there are (--latents ${latents})`);
  if (existsSync(out) && !isFolder(out)) throw new InputError(`--out ${out}: is a file; give a folder`);
  await requireOwnSae(out);
  const jumpRelu = jumpReluSettings(flags);
  const model = await openModel(flags, flags);
  checkLayer(layer, model.engine.model, "--layer");
  const conversations = await loadPromptsOr(flags.prompts, CORPUS_SET, model);
  const settings = { architecture, latents, k, batch, learningRate: lr, seed };
  const { quality, heldOut, steps, rows, buffer, date } = await trainSaeFolder(io, model, conversations, flags, {
    layer,
    out,
    options: { ...settings, steps: flags.steps, ...(jumpRelu ? { jumpRelu } : {}) },
    rows: flags.rows,
    buffer: flags.buffer,
    passes: flags.passes,
    heldOut: flags.heldOut,
  });
  const used = usedSettings(
    model,
    { ...flags, date },
    { layer, prompts: flags.prompts ?? CORPUS_SET, ...settings, ...jumpRelu, steps, rows, buffer },
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

/** Undefined for architectures that have none. */
function jumpReluSettings({ architecture, sparsityWeight, bandwidth }: TrainFlags) {
  if (architecture === "jumprelu")
    return {
      weight: sparsityWeight ?? JUMP_RELU_DEFAULTS.weight,
      bandwidth: bandwidth ?? JUMP_RELU_DEFAULTS.bandwidth,
    };
  const given =
    sparsityWeight !== undefined ? "--sparsity-weight" : bandwidth !== undefined ? "--bandwidth" : undefined;
  if (given !== undefined) throw new InputError(`${given}: belongs to --architecture jumprelu; leave it out`);
  return undefined;
}
