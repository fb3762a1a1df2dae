/** An SAE's encoder or decoder out of its file: read into memory, or left there where it is large. */
import type { ByteSource } from "../../formats/byte-source.js";
import { bf16ToF32, f16ToF32 } from "../../formats/half.js";
import { InputError, quote } from "../../formats/input-error.js";
import {
  DTYPE_BYTES,
  isPlain,
  type LocatedTensor,
  readFiniteF32,
  readStoredRows,
  type TensorEntry,
  transposed,
} from "../../formats/tensor-file.js";
import { LatentSquares, type SaeMatrix } from "../matrix.js";

/** An SAE whose two matrices take no more than this as f32 is read into memory, where products need no casts. */
const IN_MEMORY_BYTES = 512 * 2 ** 20;
const MAPPABLE = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

/**
 * The matrix `tensor` with latents as rows [m, d] or columns [d, m]: in memory as `SaeMatrix` says, or left in its file where it
 * is large and the file holds it as processors read it. InputError for an element type that holds no weights, or values
 * that are not finite.
 */
export async function readSaeMatrix(
  tensor: LocatedTensor,
  role: "encoder" | "decoder",
  latents: "rows" | "columns",
  inMemoryBytes = IN_MEMORY_BYTES,
): Promise<SaeMatrix> {
  const { source, entry } = tensor;
  const [rows, columns] = entry.shape as [number, number];
  if (8 * rows * columns > inMemoryBytes && isMappable(source, entry)) {
    const dtype = MAPPABLE[entry.dtype as keyof typeof MAPPABLE];
    const norms = await finiteNorms(source, entry, latents, latents === "rows" ? rows : columns);
    return { dtype, latents, file: source.realPath!, offset: entry.begin, norms };
  }
  const asHeld = latents === (role === "encoder" ? "columns" : "rows") ? tensor : transposed(tensor);
  return readFiniteF32(asHeld.source, asHeld.entry);
}

/** Numpy does not align its arrays; ONNX Runtime would read such a one number by number across words. */
function isMappable({ realPath }: ByteSource, entry: TensorEntry): boolean {
  return (
    realPath !== undefined && entry.dtype in MAPPABLE && isPlain(entry) && entry.begin % DTYPE_BYTES[entry.dtype] === 0
  );
}

/** Norm of each latent. InputError where a value is not finite: every value is looked at here, for the last time before it is used. */
async function finiteNorms(
  source: ByteSource,
  entry: TensorEntry,
  latents: "rows" | "columns",
  m: number,
): Promise<Float32Array> {
  const squares = new LatentSquares(latents, entry.shape[1]!, m);
  const squareOf = entry.dtype === "F32" ? undefined : halfSquares(entry.dtype === "F16" ? f16ToF32 : bf16ToF32);
  await readStoredRows(source, entry, (rows) => squares.add(rows, squareOf));
  const norms = squares.norms();
  const bad = norms.findIndex((norm) => !Number.isFinite(norm));
  if (bad >= 0)
    throw new InputError(
      `${source.name}: ${quote(entry.name)} holds a value that is not finite for latent ${bad}; weights must be finite, so the file is damaged`,
    );
  return norms;
}

/** The square of every half-precision number, by its bits. */
function halfSquares(widen: (bits: Uint16Array) => Float32Array): Float64Array {
  return Float64Array.from(widen(Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits)), (x) => x * x);
}
