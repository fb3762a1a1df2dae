/** Weights as graph tensors: half-precision ones are cast, four-bit ones dequantised, just before use. */
import {
  cast,
  type Graph,
  gatherRows,
  type InitializerValues,
  mul,
  reshape,
  slice,
  type Tensor,
} from "../graph/index.js";
import type { LowRank, Parameters } from "./decoder.js";
import type { RowRange } from "./modules.js";
import { NF4_LEVELS } from "./nf4.js";
import type { AdapterStore, StoredWeight, WeightStore } from "./weights.js";

/** A half-precision matrix with more rows than this is cast block by block: 16,384 × 4,096 f32 is 256 MiB. */
const BLOCK_ROWS = 16_384;

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
    if (weight.dtype === "float32" || weight.dtype === "nf4" || rows <= BLOCK_ROWS || !("file" in weight.values))
      return [undefined];
    return Array.from({ length: Math.ceil(rows / BLOCK_ROWS) }, (_, i) => ({
      from: i * BLOCK_ROWS,
      count: Math.min(BLOCK_ROWS, rows - i * BLOCK_ROWS),
    }));
  }

  embed(name: string, ids: Tensor): Tensor {
    const weight = this.store.get(name)!;
    const { dtype } = weight;
    if (dtype === "float32" || dtype === "nf4") return gatherRows(this.get(name), ids);
    const table = this.once(`${name} (stored)`, () =>
      this.graph.initializer(`${name} (stored)`, dtype, weight.shape, weight.values),
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

  /** A weight in f32, or some of its rows: of a trained or quantised one cut from the whole, of others where they lie. */
  private stored(name: string, weight: StoredWeight, rows?: RowRange): Tensor {
    if (!rows) return this.once(name, () => this.wide(name, weight));
    const key = `${name}[${rows.from}]`;
    return this.once(key, () =>
      this.isTrained(name) || weight.dtype === "nf4"
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
    if (weight.dtype === "nf4") return this.dequantised(name, weight);
    return cast(this.graph.initializer(name, weight.dtype, weight.shape, weight.values), "float32");
  }

  /** Values of an nf4 weight: a table says which two levels a byte of codes stands for. */
  private dequantised(name: string, { shape, values, blocks }: StoredWeight): Tensor {
    const { scales, rounded } = blocks!;
    const count = shape.reduce((a, b) => a * b, 1);
    const bytes = this.graph.initializer(name, "uint8", [count / 2], values);
    const pairs = this.once("nf4 pairs", () =>
      this.graph.initializer("nf4 pairs", "float32", [256, 2], bytesOf(levelPairs())),
    );
    const levels = gatherRows(pairs, cast(bytes, "int32")); // [count / 2, 2]
    const magnitudes = this.graph.initializer(`${name}.scales`, "float32", [scales.length, 1], bytesOf(scales));
    const scaled = mul(reshape(levels, [scales.length, count / scales.length]), magnitudes);
    return reshape(cast(cast(scaled, rounded), "float32"), shape);
  }

  private once(key: string, make: () => Tensor): Tensor {
    const tensor = this.made.get(key) ?? make();
    this.made.set(key, tensor);
    return tensor;
  }
}

/** The two levels of each byte of codes, [256, 2]. */
function levelPairs(): Float32Array {
  return Float32Array.from({ length: 512 }, (_, i) => NF4_LEVELS[i % 2 === 0 ? i >> 5 : (i >> 1) & 15]!);
}

function bytesOf(values: Float32Array): InitializerValues {
  return { bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
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
