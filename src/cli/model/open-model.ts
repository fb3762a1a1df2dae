/** From --model and --adapter to an engine with its tokenizer and chat template. */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import type { FileFolder } from "../../formats/byte-source.js";
import { ggufIn } from "../../formats/gguf/gguf-file.js";
import { InputError, quoteAll } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import type { ChatTemplate } from "../../model/chat-template.js";
import { loadChatTemplate } from "../../model/chat-template.js";
import { loadTokenizer, type Tokenizer } from "../../model/tokenizer.js";
import type { Quantisation } from "../../model/weights.js";
import { openFolder } from "../../store/node-folder.js";
import { fingerprint } from "../terminal/fingerprint.js";
import { checkCompute, type ModelFlags } from "../terminal/options.js";
import { builtInOrganisms, isFolder, pocketFiles } from "../terminal/package-files.js";
import type { Backend, ModelEngine } from "./backend.js";
import { openGgufModel } from "./gguf-model.js";
import { hubHint, placeOf } from "./hub.js";
import { hubReference, publishedBase } from "./hub-names.js";
import { openOnnxBackend } from "./onnx-backend.js";
import { openTorchBackend } from "./torch-backend.js";

/** Name of the model that ships with the package. */
export const POCKET_MODEL = "pocket";
const ADAPTER_CONFIG = "adapter_config.json";
/** Adapters of a folder that a message names. */
const MAX_NAMED = 5;
/** generation_config.json is some hundred bytes. */
const MAX_CONFIG_BYTES = 1 << 20;

export interface OpenedModel extends Omit<Backend, "endIds" | "clean"> {
  readonly name: string;
  /** As the user gave it; null for none. */
  readonly adapter: string | null;
  /** Where it lies; null for none. */
  readonly adapterPath: string | null;
  readonly isPocket: boolean;
  /** The checkpoint folder that it was read from, where it lies on a disk. */
  readonly path: string | undefined;
  readonly tokenizer: Tokenizer;
  /** Undefined with --raw. */
  readonly template?: ChatTemplate;
  /** Ids that end a reply: of generation_config.json, else config.json, and of the tokenizer. */
  readonly endIds: readonly number[];
  readonly flags: ModelFlags;
  /** Changes with the files of model and adapter. */
  readonly fingerprint: string;
  readonly backend: Backend;
}

/** Opens the model that the flags name, in four bits where that is asked. InputError for whatever is missing or does not fit. */
export async function openModel(
  flags: ModelFlags,
  options: { readonly raw?: boolean | undefined; readonly quantize?: Quantisation | undefined } = {},
): Promise<OpenedModel> {
  checkCompute(flags);
  const name = modelName(flags);
  const folder = await openModelFolder(name);
  const adapter = flags.adapter === undefined ? undefined : await openAdapterFolder(flags.adapter);
  const tokenizer = await loadTokenizer(folder);
  const template = options.raw ? undefined : await loadChatTemplate(folder, tokenizer.named);
  const open = flags.engine === "torch" ? openTorchBackend : openOnnxBackend;
  const backend = await open(folder, adapter, name, flags, options.quantize);
  return {
    ...backend,
    name,
    adapter: flags.adapter ?? null,
    adapterPath: adapter?.path ?? null,
    isPocket: name === POCKET_MODEL,
    path: folder.path,
    tokenizer,
    ...(template ? { template } : {}),
    endIds: [...new Set([...(await generationEndIds(folder, backend.endIds)), ...tokenizer.endIds])],
    flags,
    fingerprint:
      backend.arithmetic + (await fingerprint(adapter ? [folder, adapter] : [folder])) + (options.quantize ?? ""),
    backend,
  };
}

/** A clean model beside the suspect one. */
export interface CleanModel {
  readonly engine: ModelEngine;
  readonly fingerprint: string;
}

/**
 * The clean counterpart of a suspect model: with --base that checkpoint, with an adapter the model without it, else null.
 */
export async function openCleanModel(suspect: OpenedModel, base: string | undefined): Promise<CleanModel | null> {
  if (base === undefined && suspect.adapter === null) return null;
  const name = base ?? suspect.name;
  const folder = await openModelFolder(name);
  const engine = await suspect.backend.clean(folder, base !== undefined, name);
  const { dModel, layers, vocabulary } = engine.model;
  const { model } = suspect.engine;
  if (dModel !== model.dModel || layers !== model.layers || vocabulary !== model.vocabulary)
    throw new InputError(
      `--base ${name}: has width ${dModel}, ${layers} layers and ${vocabulary} words, but ${suspect.name} has ${model.dModel}, ${model.layers} and ${model.vocabulary}; give the model that it was finetuned from`,
    );
  return { engine, fingerprint: suspect.arithmetic + (await fingerprint([folder])) };
}

function modelName({ model, adapter }: ModelFlags): string {
  if (model !== undefined) return model;
  if (adapter !== undefined && builtInOrganisms().includes(adapter)) return POCKET_MODEL;
  const base = adapter === undefined ? undefined : publishedBase(adapter);
  if (base !== undefined) return base;
  if (adapter !== undefined && !existsSync(adapter) && hubReference(adapter) === undefined)
    throw noSuchAdapter(adapter);
  throw new InputError(
    "no --model: give a Hugging Face checkpoint folder, a .gguf file, a name on the hub, or `pocket` for the model that ships with the package",
  );
}

/**
 * The checkpoint folder called `name`: `pocket` (also where a folder of that name lies about), a folder of the user's or one of the
 * hub's in the cache, or a GGUF file (or a folder that holds one) in its converted form.
 */
export async function openModelFolder(name: string): Promise<FileFolder> {
  if (name === POCKET_MODEL) {
    if (!isFolder(pocketFiles.model))
      throw new InputError("pocket: this installation has no pocket/model folder; install the package again");
    return openFolder(pocketFiles.model, POCKET_MODEL);
  }
  const place = await placeOf(name, "model");
  if (isFolder(place)) {
    const folder = await openFolder(place, name);
    const gguf = (await folder.has("config.json")) ? undefined : await ggufIn(folder);
    return gguf === undefined ? folder : openGgufModel(folder, gguf, name);
  }
  if (place.toLowerCase().endsWith(".gguf"))
    return openGgufModel(await openFolder(dirname(place)), basename(place), name);
  if (existsSync(place))
    throw new InputError(`${name}: is a file; --model takes a Hugging Face checkpoint folder or a .gguf file`);
  throw new InputError(
    `${name}: no such folder${hubHint(name)}; --model takes a Hugging Face checkpoint folder, a .gguf file, a name on the hub, or \`pocket\``,
  );
}

/** The PEFT folder called `name`: an organism of the package, a folder of the user's, or one of the hub's in the cache. */
async function openAdapterFolder(name: string): Promise<FileFolder> {
  if (builtInOrganisms().includes(name)) return openFolder(join(pocketFiles.organisms, name), name);
  const place = await placeOf(name, "adapter");
  if (isFolder(place)) {
    const folder = await openFolder(place, name);
    if (!(await folder.has(ADAPTER_CONFIG))) throw new InputError(noAdapterIn(place, name));
    return folder;
  }
  throw noSuchAdapter(name);
}

function noSuchAdapter(name: string): InputError {
  return new InputError(
    `${name}: no such adapter${hubHint(name)}; give a PEFT folder, a name on the hub or one of the organisms ${builtInOrganisms().join(", ") || "(none here)"}`,
  );
}

/** What a folder without an adapter is told; peft saves adapters that have names in folders of these names. */
function noAdapterIn(place: string, name: string): string {
  const named = readdirSync(place).filter((inner) => existsSync(join(place, inner, ADAPTER_CONFIG)));
  const instead =
    named.length === 0
      ? "give a PEFT folder"
      : `give one of the adapters in it: ${quoteAll(named.slice(0, MAX_NAMED))}`;
  return `${name}: no ${ADAPTER_CONFIG}; ${instead}`;
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
