/** Weights of a checkpoint: small models in memory as f32, large ones mapped from their file. */

import { InputError } from "../formats/input-error.js";
import { isPlain, type LocatedTensor, readFiniteF32 } from "../formats/tensor-file.js";
import type { InitializerValues } from "../graph/index.js";
import { readFourBit } from "./bitsandbytes.js";
import type { DecoderConfig } from "./decoder-config.js";
import { blockModules, linearModules } from "./modules.js";
import { dequantiseMagnitudes, NF4_BLOCK, quantiseMagnitudes, quantiseNf4 } from "./nf4.js";

/** One weight: its shape and where its values lie. */
export interface StoredWeight {
  readonly dtype: "float32" | "float16" | "bfloat16" | "nf4";
  readonly shape: readonly number[];
  /** Of nf4 the packed codes (nf4.ts). */
  readonly values: InitializerValues;
  readonly blocks?: Nf4Blocks;
}

/** What turns the codes of an nf4 weight into values. */
export interface Nf4Blocks {
  /** Magnitude of each block of equally many consecutive values. */
  readonly scales: Float32Array;
  /** The type that values are rounded to. */
  readonly rounded: "float32" | "float16" | "bfloat16";
}

/** Weights by Hugging Face name. */
export type WeightStore = ReadonlyMap<string, StoredWeight>;

/** What an adapter changes in one linear module with weight [out, in] (see decoder.ts: LowRank). */
export interface StoredLowRank {
  /** [rank, in]; of the embedding, whose rows are looked up, [in, rank]. */
  readonly a: StoredWeight;
  /** [out, rank]. */
  readonly b: StoredWeight;
  readonly scale: number;
  /** [out]. */
  readonly bias?: StoredWeight;
  /** [out], with DoRA. */
  readonly magnitude?: StoredWeight;
}

/** Low-rank changes by module name, values in f32. */
export type AdapterStore = ReadonlyMap<string, StoredLowRank>;

/** Models up to this size (f32 bytes) are read into memory: small enough to keep a copy in each session. */
const IN_MEMORY_BYTES = 96 << 20;

const MAPPABLE = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

/**
 * Reads or maps the tensors that the decoder needs. `named`: those of the checkpoint, by the decoder's names; others, such as
 * biases that config.json does not ask for, are left where they are, as transformers leaves them.
 * @throws InputError for a missing tensor, a wrong shape, an unsupported element type or, where they are read, values that are not finite.
 */
export async function loadWeights(
  config: DecoderConfig,
  named: ReadonlyMap<string, LocatedTensor>,
  checkpoint: string,
  quantise: Quantisation | null = null,
): Promise<WeightStore> {
  const shapes = weightShapes(config);
  const names = [...shapes].filter(([, { required }]) => required).map(([name]) => name);
  const total = names.reduce((sum, name) => sum + 4 * shapes.get(name)!.shape.reduce((a, b) => a * b, 1), 0);
  const quantised = new Set(linearModules(config, 0).map((module) => `${module}.weight`));
  const store = new Map<string, StoredWeight>();
  for (const name of names) {
    const found = named.get(name);
    if (!found)
      throw new InputError(
        `${checkpoint}: no tensor ${name}; a ${config.family} checkpoint with ${config.layers} layers needs it`,
      );
    const { source, entry } = found;
    const { shape } = shapes.get(name)!;
    const fourBit = await readFourBit(named, name, shape, total > IN_MEMORY_BYTES);
    if (fourBit) {
      store.set(name, fourBit);
      continue;
    }
    if (entry.shape.length !== shape.length || entry.shape.some((n, i) => n !== shape[i]))
      throw new InputError(
        `${source.name}: ${name} has shape [${entry.shape.join(", ")}]; config.json asks for [${shape.join(", ")}]`,
      );
    if (!(entry.dtype in MAPPABLE))
      throw new InputError(`${source.name}: ${name} is ${entry.dtype}; supported weights are F32, F16 and BF16`);
    const stored = MAPPABLE[entry.dtype as keyof typeof MAPPABLE];
    if (quantise && quantised.has(name)) {
      store.set(name, quantisedWeight(await readFiniteF32(source, entry), shape, stored, quantise));
      continue;
    }
    const mapped = total > IN_MEMORY_BYTES && source.realPath !== undefined && isPlain(entry);
    if (mapped)
      store.set(name, {
        dtype: stored,
        shape,
        values: { file: source.realPath!, offset: entry.begin, length: entry.end - entry.begin },
      });
    else store.set(name, inMemory(await readFiniteF32(source, entry), shape));
  }
  return store;
}

/** How a base model is quantised when it is opened: as QLoRA trains beside it, plainly or with its magnitudes quantised again. */
export type Quantisation = "nf4" | "nf4-double";

function quantisedWeight(
  values: Float32Array,
  shape: readonly number[],
  rounded: Nf4Blocks["rounded"],
  quantise: Quantisation,
): StoredWeight {
  if (values.length % NF4_BLOCK !== 0)
    throw new InputError(
      `a weight of shape [${shape.join(", ")}] is no whole number of blocks of ${NF4_BLOCK} values; this model cannot be quantised to nf4`,
    );
  const { packed, magnitudes } = quantiseNf4(values);
  const scales = quantise === "nf4-double" ? dequantiseMagnitudes(quantiseMagnitudes(magnitudes)) : magnitudes;
  return { dtype: "nf4", shape, values: { bytes: packed }, blocks: { scales, rounded } };
}

/** A weight held in memory. */
export function inMemory(values: Float32Array, shape: readonly number[]): StoredWeight {
  return {
    dtype: "float32",
    shape,
    values: { bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) },
  };
}

/** The values of a weight that is f32 in memory, where they lie; null for others. */
export function valuesInMemory({ dtype, values }: StoredWeight): Float32Array | null {
  if (dtype !== "float32" || !("bytes" in values)) return null;
  const { buffer, byteOffset, byteLength } = values.bytes;
  return new Float32Array(buffer, byteOffset, byteLength / Float32Array.BYTES_PER_ELEMENT);
}

/**
 * Name → shape of every tensor that a decoder of this geometry can have. Required are those that it has; biases that the config
 * does not ask for may come with an adapter.
 */
export function weightShapes(config: DecoderConfig): Map<string, { shape: number[]; required: boolean }> {
  const { dModel: d, heads, kvHeads, headDim, vocabulary, preNorms, postNorms } = config;
  const shapes = new Map<string, { shape: number[]; required: boolean }>();
  const need = (name: string, ...shape: number[]) => shapes.set(name, { shape, required: true });
  need("model.embed_tokens.weight", vocabulary, d);
  const norms = [
    ...(preNorms ? ["input_layernorm"] : []),
    "post_attention_layernorm",
    ...(preNorms && postNorms ? ["pre_feedforward_layernorm"] : []),
    ...(postNorms ? ["post_feedforward_layernorm"] : []),
  ];
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `model.layers.${layer}`;
    for (const norm of norms) need(`${at}.${norm}.weight`, d);
    for (const { module, out, width } of blockModules(config)) {
      need(`${at}.${module}.weight`, out, width);
      shapes.set(`${at}.${module}.bias`, { shape: [out], required: config.biases.includes(module) });
    }
    if (config.queryKeyNorm) {
      const over = (count: number) => (config.queryKeyNorm === "head" ? headDim : count * headDim);
      need(`${at}.self_attn.q_norm.weight`, over(heads));
      need(`${at}.self_attn.k_norm.weight`, over(kvHeads));
    }
  }
  need("model.norm.weight", d);
  if (!config.tied) need("lm_head.weight", vocabulary, d);
  return shapes;
}
