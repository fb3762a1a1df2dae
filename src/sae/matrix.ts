/**
 * A matrix of an SAE, where its values lie. Small ones are f32 in memory; large ones stay in their file at the width that
 * they have there: a decoder of 131,072 × 4,096 is 1 GiB of bf16, and would be 2 GiB of anonymous memory as f32.
 * d = width of the model, m = latents.
 */
import {
  add,
  cast,
  concat,
  type Graph,
  gatherColumns,
  gatherRows,
  linear,
  product,
  slice,
  type Tensor,
  transpose,
} from "../graph/index.js";

/** Values that ONNX Runtime maps from their file. */
export interface MappedMatrix {
  readonly dtype: "float32" | "float16" | "bfloat16";
  /** What of the stored matrix belongs to one latent: "rows" of [m, d], "columns" of [d, m]. */
  readonly latents: "rows" | "columns";
  readonly file: string;
  /** Byte of the file at which the values begin, row after row. */
  readonly offset: number;
  /** Norm of each latent's row or column [m]. */
  readonly norms: Float32Array;
}

/** In memory an encoder is [d, m] and a decoder [m, d]. */
export type SaeMatrix = Float32Array | MappedMatrix;

/** A matrix inside a graph. */
export interface GraphMatrix {
  /** x [N, d] → each latent's product with it [N, m]. */
  toLatents(x: Tensor): Tensor;
  /** z [N, m] → Σ_j z_j · latent j [N, d]. */
  fromLatents(z: Tensor): Tensor;
  /** ids [1] → the latent's values [1, d]. */
  pick(ids: Tensor): Tensor;
}

/** Values cast to f32 at once: 256 MiB, as for the vocabulary head of a model. */
const BLOCK_ELEMENTS = 2 ** 26;

/** A matrix in memory, fed as the input `name` of `graph`: [m, d] where latents are rows, else [d, m]. */
export function residentMatrix(
  graph: Graph,
  name: string,
  latents: "rows" | "columns",
  [d, m]: readonly [number, number],
): GraphMatrix {
  const byRow = latents === "rows";
  const matrix = graph.input(name, "float32", byRow ? [m, d] : [d, m]);
  return {
    toLatents: (x) => (byRow ? linear(x, matrix) : product(x, matrix)),
    fromLatents: (z) => (byRow ? product(z, matrix) : linear(z, matrix)),
    pick: (ids) => pickLatents(matrix, ids, latents),
  };
}

/** A mapped matrix, cast block by block of stored rows just before its use. */
export function mappedMatrix(
  graph: Graph,
  name: string,
  matrix: MappedMatrix,
  [d, m]: readonly [number, number],
  blockElements = BLOCK_ELEMENTS,
): GraphMatrix {
  const { dtype, latents, file, offset } = matrix;
  const [rows, width] = latents === "rows" ? [m, d] : [d, m];
  const bytes = dtype === "float32" ? 4 : 2;
  const stored = (label: string, from: number, count: number) =>
    graph.initializer(label, dtype, [count, width], {
      file,
      offset: offset + bytes * from * width,
      length: bytes * count * width,
    });
  const blockRows = Math.max(1, Math.floor(blockElements / width));
  const overBlocks = (use: (block: Tensor, from: number, count: number) => Tensor) =>
    Array.from({ length: Math.ceil(rows / blockRows) }, (_, i) => {
      const from = i * blockRows;
      const count = Math.min(blockRows, rows - from);
      return use(cast(stored(`${name}[${i}]`, from, count), "float32"), from, count);
    });
  /** x [N, width] → x Wᵀ [N, rows] */
  const across = (x: Tensor) =>
    concat(
      overBlocks((block) => linear(x, block)),
      1,
    );
  /** x [N, rows] → x W [N, width] */
  const along = (x: Tensor) =>
    overBlocks((block, from, count) => product(slice(x, 1, from, count), block)).reduce((sum, part) => add(sum, part));
  return {
    toLatents: latents === "rows" ? across : along,
    fromLatents: latents === "rows" ? along : across,
    pick: (ids) => pickLatents(stored(name, 0, rows), ids, latents),
  };
}

function pickLatents(matrix: Tensor, ids: Tensor, latents: "rows" | "columns"): Tensor {
  if (latents === "rows") return cast(gatherRows(matrix, ids), "float32");
  return transpose(cast(gatherColumns(matrix, ids), "float32"), [1, 0]); // [d, 1] → [1, d]
}

/** Norm of each latent's row or column [m]; measured for a matrix in memory. */
export function latentNorms(matrix: SaeMatrix, latents: "rows" | "columns", m: number): Float32Array {
  if (!(matrix instanceof Float32Array)) return matrix.norms;
  const squares = new LatentSquares(latents, latents === "rows" ? matrix.length / m : m, m);
  squares.add(matrix);
  return squares.norms();
}

/** Sums the squares of each latent over stored rows as they come. */
export class LatentSquares {
  readonly #latents: "rows" | "columns";
  readonly #width: number;
  readonly #squares: Float64Array;
  #row = 0;

  /** `width`: length of a stored row. */
  constructor(latents: "rows" | "columns", width: number, m: number) {
    this.#latents = latents;
    this.#width = width;
    this.#squares = new Float64Array(m);
  }

  /** Adds whole stored rows: numbers, or bits with the square of the number that each stands for. */
  add(rows: Float32Array | Uint16Array, squareOf?: Float64Array): void {
    const squares = this.#squares;
    const width = this.#width;
    for (let at = 0; at < rows.length; at += width) {
      const row = rows.subarray(at, at + width);
      if (this.#latents === "rows")
        squares[this.#row] = squareOf === undefined ? sumOfSquares(row) : sumOfLooked(row, squareOf);
      else if (squareOf === undefined) for (let j = 0; j < width; j++) squares[j] = squares[j]! + row[j]! * row[j]!;
      else for (let j = 0; j < width; j++) squares[j] = squares[j]! + squareOf[row[j]!]!;
      this.#row += 1;
    }
  }

  norms(): Float32Array {
    return Float32Array.from(this.#squares, Math.sqrt);
  }
}

function sumOfSquares(values: Float32Array | Uint16Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}

/** Four sums at a time: a single one would wait for itself at every addition. */
function sumOfLooked(bits: Float32Array | Uint16Array, squareOf: Float64Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 4 <= bits.length; i += 4) {
    a += squareOf[bits[i]!]!;
    b += squareOf[bits[i + 1]!]!;
    c += squareOf[bits[i + 2]!]!;
    d += squareOf[bits[i + 3]!]!;
  }
  for (; i < bits.length; i++) a += squareOf[bits[i]!]!;
  return a + b + c + d;
}
