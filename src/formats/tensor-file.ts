/**
 * One tensor of a file, whatever container holds it: where its values lie, and how they become f32. Containers differ in
 * how they say this (safetensors.ts, npz.ts, torch-file.ts); whoever reads weights knows only what stands here.
 */
import type { ByteSource } from "./byte-source.js";
import { bf16ToF32, f16ToF32 } from "./half.js";
import { InputError, quote } from "./input-error.js";

/** Bytes of one element, in the order of safetensors' official `Dtype` enum (increasing alignment), which its writers sort by. */
export const DTYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

/** Element type, by safetensors' names. */
export type TensorDtype = keyof typeof DTYPE_BYTES;

/** Bytes converted at once: large enough for disk speed, small beside the tensor it fills. */
const READ_CHUNK_BYTES = 16 * 1024 * 1024;
/** One `Float32Array` cannot be longer than this in V8 on 64-bit (2^32 elements = 16 GiB); the largest known tensor has 2.1e9. */
const MAX_ELEMENTS = 2 ** 32;
/** Tensors have up to five dimensions; a longer shape is damage, and would only fill a message. */
export const MAX_DIMENSIONS = 64;
/** Whole numbers read as settings (k, group sizes); no SAE has as many groups. */
const MAX_INTEGERS = 2 ** 16;

/** Where one tensor lies in its file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: TensorDtype;
  /** `[]` is a scalar. */
  readonly shape: readonly number[];
  /** Absolute offset in the file of element [0, …, 0]. */
  readonly begin: number;
  /** Absolute offset in the file after the last byte of the last element. */
  readonly end: number;
  /** Elements between neighbours along each axis, ≥ 0; absent = row-major (last index fastest) without gaps. */
  readonly strides?: readonly number[];
  /** Absent = little-endian. */
  readonly bigEndian?: true;
}

/** A tensor and what its offsets count in. */
export interface LocatedTensor {
  readonly source: ByteSource;
  readonly entry: TensorEntry;
}

/** Whether the tensor's bytes are an array as processors and ONNX Runtime read them: little-endian, row-major. */
export function isPlain({ strides, bigEndian }: TensorEntry): boolean {
  return strides === undefined && bigEndian === undefined;
}

/** Elements between neighbours along each axis of a row-major array. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, step = 1; axis >= 0; step *= shape[axis--]!) strides[axis] = step;
  return strides;
}

/** `entry` with these strides, left out where they are the row-major ones (an axis of length 1 has none that count). */
export function withStrides(entry: TensorEntry, strides: readonly number[]): TensorEntry {
  const { strides: _, ...rest } = entry;
  const usual = rowMajorStrides(entry.shape);
  const same = entry.shape.includes(0) || entry.shape.every((n, axis) => n === 1 || strides[axis] === usual[axis]);
  return same ? rest : { ...rest, strides };
}

/** The matrix [a, b] seen as [b, a]; its values are turned while they are read. */
export function transposed(tensor: LocatedTensor): LocatedTensor {
  const { source, entry } = tensor;
  const { shape, strides = rowMajorStrides(shape) } = entry;
  if (shape.length !== 2) throw new RangeError(`${entry.name}: only matrices are transposed, not ${shape.length} axes`);
  return { source, entry: withStrides({ ...entry, shape: shape.toReversed() }, strides.toReversed()) };
}

/** Bytes of a row-major tensor. */
export function byteLength(dtype: TensorDtype, shape: readonly number[]): number {
  // A zero must win over a huge dimension, so that [0, 2^60] is an empty tensor and not an overflow.
  if (shape.includes(0)) return 0;
  return shape.reduce((product, n) => product * n, DTYPE_BYTES[dtype]);
}

/** A tensor's values as f32 (F32, F16, BF16, F64; F64 is rounded), row-major. InputError for other dtypes. */
export async function readTensorF32(source: ByteSource, entry: TensorEntry): Promise<Float32Array> {
  const { dtype, shape } = entry;
  if (!isFloat(dtype))
    throw new InputError(
      `${source.name}: tensor ${quote(entry.name)} is ${dtype}; weights are read from F32, F16, BF16 or F64, so convert it to one of these`,
    );
  const size = DTYPE_BYTES[dtype];
  const count = byteLength(dtype, shape) / size;
  if (count > MAX_ELEMENTS)
    throw new InputError(
      `${source.name}: tensor ${quote(entry.name)} has ${count} elements; at most ${MAX_ELEMENTS} fit one array`,
    );
  const out = new Float32Array(count);
  const read = async (from: number, n: number, into: Float32Array<ArrayBuffer>) =>
    widen(await source.read(entry.begin + from * size, n * size), dtype, entry.bigEndian === true, into);
  const step = READ_CHUNK_BYTES / size;
  if (entry.strides === undefined)
    for (let from = 0; from < count; from += step) {
      const n = Math.min(step, count - from);
      await read(from, n, out.subarray(from, from + n));
    }
  else if (count > 0) await gather(axesOf(shape, entry.strides), read, step, out);
  return out;
}

/** The same for weights, which must be finite: InputError names the first value that is not. */
export async function readFiniteF32(source: ByteSource, entry: TensorEntry): Promise<Float32Array> {
  const values = await readTensorF32(source, entry);
  const bad = values.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0)
    throw new InputError(
      `${source.name}: ${quote(entry.name)} holds ${values[bad]} at element ${bad}; weights must be finite, so the file is damaged`,
    );
  return values;
}

/**
 * Passes over the stored rows of an F32, F16 or BF16 matrix that is plain, without holding it: `use` gets some whole rows at a
 * time, as f32 or as the bits of the half-precision numbers.
 */
export async function readStoredRows(
  source: ByteSource,
  entry: TensorEntry,
  use: (rows: Float32Array | Uint16Array) => void,
): Promise<void> {
  const size = DTYPE_BYTES[entry.dtype];
  const rowBytes = (entry.shape.at(-1) ?? 1) * size;
  const step = rowBytes * Math.max(1, Math.floor(READ_CHUNK_BYTES / rowBytes));
  for (let at = entry.begin; at < entry.end; at += step) {
    const bytes = await source.read(at, Math.min(step, entry.end - at));
    const { buffer, byteOffset, length } = aligned(bytes, size);
    use(
      entry.dtype === "F32"
        ? new Float32Array(buffer, byteOffset, length / 4)
        : new Uint16Array(buffer, byteOffset, length / 2),
    );
  }
}

/** A plain tensor's bytes as they lie in the file. InputError for one that is stored in another order. */
export async function readTensorBytes(source: ByteSource, entry: TensorEntry): Promise<Uint8Array> {
  if (!isPlain(entry))
    throw new InputError(
      `${source.name}: tensor ${quote(entry.name)} is not stored row by row; save it as safetensors`,
    );
  return source.read(entry.begin, entry.end - entry.begin);
}

/** Whole numbers of a scalar or vector that is a setting (k, group sizes). InputError for floats and for long ones. */
export async function readIntegers({ source, entry }: LocatedTensor): Promise<number[]> {
  const { dtype, shape, strides, begin, bigEndian } = entry;
  const count = byteLength(dtype, shape) / DTYPE_BYTES[dtype];
  if (!/^[IU]\d/.test(dtype) || shape.length > 1 || count > MAX_INTEGERS)
    throw new InputError(
      `${source.name}: ${quote(entry.name)} is ${dtype} [${shape.join(", ")}]; whole numbers, one or a short list, would be right`,
    );
  const bytes = await source.read(begin, count === 0 ? 0 : entry.end - begin);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bigEndian === undefined;
  const readers: Record<string, (at: number) => number> = {
    U8: (at) => view.getUint8(at),
    I8: (at) => view.getInt8(at),
    U16: (at) => view.getUint16(at, little),
    I16: (at) => view.getInt16(at, little),
    U32: (at) => view.getUint32(at, little),
    I32: (at) => view.getInt32(at, little),
    U64: (at) => Number(view.getBigUint64(at, little)),
    I64: (at) => Number(view.getBigInt64(at, little)),
  };
  return Array.from({ length: count }, (_, i) => readers[dtype]!(i * (strides?.[0] ?? 1) * DTYPE_BYTES[dtype]));
}

type FloatDtype = "F32" | "F16" | "BF16" | "F64";

function isFloat(dtype: TensorDtype): dtype is FloatDtype {
  return dtype === "F32" || dtype === "F16" || dtype === "BF16" || dtype === "F64";
}

/** `out.length` elements from their bytes. */
function widen(given: Uint8Array, dtype: FloatDtype, bigEndian: boolean, out: Float32Array<ArrayBuffer>): void {
  const size = DTYPE_BYTES[dtype];
  const bytes = bigEndian ? reversedElements(given, size) : aligned(given, size);
  const { buffer, byteOffset } = bytes;
  if (dtype === "F32") out.set(new Float32Array(buffer, byteOffset, out.length));
  else if (dtype === "F64") out.set(new Float64Array(buffer, byteOffset, out.length));
  else (dtype === "F16" ? f16ToF32 : bf16ToF32)(new Uint16Array(buffer, byteOffset, out.length), out);
}

/** Typed views need an offset that is a multiple of the element size. */
function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : bytes.slice();
}

function reversedElements(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += size)
    for (let i = 0; i < size; i++) out[at + i] = bytes[at + size - 1 - i]!;
  return out;
}

/** One axis of a strided tensor: its length, and elements between neighbours in the file and in the row-major result. */
interface Axis {
  readonly length: number;
  readonly stride: number;
  readonly step: number;
}

/** Axes longer than 1, widest stride first: the order in which the file is passed through from front to back. */
function axesOf(shape: readonly number[], strides: readonly number[]): Axis[] {
  const steps = rowMajorStrides(shape);
  return shape
    .map((length, axis) => ({ length, stride: strides[axis]!, step: steps[axis]! }))
    .filter(({ length }) => length > 1)
    .sort((a, b) => b.stride - a.stride);
}

/**
 * Fills `out` from element `from` of the file on, reading at most `limit` elements at once: what spans more is cut along its
 * widest axis.
 */
async function gather(
  axes: readonly Axis[],
  read: (from: number, n: number, into: Float32Array<ArrayBuffer>) => Promise<void>,
  limit: number,
  out: Float32Array,
  from = 0,
  to = 0,
): Promise<void> {
  const span = spanOf(axes);
  if (span <= limit) {
    const values = new Float32Array(span);
    await read(from, span, values);
    scatter(axes, values, 0, out, to);
    return;
  }
  const [widest, ...inner] = axes as [Axis, ...Axis[]];
  const rows = Math.max(1, Math.floor((limit - spanOf(inner)) / widest.stride) + 1);
  for (let row = 0; row < widest.length; row += rows) {
    const length = Math.min(rows, widest.length - row);
    const part = length === 1 ? inner : [{ ...widest, length }, ...inner];
    await gather(part, read, limit, out, from + row * widest.stride, to + row * widest.step);
  }
}

/** Elements from the first to the last, both counted. */
function spanOf(axes: readonly Axis[]): number {
  return axes.reduce((span, { length, stride }) => span + (length - 1) * stride, 1);
}

/** Rows that are turned together: 16 f32 fill a cache line of the result. */
const TILE_ROWS = 16;

function scatter(axes: readonly Axis[], values: Float32Array, from: number, out: Float32Array, to: number): void {
  const [a, b, ...inner] = axes;
  if (a === undefined) out[to] = values[from]!;
  else if (b === undefined) for (let i = 0; i < a.length; i++) out[to + i * a.step] = values[from + i * a.stride]!;
  else if (inner.length > 0)
    for (let i = 0; i < a.length; i++) scatter([b, ...inner], values, from + i * a.stride, out, to + i * a.step);
  else
    for (let tile = 0; tile < a.length; tile += TILE_ROWS) {
      const end = Math.min(a.length, tile + TILE_ROWS);
      for (let j = 0; j < b.length; j++)
        for (let i = tile; i < end; i++)
          out[to + i * a.step + j * b.step] = values[from + i * a.stride + j * b.stride]!;
    }
}
