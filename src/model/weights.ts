/**
 * Weights of a checkpoint as graph tensors: small models in memory as f32, large ones mapped from their file and, when
 * half-precision, cast just before use.
 */

import { InputError } from "../formats/input-error.js";
import { isPlain, type LocatedTensor, readFiniteF32 } from "../formats/tensor-file.js";
import { cast, type DType, type Graph, gatherRows, type InitializerValues, type Tensor } from "../graph/index.js";
import type { DecoderConfig } from "./config.js";
import type { LowRank, Parameters } from "./decoder.js";

/** One weight: its shape and where its values lie. */
export interface StoredWeight {
  readonly dtype: "float32" | "float16" | "bfloat16";
  readonly shape: readonly number[];
  readonly values: InitializerValues;
}

/** Weights by Hugging Face name. */
export type WeightStore = ReadonlyMap<string, StoredWeight>;

/** Low-rank pairs by module name, values in f32. */
export type AdapterStore = ReadonlyMap<
  string,
  { readonly a: StoredWeight; readonly b: StoredWeight; readonly scale: number }
>;

/** Models up to this size (f32 bytes) are read into memory: small enough to keep a copy in each session. */
const IN_MEMORY_BYTES = 96 << 20;
/** A half-precision matrix with more rows than this is cast block by block: 16,384 × 4,096 f32 is 256 MiB. */
const BLOCK_ROWS = 16_384;

const MAPPABLE = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

/**
 * Reads or maps the tensors that the decoder needs.
 * @throws InputError for a missing tensor, a wrong shape, an unsupported element type or, where they are read, values that are not finite.
 */
export async function loadWeights(
  config: DecoderConfig,
  located: ReadonlyMap<string, LocatedTensor>,
  checkpoint: string,
): Promise<WeightStore> {
  const shapes = weightShapes(config);
  const names = [...shapes].filter(([name, { required }]) => required || located.has(name)).map(([name]) => name);
  const total = names.reduce((sum, name) => sum + 4 * shapes.get(name)!.shape.reduce((a, b) => a * b, 1), 0);
  const store = new Map<string, StoredWeight>();
  for (const name of names) {
    const found = located.get(name);
    if (!found)
      throw new InputError(
        `${checkpoint}: no tensor ${name}; a ${config.family} checkpoint with ${config.layers} layers needs it`,
      );
    const { source, entry } = found;
    const { shape } = shapes.get(name)!;
    if (entry.shape.length !== shape.length || entry.shape.some((n, i) => n !== shape[i]))
      throw new InputError(
        `${source.name}: ${name} has shape [${entry.shape.join(", ")}]; config.json asks for [${shape.join(", ")}]`,
      );
    if (!(entry.dtype in MAPPABLE))
      throw new InputError(`${source.name}: ${name} is ${entry.dtype}; supported weights are F32, F16 and BF16`);
    const mapped = total > IN_MEMORY_BYTES && source.realPath !== undefined && isPlain(entry);
    if (mapped)
      store.set(name, {
        dtype: MAPPABLE[entry.dtype as keyof typeof MAPPABLE],
        shape,
        values: { file: source.realPath!, offset: entry.begin, length: entry.end - entry.begin },
      });
    else store.set(name, inMemory(await readFiniteF32(source, entry), shape));
  }
  return store;
}

/** A weight held in memory. */
export function inMemory(values: Float32Array, shape: readonly number[]): StoredWeight {
  return {
    dtype: "float32",
    shape,
    values: { bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) },
  };
}

/**
 * Name → shape of every tensor that a decoder of this geometry has; biases the config asks for, and others where
 * the checkpoint brings them.
 */
export function weightShapes(config: DecoderConfig): Map<string, { shape: number[]; required: boolean }> {
  const { dModel: d, heads, kvHeads, headDim, ff, vocabulary } = config;
  const shapes = new Map<string, { shape: number[]; required: boolean }>();
  const need = (name: string, ...shape: number[]) => shapes.set(name, { shape, required: true });
  const linear = (module: string, out: number, width: number) => {
    need(`${module}.weight`, out, width);
    const required = config.biases.some((name) => module.endsWith(`.${name}`));
    shapes.set(`${module}.bias`, { shape: [out], required });
  };
  need("model.embed_tokens.weight", vocabulary, d);
  const norms = config.postNorms
    ? ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"]
    : ["input_layernorm", "post_attention_layernorm"];
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `model.layers.${layer}`;
    for (const norm of norms) need(`${at}.${norm}.weight`, d);
    linear(`${at}.self_attn.q_proj`, heads * headDim, d);
    linear(`${at}.self_attn.k_proj`, kvHeads * headDim, d);
    linear(`${at}.self_attn.v_proj`, kvHeads * headDim, d);
    linear(`${at}.self_attn.o_proj`, d, heads * headDim);
    linear(`${at}.mlp.gate_proj`, ff, d);
    linear(`${at}.mlp.up_proj`, ff, d);
    linear(`${at}.mlp.down_proj`, d, ff);
  }
  need("model.norm.weight", d);
  if (!config.tied) need("lm_head.weight", vocabulary, d);
  return shapes;
}

/** Parameters of one graph over a weight store; `trained` weights are graph inputs instead of constants. */
export class GraphParameters implements Parameters {
  /** Inputs made for trained weights, by name. */
  readonly trained = new Map<string, Tensor>();
  private readonly made = new Map<string, Tensor>();

  constructor(
    private readonly graph: Graph,
    private readonly store: WeightStore,
    private readonly adapter: AdapterStore = new Map(),
    private readonly isTrained: (name: string) => boolean = () => false,
  ) {}

  get(name: string): Tensor {
    const tensor = this.optional(name);
    if (!tensor) throw new Error(`no weight ${name}`);
    return tensor;
  }

  optional(name: string): Tensor | null {
    const weight = this.store.get(name);
    return weight ? this.once(name, () => this.wide(name, weight)) : null;
  }

  rowBlocks(name: string): readonly Tensor[] {
    const weight = this.store.get(name)!;
    const [rows, width] = weight.shape as [number, number];
    if (weight.dtype === "float32" || rows <= BLOCK_ROWS || !("file" in weight.values)) return [this.get(name)];
    const { file, offset } = weight.values;
    return Array.from({ length: Math.ceil(rows / BLOCK_ROWS) }, (_, i) => {
      const count = Math.min(BLOCK_ROWS, rows - i * BLOCK_ROWS);
      const block: StoredWeight = {
        dtype: weight.dtype,
        shape: [count, width],
        values: { file, offset: offset + 2 * i * BLOCK_ROWS * width, length: 2 * count * width },
      };
      return this.once(`${name}[${i}]`, () => this.wide(`${name}[${i}]`, block));
    });
  }

  embed(name: string, ids: Tensor): Tensor {
    const weight = this.store.get(name)!;
    if (weight.dtype === "float32") return gatherRows(this.get(name), ids);
    const table = this.once(`${name} (stored)`, () =>
      this.graph.initializer(`${name} (stored)`, weight.dtype, weight.shape, weight.values),
    );
    return cast(gatherRows(table, ids), "float32");
  }

  lowRank(module: string): LowRank | null {
    const pair = this.adapter.get(module);
    if (!pair) return null;
    const a = this.once(`${module}.lora_A`, () => this.wide(`${module}.lora_A`, pair.a));
    const b = this.once(`${module}.lora_B`, () => this.wide(`${module}.lora_B`, pair.b));
    return { a, b, scale: pair.scale };
  }

  private wide(name: string, weight: StoredWeight): Tensor {
    if (this.isTrained(name)) {
      const input = this.graph.input(name, "float32", weight.shape);
      this.trained.set(name, input);
      return input;
    }
    return cast(this.graph.initializer(name, weight.dtype as DType, weight.shape, weight.values), "float32");
  }

  private once(key: string, make: () => Tensor): Tensor {
    const tensor = this.made.get(key) ?? make();
    this.made.set(key, tensor);
    return tensor;
  }
}
