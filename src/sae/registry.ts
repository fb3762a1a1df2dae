/** SAE formats by name. A new format is one loader file and one line here. */
import type { Runtime } from "../engine/runtime.js";
import type { FileFolder } from "../formats/byte-source.js";
import { InputError } from "../formats/input-error.js";
import { openDenseSae } from "./dense-sae.js";
import {
  describeDictionaryLearning,
  isDictionaryLearning,
  loadDictionaryLearning,
} from "./loaders/dictionary-learning.js";
import { describeGemmaScope, isGemmaScope, loadGemmaScope } from "./loaders/gemma-scope.js";
import { describeGoodfire, isGoodfire, loadGoodfire } from "./loaders/goodfire.js";
import { describeSaeLens, isSaeLens, loadSaeLens } from "./loaders/saelens.js";
import type { Sae, SaeInfo } from "./sae.js";
import type { SaeWeights } from "./weights.js";

export interface SaeFormat {
  readonly name: string;
  /** What a folder of this format holds, for messages. */
  readonly files: string;
  detect(folder: FileFolder): Promise<boolean>;
  /** From configuration alone, without reading weights. */
  describe(folder: FileFolder, name: string): Promise<SaeInfo>;
  load(folder: FileFolder, name: string): Promise<SaeWeights>;
}

export const saeFormats: readonly SaeFormat[] = [
  {
    name: "saelens",
    files: "cfg.json and sae_weights.safetensors",
    detect: isSaeLens,
    describe: describeSaeLens,
    load: loadSaeLens,
  },
  {
    name: "gemma-scope",
    files: "params.npz",
    detect: isGemmaScope,
    describe: describeGemmaScope,
    load: loadGemmaScope,
  },
  {
    name: "dictionary-learning",
    files: "ae.pt and config.json",
    detect: isDictionaryLearning,
    describe: describeDictionaryLearning,
    load: loadDictionaryLearning,
  },
  {
    name: "goodfire",
    files: "one .pth or .pt file",
    detect: isGoodfire,
    describe: describeGoodfire,
    load: loadGoodfire,
  },
];

/** The format of `folder`, by the files it holds. Throws InputError that lists what is supported. */
export async function detectSaeFormat(folder: FileFolder): Promise<SaeFormat> {
  for (const format of saeFormats) if (await format.detect(folder)) return format;
  const known = saeFormats.map((format) => `${format.name} (${format.files})`).join("; ");
  throw new InputError(`${folder.name}: not an SAE in a known format; known: ${known}`);
}

/** What the SAE in `folder` is, without loading it; `name` is what to call it. */
export async function describeSae(folder: FileFolder, name = folder.name): Promise<SaeInfo> {
  return (await detectSaeFormat(folder)).describe(folder, name);
}

/** Loads the SAE in `folder` and makes it resident in `runtime`. */
export async function openSae(folder: FileFolder, runtime: Runtime, name = folder.name): Promise<Sae> {
  return openDenseSae(await (await detectSaeFormat(folder)).load(folder, name), runtime);
}
