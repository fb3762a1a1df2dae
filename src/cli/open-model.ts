/** From --model and --adapter to an engine with its tokenizer and chat template. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { openNodeChannel } from "../engine/onnx/node-channel.js";
import { OnnxEngine } from "../engine/onnx/onnx-engine.js";
import { onnxEngine, openCheckpoint } from "../engine/onnx/open.js";
import type { FileFolder } from "../formats/byte-source.js";
import { InputError } from "../formats/input-error.js";
import { readJson } from "../formats/json.js";
import type { ChatTemplate } from "../model/chat-template.js";
import { loadChatTemplate } from "../model/chat-template.js";
import { loadTokenizer, type Tokenizer } from "../model/tokenizer.js";
import type { Quantisation } from "../model/weights.js";
import { openFolder } from "../store/node-folder.js";
import { fingerprint } from "./fingerprint.js";
import { cachedModel, HUB_ID } from "./hub-cache.js";
import { checkCompute, type ModelFlags } from "./options.js";
import { builtInOrganisms, isFolder, pocketFiles } from "./package-files.js";

/** Name of the model that ships with the package. */
export const POCKET_MODEL = "pocket";
/** generation_config.json is some hundred bytes. */
const MAX_CONFIG_BYTES = 1 << 20;

export interface OpenedModel {
  readonly name: string;
  /** As the user gave it; null for none. */
  readonly adapter: string | null;
  readonly isPocket: boolean;
  readonly engine: OnnxEngine;
  readonly tokenizer: Tokenizer;
  /** Undefined with --raw. */
  readonly template?: ChatTemplate;
  /** Ids that end a reply: of generation_config.json, else config.json, and of the tokenizer. */
  readonly endIds: readonly number[];
  readonly flags: ModelFlags;
  /** Changes with the files of model and adapter. */
  readonly fingerprint: string;
}

/** Opens the model that the flags name, `quantise`d to four bits where that is asked. InputError for whatever is missing or does not fit. */
export async function openModel(
  flags: ModelFlags,
  options: { readonly raw?: boolean | undefined; readonly quantise?: Quantisation | undefined } = {},
): Promise<OpenedModel> {
  checkCompute(flags);
  const name = modelName(flags);
  const folder = await openModelFolder(name);
  const adapter = flags.adapter === undefined ? undefined : await openAdapterFolder(flags.adapter);
  const opened = await openCheckpoint(folder, adapter, options.quantise ?? null);
  const tokenizer = await loadTokenizer(folder);
  const template = options.raw ? undefined : await loadChatTemplate(folder, tokenizer.named);
  const engine = onnxEngine(opened, openNodeChannel(), { name, threads: flags.threads, device: flags.device });
  return {
    name,
    adapter: flags.adapter ?? null,
    isPocket: name === POCKET_MODEL,
    engine,
    tokenizer,
    ...(template ? { template } : {}),
    endIds: [...new Set([...(await generationEndIds(folder, opened.config.endIds)), ...tokenizer.endIds])],
    flags,
    fingerprint: (await fingerprint(adapter ? [folder, adapter] : [folder])) + (options.quantise ?? ""),
  };
}

/** A clean model beside the suspect one. */
export interface CleanModel {
  readonly engine: OnnxEngine;
  readonly fingerprint: string;
}

/**
 * The clean counterpart of a suspect model: with --base that checkpoint, with an adapter the model without it, else null. It
 * computes in the suspect's runtime.
 */
export async function openCleanModel(suspect: OpenedModel, base: string | undefined): Promise<CleanModel | null> {
  if (base === undefined && suspect.adapter === null) return null;
  const name = base ?? suspect.name;
  const folder = await openModelFolder(name);
  const opened = await openCheckpoint(folder);
  const { dModel, layers, vocabulary } = opened.config;
  const { model, runtime } = suspect.engine;
  if (dModel !== model.dModel || layers !== model.layers || vocabulary !== model.vocabulary)
    throw new InputError(
      `--base ${name}: has width ${dModel}, ${layers} layers and ${vocabulary} words, but ${suspect.name} has ${model.dModel}, ${model.layers} and ${model.vocabulary}; give the model that it was finetuned from`,
    );
  return { engine: new OnnxEngine({ ...model, name }, opened, runtime), fingerprint: await fingerprint([folder]) };
}

function modelName({ model, adapter }: ModelFlags): string {
  if (model !== undefined) return model;
  if (adapter !== undefined && builtInOrganisms().includes(adapter)) return POCKET_MODEL;
  throw new InputError(
    "no --model: give a Hugging Face checkpoint folder, or `pocket` for the model that ships with the package",
  );
}

/** The checkpoint folder called `name`: `pocket` (also where a folder of that name lies about), or a folder of the user's. */
export async function openModelFolder(name: string): Promise<FileFolder> {
  if (name === POCKET_MODEL) {
    if (!isFolder(pocketFiles.model))
      throw new InputError("pocket: this installation has no pocket/model folder; install the package again");
    return openFolder(pocketFiles.model, POCKET_MODEL);
  }
  if (isFolder(name)) return openFolder(name);
  if (name.toLowerCase().endsWith(".gguf"))
    throw new InputError(
      `${name}: GGUF checkpoints are not supported by this version; give the Hugging Face folder of the model`,
    );
  if (existsSync(name)) throw new InputError(`${name}: is a file; --model takes a Hugging Face checkpoint folder`);
  if (HUB_ID.test(name)) {
    const cached = cachedModel(name);
    if (cached !== undefined) return openFolder(cached, name);
    throw new InputError(
      `${name}: no such folder, and no such model in the Hugging Face cache; this version does not download, so give the folder of one`,
    );
  }
  throw new InputError(`${name}: no such folder; --model takes a Hugging Face checkpoint folder, or \`pocket\``);
}

/** The PEFT folder called `name`: an organism of the package, or a folder of the user's. */
async function openAdapterFolder(name: string): Promise<FileFolder> {
  if (builtInOrganisms().includes(name)) return openFolder(join(pocketFiles.organisms, name), name);
  if (isFolder(name)) return openFolder(name);
  throw new InputError(
    `${name}: no such adapter; give a PEFT folder or one of the organisms ${builtInOrganisms().join(", ") || "(none here)"}`,
  );
}

const generationConfig = z.looseObject({ eos_token_id: z.union([z.int(), z.array(z.int())]).nullish() });

async function generationEndIds(folder: FileFolder, fallback: readonly number[]): Promise<readonly number[]> {
  if (!(await folder.has("generation_config.json"))) return fallback;
  const source = await folder.open("generation_config.json");
  const parsed = generationConfig.safeParse(await readJson(source, MAX_CONFIG_BYTES));
  if (!parsed.success) throw new InputError(`${source.name}: eos_token_id must be a token id or a list of them`);
  const { eos_token_id: ids } = parsed.data;
  return ids == null ? fallback : [ids].flat();
}
