/** Which files of a repository a command needs: not the README, not the same weights in three formats, not 32 layers' SAEs. */
import { z } from "zod";
import { InputError, quote, quoteAll } from "../formats/input-error.js";
import type { HubFile } from "./hub-listing.js";
import { type HubReference, showReference } from "./hub-reference.js";

const HUB_KINDS = ["model", "adapter", "sae"] as const;
/** What a name is wanted for. */
export type HubKind = (typeof HUB_KINDS)[number];

export interface Selection {
  readonly kind: HubKind | "files";
  readonly files: readonly HubFile[];
}

/** Config, tokenizer and template: what transformers reads, but no code. */
const MODEL_COMPANIONS = new Set([
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "vocab.txt",
  "tokenizer.model",
  "spiece.model",
  "chat_template.jinja",
  "chat_template.json",
]);
/** Weights of a model as one file, or the index of several, best first. */
const MODEL_WEIGHTS = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
];
const ADAPTER_CONFIG = "adapter_config.json";
const ADAPTER_WEIGHTS = ["adapter_model.safetensors", "adapter_model.bin"];
/** Beside an SAE's weights: settings, labels, how often latents fire. */
const SAE_COMPANION = /^sparsity\.safetensors$|^labels\.jsonl$|\.json$/;
/** Weights of an SAE in its folder, best first; Llama Scope's in the order of its own library. */
const SAE_WEIGHTS = [
  /^[^/]+\.safetensors$/,
  /^checkpoints\/pruned\.safetensors$/,
  /^checkpoints\/final\.safetensors$/,
  /^[^/]+\.npz$/,
  /^[^/]+\.(?:pt|pth|bin)$/,
  /^checkpoints\/pruned\.pt$/,
  /^checkpoints\/final\.pt$/,
];
/** The parts of one GGUF model that was split: the name is that of any of them. */
const GGUF_PART = /-\d{5}-of-(\d{5})\.gguf$/i;
const GGUF = /\.gguf$/i;
/** Of the index of sharded weights; that of a 405B model has 120 KB. */
const MAX_INDEX_BYTES = 64 << 20;
/** Names of a message, at most. */
const SHOWN = 6;

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/**
 * The files of `all` that are needed for `kind` (where it is undefined, for what the repository looks like) below the folder
 * or file that `reference` names. `read` gives the text of a file, for the index of sharded weights. InputError where the
 * repository does not hold such a thing, or several from which the user has to choose.
 */
export async function selectFiles(
  all: readonly HubFile[],
  reference: HubReference,
  kind: HubKind | undefined,
  read: (file: HubFile) => Promise<string>,
): Promise<Selection> {
  const { inside } = reference;
  const one = all.find(({ path }) => path === inside);
  if (one) return selectOne(all, one, kind);
  const start = inside === "" ? "" : `${inside}/`;
  const below = all
    .filter(({ path }) => path.startsWith(start))
    .map((file) => ({ file, name: file.path.slice(start.length) }));
  const what = showReference(reference);
  if (below.length === 0) throw new InputError(`${what}: the repository has no such file or folder${suggestions(all)}`);
  const known = new Map(below.map(({ file, name }) => [name, file]));
  const asked = kind ?? kindOf(known);
  if (asked === "adapter") return { kind: "adapter", files: adapterFiles(known, what) };
  if (asked === "sae") return { kind: "sae", files: saeFiles(known, what) };
  return { kind: "model", files: await modelFiles(known, what, read) };
}

/** The files whose path (from the repository's root) matches one of the patterns. InputError where a pattern matches none. */
export function selectByPattern(all: readonly HubFile[], patterns: readonly string[], what: string): Selection {
  const chosen = new Set<HubFile>();
  for (const pattern of patterns) {
    const expression = globExpression(pattern);
    const matching = all.filter(({ path }) => expression.test(path));
    if (matching.length === 0)
      throw new InputError(`${what}: no file matches ${quote(pattern)}; it has ${some(all.map(({ path }) => path))}`);
    for (const file of matching) chosen.add(file);
  }
  return { kind: "files", files: [...chosen] };
}

/** As huggingface_hub's patterns: `*` (of slashes too), `?`, `[a-z]`, `[!a-z]`; one that ends with a slash is a folder. */
export function globExpression(pattern: string): RegExp {
  const whole = pattern.endsWith("/") ? `${pattern}*` : pattern;
  const source = whole.replaceAll(/\*+|\?|\[!?\]?[^\]]*\]|[^*?[]+|\[/g, (token) => {
    if (token.startsWith("*")) return ".*";
    if (token === "?") return ".";
    if (token.length < 3 || !token.startsWith("[")) return token.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
    const negated = token.startsWith("[!");
    const inner = token.slice(negated ? 2 : 1, -1).replaceAll(/[\\\][^]/g, "\\$&");
    return `[${negated ? "^" : ""}${inner}]`;
  });
  try {
    return new RegExp(`^${source}$`, "s");
  } catch {
    throw new InputError(`--files ${quote(pattern)}: is no pattern; give one such as *.safetensors`);
  }
}

type Known = ReadonlyMap<string, HubFile>;

function kindOf(known: Known): HubKind {
  if (MODEL_WEIGHTS.some((name) => known.has(name)) && known.has("config.json")) return "model";
  if (known.has(ADAPTER_CONFIG)) return "adapter";
  return [...known.keys()].some((name) => GGUF.test(name)) ? "model" : "sae";
}

/** A file that was named: with its parts, where it is split, and with the settings beside it, where it is an SAE. */
function selectOne(all: readonly HubFile[], one: HubFile, kind: HubKind | undefined): Selection {
  if (GGUF.test(one.path)) return { kind: "model", files: partsOf(all, one) };
  const folder = one.path.slice(0, one.path.lastIndexOf("/") + 1);
  const beside = all.filter(({ path }) => path.startsWith(folder) && SAE_COMPANION.test(path.slice(folder.length)));
  return { kind: kind ?? "sae", files: [one, ...beside.filter((file) => file !== one)] };
}

function partsOf(all: Iterable<HubFile>, one: HubFile): HubFile[] {
  const count = GGUF_PART.exec(one.path)?.[1];
  if (count === undefined) return [one];
  const stem = one.path.replace(GGUF_PART, "");
  return [...all].filter(({ path }) => path.replace(GGUF_PART, "") === stem && GGUF_PART.exec(path)?.[1] === count);
}

async function modelFiles(known: Known, what: string, read: (file: HubFile) => Promise<string>): Promise<HubFile[]> {
  const weights = MODEL_WEIGHTS.find((name) => known.has(name));
  if (weights === undefined) return ggufFiles(known, what);
  const config = known.get("config.json");
  if (!config) throw new InputError(`${what}: has weights but no config.json, so it is no checkpoint of a model`);
  const companions = [...known].filter(([name]) => MODEL_COMPANIONS.has(name)).map(([, file]) => file);
  const first = known.get(weights)!;
  if (!weights.endsWith(".index.json")) return [...companions, first];
  if (first.size > MAX_INDEX_BYTES)
    throw new InputError(
      `${what}: ${weights} has ${first.size} bytes; an index of weights is read up to ${MAX_INDEX_BYTES}`,
    );
  const shards = shardsOf(await read(first), `${what}: ${weights}`).map((name) => {
    const shard = known.get(name);
    if (!shard) throw new InputError(`${what}: ${weights} names the shard ${quote(name)}, which is not there`);
    return shard;
  });
  return [...companions, first, ...shards];
}

function shardsOf(text: string, what: string): string[] {
  try {
    return [...new Set(Object.values(indexSchema.parse(JSON.parse(text)).weight_map))].sort();
  } catch {
    throw new InputError(`${what}: is no index of weights; it needs "weight_map", from tensor to file`);
  }
}

function ggufFiles(known: Known, what: string): HubFile[] {
  const all = [...known].filter(([name]) => GGUF.test(name) && !name.includes("/"));
  const models = new Map(all.map(([name, file]) => [name.replace(GGUF_PART, ""), { name, file }]));
  const [model] = models.values();
  if (!model)
    throw new InputError(
      `${what}: holds no model: no model.safetensors, pytorch_model.bin or .gguf${folders(known, /\.(?:gguf|safetensors)$/i)}`,
    );
  if (models.size > 1)
    throw new InputError(
      `${what}: holds ${models.size} GGUF models; name one after the repository: ${some([...models.values()].map(({ name }) => name))}`,
    );
  return partsOf(known.values(), model.file);
}

function adapterFiles(known: Known, what: string): HubFile[] {
  const config = known.get(ADAPTER_CONFIG);
  const weights = ADAPTER_WEIGHTS.map((name) => known.get(name)).find((file) => file !== undefined);
  if (config && weights) return [config, weights];
  const lacks = config ? ADAPTER_WEIGHTS.join(" or ") : ADAPTER_CONFIG;
  throw new InputError(`${what}: is no PEFT adapter: it has no ${lacks}${folders(known, /\/adapter_config\.json$/)}`);
}

function saeFiles(known: Known, what: string): HubFile[] {
  const companions = [...known].filter(([name]) => SAE_COMPANION.test(name) && !name.includes("/"));
  for (const pattern of SAE_WEIGHTS) {
    const weights = [...known].filter(([name]) => pattern.test(name) && !SAE_COMPANION.test(name));
    if (weights.length > 1)
      throw new InputError(
        `${what}: holds ${weights.length} files of weights; name one after it: ${some(weights.map(([name]) => name))}`,
      );
    if (weights.length === 1) return [...companions, ...weights].map(([, file]) => file);
  }
  throw new InputError(`${what}: holds no SAE${folders(known, /\.(?:safetensors|npz|pt|pth|bin)$/)}`);
}

/** "; its folders with one are …": the folders that hold a file like that. */
function folders(known: Known, file: RegExp): string {
  const found = new Set(
    [...known.keys()]
      .filter((name) => file.test(name) && name.includes("/"))
      .map((name) => name.slice(0, name.lastIndexOf("/")).replace(/\/checkpoints$/, "")),
  );
  return found.size === 0 ? "" : `; name one of its folders after it: ${some([...found])}`;
}

function suggestions(files: readonly HubFile[]): string {
  const top = new Set(files.map(({ path }) => path.split("/")[0]!));
  return top.size === 0 ? "" : `; it has ${some([...top])}`;
}

function some(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return `${quoteAll(names.slice(0, SHOWN))}${more > 0 ? ` and ${more} more` : ""}`;
}
