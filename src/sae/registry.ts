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
import { describeGemmaScope2, isGemmaScope2, loadGemmaScope2 } from "./loaders/gemma-scope-2.js";
import { describeGoodfire, isGoodfire, loadGoodfire } from "./loaders/goodfire.js";
import { describeLlamaScope, isLlamaScope, loadLlamaScope } from "./loaders/llama-scope.js";
import { describeOpenMoss, isOpenMoss, loadOpenMoss } from "./loaders/openmoss.js";
import { describeSaeLens, isSaeLens, loadSaeLens } from "./loaders/saelens.js";
import { describeSparsify, isSparsify, loadSparsify } from "./loaders/sparsify.js";
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

/** In the order in which they are tried. */
export const saeFormats: readonly SaeFormat[] = [
  {
    name: "saelens",
    files: "cfg.json and sae_weights.safetensors",
    detect: isSaeLens,
    describe: describeSaeLens,
    load: loadSaeLens,
  },
  {
    name: "llama-scope",
    files: "hyperparams.json and checkpoints/final.safetensors",
    detect: isLlamaScope,
    describe: describeLlamaScope,
    load: loadLlamaScope,
  },
  {
    name: "openmoss",
    files: "config.json and sae_weights.safetensors",
    detect: isOpenMoss,
    describe: describeOpenMoss,
    load: loadOpenMoss,
  },
  {
    name: "gemma-scope-2",
    files: "params.safetensors",
    detect: isGemmaScope2,
    describe: describeGemmaScope2,
    load: loadGemmaScope2,
  },
  {
    name: "sparsify",
    files: "cfg.json and sae.safetensors",
    detect: isSparsify,
    describe: describeSparsify,
    load: loadSparsify,
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

/** The format of `folder`, by the files it holds; undefined where it is none of them. */
export async function findSaeFormat(folder: FileFolder): Promise<SaeFormat | undefined> {
  for (const format of saeFormats) if (await format.detect(folder)) return format;
  return undefined;
}

/** The same, where it must be one. Throws InputError that lists what is supported. */
export async function detectSaeFormat(folder: FileFolder): Promise<SaeFormat> {
  const format = await findSaeFormat(folder);
  if (format !== undefined) return format;
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
