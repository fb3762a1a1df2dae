/** `sae`: train one on a model's activations, measure and label it, look at its latents, and say what an SAE folder holds. */
import { Command } from "commander";
import { CARD_SIZES } from "../../sae/latent-card.js";
import { describeSae } from "../../sae/registry.js";
import { fetchNamed } from "../model/hub.js";
import { openSaeFolder } from "../model/open-sae.js";
import { labelEndpointOptions } from "../sae/latent-describer.js";
import { type LabelFlags, runLabel } from "../sae/sae-label.js";
import { type LatentsFlags, showLatents } from "../sae/sae-latents.js";
import { type QualityFlags, showQuality } from "../sae/sae-quality.js";
import { runTrain, type TrainFlags, trainOptions } from "../sae/sae-train-command.js";
import type { Io } from "../terminal/io.js";
import {
  jsonOption,
  labelledSaeOptions,
  modelOptions,
  type OutputFlags,
  outputPath,
  promptOptions,
  saeOptions,
  wholeNumber,
  wholeNumbers,
} from "../terminal/options.js";

export function saeCommand(io: Io): Command {
  const sae = new Command("sae").description("sparse autoencoders: train, measure, label, look at latents, describe");
  const label = new Command("label")
    .description("label latents by the words that make them fire, and by an endpoint that is shown where they do")
    .option("--out <file>", "label file; default: labels.jsonl in the SAE's folder", outputPath);
  sae.addCommand(trainOptions(new Command("train")).action((flags: TrainFlags) => runTrain(io, flags)));
  sae.addCommand(
    saeOptions(promptOptions(modelOptions(labelEndpointOptions(label)))).action((flags: LabelFlags) =>
      runLabel(io, flags),
    ),
  );
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
