/** A GGUF file's metadata → the config.json of the Hugging Face checkpoint it was made from. */
import type { GgufFile } from "../../formats/gguf/gguf-file.js";
import { readRowsF32 } from "../../formats/gguf/values.js";
import { entryOf, InputError, quote } from "../../formats/input-error.js";
import { ARCHITECTURES, type Architecture, BLOCK_TENSORS, type SharedConfig } from "./architectures.js";
import type { Keys } from "./keys.js";
import { llama3Scaling } from "./rope-freqs.js";

/** Settings that change the arithmetic in ways no supported architecture has. */
const REFUSED = [
  "attention.clamp_kqv",
  "attention.max_alibi_bias",
  "attention.scale",
  "embedding_scale",
  "logit_scale",
  "residual_scale",
  "use_parallel_residual",
];

/** The entry of the file's architecture. InputError for one that is not supported. */
export function architectureOf(keys: Keys): { name: string; architecture: Architecture } {
  const name = keys.needText("general.architecture");
  const architecture = entryOf(ARCHITECTURES, name);
  if (!architecture)
    throw new InputError(
      `${keys.file}: architecture ${quote(name)} is not supported; supported in GGUF files: ${Object.keys(ARCHITECTURES).join(", ")}`,
    );
  return { name, architecture };
}

/** config.json without token ids. */
export interface ConfigJson extends SharedConfig {
  readonly model_type: string;
  readonly num_key_value_heads: number;
  readonly [key: string]: unknown;
}

/** InputError for missing keys and for arithmetic that is not supported. */
export async function configJson(file: GgufFile, keys: Keys): Promise<ConfigJson> {
  const { name, architecture } = architectureOf(keys);
  const key = (field: string) => `${name}.${field}`;
  if ((keys.number(key("expert_count")) ?? 0) > 0)
    throw new InputError(`${file.name}: is a mixture of experts; dense models are supported`);
  for (const field of REFUSED)
    if (keys.has(key(field))) throw new InputError(`${file.name}: metadata key ${key(field)} is not supported`);

  const embedding = file.tensors.get("token_embd.weight");
  if (embedding?.shape.length !== 2)
    throw new InputError(`${file.name}: no matrix token_embd.weight; is this a vocabulary without a model?`);
  const hidden = keys.needNumber(key("embedding_length"));
  const heads = sameInAllLayers(keys, key("attention.head_count"));
  const headDim =
    keys.number(key("attention.key_length")) ?? keys.number(key("rope.dimension_count")) ?? hidden / heads;
  for (const field of ["attention.value_length", "rope.dimension_count"]) {
    const width = keys.number(key(field)) ?? headDim;
    if (width !== headDim)
      throw new InputError(`${file.name}: ${key(field)} is ${width} where a head has ${headDim}; they must be equal`);
  }
  const shared = {
    hidden_size: hidden,
    num_hidden_layers: keys.needNumber(key("block_count")),
    num_attention_heads: heads,
    head_dim: headDim,
  };
  const theta = keys.number(key("rope.freq_base")) ?? 10_000;
  return {
    model_type: architecture.modelType,
    ...shared,
    num_key_value_heads: keys.has(key("attention.head_count_kv"))
      ? sameInAllLayers(keys, key("attention.head_count_kv"))
      : heads,
    intermediate_size: sameInAllLayers(keys, key("feed_forward_length")),
    vocab_size: embedding.shape[0],
    rms_norm_eps: keys.needNumber(key("attention.layer_norm_rms_epsilon")),
    max_position_embeddings: keys.needNumber(key("context_length")),
    tie_word_embeddings: !file.tensors.has("output.weight"),
    rope_theta: theta,
    rope_scaling: await ropeScaling(file, keys, name, theta),
    ...(hasBias(file, "attn_output") ? { attention_bias: true } : {}),
    ...(hasBias(file, "ffn_down") ? { mlp_bias: true } : {}),
    stored_biases: biased(file, architecture),
    ...architecture.config?.(keys, name, shared),
  };
}

/** A count that may be given for each layer, but must then be the same in all. */
function sameInAllLayers(keys: Keys, key: string): number {
  try {
    return keys.needNumber(key);
  } catch (error) {
    const counts = new Set(keys.numbers(key));
    if (counts.size === 1) return [...counts][0]!;
    if (counts.size > 1)
      throw new InputError(`${keys.file}: metadata key ${key} differs between layers; that is not supported`);
    throw error;
  }
}

async function ropeScaling(file: GgufFile, keys: Keys, name: string, theta: number): Promise<object | null> {
  const freqs = file.tensors.get("rope_freqs.weight");
  const type = keys.text(`${name}.rope.scaling.type`) ?? (keys.has(`${name}.rope.scale_linear`) ? "linear" : "none");
  if (type !== "none" && type !== "linear")
    throw new InputError(
      `${file.name}: rope scaling ${quote(type)} is not supported; supported: none, linear, llama3 (rope_freqs.weight)`,
    );
  const long = [...file.tensors.keys()].find((tensor) => tensor.startsWith("rope_factors_"));
  if (long !== undefined)
    throw new InputError(`${file.name}: ${long} scales the rotary embedding for long contexts; that is not supported`);
  if (freqs) {
    if (type === "linear") throw new InputError(`${file.name}: has both linear rope scaling and rope_freqs.weight`);
    if (freqs.shape.length !== 1) throw new InputError(`${file.name}: rope_freqs.weight is not a vector`);
    return llama3Scaling(await readRowsF32(freqs, 0, 1), theta, file.name);
  }
  if (type === "none") return null;
  const factor = keys.number(`${name}.rope.scaling.factor`) ?? keys.needNumber(`${name}.rope.scale_linear`);
  return factor === 1 ? null : { rope_type: "linear", factor };
}

function hasBias(file: GgufFile, tensor: string): boolean {
  return [...file.tensors.keys()].some((name) => name.endsWith(`.${tensor}.bias`));
}

/** Modules of a block that have a bias in the file; llama.cpp adds every bias that is there. */
function biased(file: GgufFile, architecture: Architecture): string[] {
  const modules: Readonly<Record<string, string>> = { ...BLOCK_TENSORS, ...architecture.tensors };
  const stems = [...file.tensors.keys()].flatMap((name) => /^blk\.\d+\.(\w+)\.bias$/.exec(name)?.[1] ?? []);
  return [...new Set(stems)].flatMap((stem) => entryOf(modules, stem) ?? []);
}
