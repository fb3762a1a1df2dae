/**
 * Weights of a checkpoint as graph tensors: small models in memory as f32, large ones mapped from their file and, when
 * half-precision, cast just before use.
 */

import { InputError } from "../formats/input-error.js";
import { isPlain, type LocatedTensor, readFiniteF32 } from "../formats/tensor-file.js";
import {
  cast,
  type DType,
  type Graph,
  gatherRows,
  type InitializerValues,
  slice,
  type Tensor,
} from "../graph/index.js";
import type { DecoderConfig } from "./config.js";
import type { LowRank, Parameters } from "./decoder.js";
import { blockModules, type RowRange } from "./modules.js";
import { modelName } from "./weight-names.js";

/** One weight: its shape and where its values lie. */
export interface StoredWeight {
  readonly dtype: "float32" | "float16" | "bfloat16";
  readonly shape: readonly number[];
  readonly values: InitializerValues;
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
  const named = new Map([...located].map(([name, tensor]) => [modelName(config, name), tensor]));
  const names = [...shapes].filter(([name, { required }]) => required || named.has(name)).map(([name]) => name);
  const total = names.reduce((sum, name) => sum + 4 * shapes.get(name)!.shape.reduce((a, b) => a * b, 1), 0);
  const store = new Map<string, StoredWeight>();
  for (const name of names) {
    const found = named.get(name);
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

  get(name: string, rows?: RowRange): Tensor {
    const tensor = this.optional(name, rows);
    if (!tensor) throw new Error(`no weight ${name}`);
    return tensor;
  }

  optional(name: string, rows?: RowRange): Tensor | null {
    const weight = this.store.get(name);
    return weight ? this.stored(name, weight, rows) : null;
  }

  rowBlocks(name: string): readonly (RowRange | undefined)[] {
    const weight = this.store.get(name)!;
    const [rows] = weight.shape as [number, number];
    if (weight.dtype === "float32" || rows <= BLOCK_ROWS || !("file" in weight.values)) return [undefined];
    return Array.from({ length: Math.ceil(rows / BLOCK_ROWS) }, (_, i) => ({
      from: i * BLOCK_ROWS,
      count: Math.min(BLOCK_ROWS, rows - i * BLOCK_ROWS),
    }));
  }

  embed(name: string, ids: Tensor): Tensor {
    const weight = this.store.get(name)!;
    if (weight.dtype === "float32") return gatherRows(this.get(name), ids);
    const table = this.once(`${name} (stored)`, () =>
      this.graph.initializer(`${name} (stored)`, weight.dtype, weight.shape, weight.values),
    );
    return cast(gatherRows(table, ids), "float32");
  }

  lowRank(module: string, rows?: RowRange): LowRank | null {
    const pair = this.adapter.get(module);
    if (!pair) return null;
    const part = (name: string, weight: StoredWeight | undefined) =>
      weight && this.stored(`${module}.${name}`, weight, rows);
    return {
      a: this.stored(`${module}.lora_A`, pair.a),
      b: part("lora_B", pair.b)!,
      scale: pair.scale,
      bias: part("lora_B.bias", pair.bias) ?? null,
      magnitude: part("lora_magnitude_vector", pair.magnitude) ?? null,
    };
  }

  /** A weight in f32, or some of its rows: of a trained one cut from the whole input, of a constant where they lie. */
  private stored(name: string, weight: StoredWeight, rows?: RowRange): Tensor {
    if (!rows) return this.once(name, () => this.wide(name, weight));
    const key = `${name}[${rows.from}]`;
    return this.once(key, () =>
      this.isTrained(name)
        ? slice(this.stored(name, weight), 0, rows.from, rows.count)
        : this.wide(key, rowsOf(weight, rows)),
    );
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

/** Some rows of a weight, in the same bytes or the same file. */
function rowsOf({ dtype, shape, values }: StoredWeight, { from, count }: RowRange): StoredWeight {
  const rowBytes = (dtype === "float32" ? 4 : 2) * shape.slice(1).reduce((a, b) => a * b, 1);
  const part =
    "file" in values
      ? { file: values.file, offset: values.offset + from * rowBytes, length: count * rowBytes }
      : { bytes: values.bytes.subarray(from * rowBytes, (from + count) * rowBytes) };
  return { dtype, shape: [count, ...shape.slice(1)], values: part };
}
