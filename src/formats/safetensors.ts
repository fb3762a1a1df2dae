/**
 * The safetensors container, both ways: u64 header length, JSON header, packed little-endian tensors.
 * Specification: https://github.com/huggingface/safetensors (README, "Format"). Reading is as strict as the official
 * reader: whatever it would refuse is refused here, with the name of the file and what would be right.
 */
import type { ByteSource } from "./byte-source.js";
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from "./half.js";
import { InputError, quote } from "./input-error.js";

/** Bytes of one element, in the order of the official `Dtype` enum (increasing alignment), which writers sort by. */
const DTYPE_BYTES = {
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

/** Element type of a tensor, as the header spells it. */
export type SafetensorsDtype = keyof typeof DTYPE_BYTES;
const DTYPES = Object.keys(DTYPE_BYTES) as SafetensorsDtype[];

/** The u64 before the header. */
const LENGTH_BYTES = 8;
/** The official reader's MAX_HEADER_SIZE; a 405B model's largest shard header is under 1 MB. */
const MAX_HEADER_BYTES = 100_000_000;
/** The shortest header is `{}`. */
const MIN_HEADER_BYTES = 2;
/** Writers pad the header with spaces so that the data starts at a multiple of this. */
const HEADER_ALIGNMENT = 8;
/** Bytes converted at once: large enough for disk speed, small beside the tensor it fills. */
const READ_CHUNK_BYTES = 16 * 1024 * 1024;
/** Tensors have up to five dimensions; a longer shape is damage, and would only fill a message. */
const MAX_DIMENSIONS = 64;
/** One `Float32Array` cannot be longer than this in V8 on 64-bit (2^32 elements = 16 GiB); the largest known tensor has 2.1e9. */
const MAX_ELEMENTS = 2 ** 32;

/** Where one tensor lies in its file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  /** Row-major, last index fastest; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** Absolute offset in the file of the first byte. */
  readonly begin: number;
  /** Absolute offset in the file after the last byte. */
  readonly end: number;
}

export interface SafetensorsHeader {
  /** By name, in file order of the header. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** `__metadata__`; empty where the file has none. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Reads and checks a file's header. Rejects with InputError when the file is not a whole, valid safetensors file. */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const { name: file, size } = source;
  if (size < LENGTH_BYTES + MIN_HEADER_BYTES)
    throw new InputError(
      `${file}: ${size} bytes are too few for a safetensors file (at least ${LENGTH_BYTES + MIN_HEADER_BYTES}); is the download complete?`,
    );
  const lengthBytes = await source.read(0, LENGTH_BYTES);
  const wide = new DataView(lengthBytes.buffer, lengthBytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (wide < MIN_HEADER_BYTES || wide > MAX_HEADER_BYTES)
    throw new InputError(
      `${file}: the header length reads ${wide} (allowed ${MIN_HEADER_BYTES} to ${MAX_HEADER_BYTES}); this is not a safetensors file or its start is damaged`,
    );
  const length = Number(wide);
  const dataStart = LENGTH_BYTES + length;
  if (dataStart > size)
    throw new InputError(
      `${file}: the header should be ${length} bytes but the file has only ${size}; download it again`,
    );
  const header = parseHeaderJson(file, await source.read(LENGTH_BYTES, length));

  const tensors = new Map<string, TensorEntry>();
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      for (const [key, text] of Object.entries(asRecord(value) ?? fail(file, "__metadata__ is not an object"))) {
        if (typeof text !== "string") fail(file, `__metadata__ ${quote(key)} is not a string`);
        metadata.set(key, text);
      }
    } else tensors.set(name, parseEntry(file, name, value, dataStart));
  }

  let at = dataStart;
  for (const entry of [...tensors.values()].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== at)
      fail(
        file,
        `tensor ${quote(entry.name)} starts at data byte ${entry.begin - dataStart}, ${entry.begin < at ? "inside the tensor before it" : "leaving a hole"}; ${at - dataStart} would be right`,
      );
    at = entry.end;
  }
  if (at !== size)
    throw new InputError(
      `${file}: the tensors end at byte ${at} but the file has ${size} bytes; ${at > size ? "it is cut short, download it again" : "there is extra data at the end"}`,
    );
  return { tensors, metadata };
}

function parseHeaderJson(file: string, bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) fail(file, "the header does not start with '{'");
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch (error) {
    fail(file, `the header is not valid UTF-8 JSON (${(error as Error).message})`);
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) fail(file, `${quote(repeated)} is there twice in one object`);
  return asRecord(parsed) ?? fail(file, "the header is not a JSON object");
}

/**
 * A key that one object of the valid JSON `json` holds twice, undefined when there is none. The format forbids it, and
 * JSON.parse would silently take the last.
 */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    if (json[at] === "{") open.push(new Set());
    else if (json[at] === "}") open.pop();
    if (json[at] !== '"') continue;
    const start = at++;
    while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
    let next = at + 1;
    while (json[next] === " " || json[next] === "\n" || json[next] === "\r" || json[next] === "\t") next++;
    if (json[next] !== ":") continue; // a value
    const key = JSON.parse(json.slice(start, at + 1)) as string;
    const keys = open.at(-1) as Set<string>;
    if (keys.has(key)) return key;
    keys.add(key);
  }
  return undefined;
}

function parseEntry(file: string, name: string, value: unknown, dataStart: number): TensorEntry {
  const where = `tensor ${quote(name)}`;
  const record = asRecord(value) ?? fail(file, `${where} is not an object`);
  const { dtype, shape, data_offsets: offsets } = record;
  if (!DTYPES.includes(dtype as SafetensorsDtype))
    fail(
      file,
      `${where} has dtype ${typeof dtype === "string" ? quote(dtype) : "no text"}; readable are ${DTYPES.join(", ")}`,
    );
  if (!Array.isArray(shape) || shape.length > MAX_DIMENSIONS || !shape.every(isCount))
    fail(file, `${where} has no shape of whole numbers ≥ 0`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    fail(file, `${where} has no data_offsets [begin, end] of whole numbers ≥ 0`);
  const [begin, end] = offsets as [number, number];
  const expected = byteLength(dtype as SafetensorsDtype, shape as number[]);
  if (!Number.isSafeInteger(expected) || end - begin !== expected)
    fail(
      file,
      `${where} holds ${end - begin} bytes but shape [${shape.join(", ")}] of ${String(dtype)} needs ${expected}`,
    );
  return {
    name,
    dtype: dtype as SafetensorsDtype,
    shape: shape as number[],
    begin: dataStart + begin,
    end: dataStart + end,
  };
}

/** A tensor's bytes as they lie in the file, little-endian. */
export function readTensorBytes(source: ByteSource, entry: TensorEntry): Promise<Uint8Array> {
  return source.read(entry.begin, entry.end - entry.begin);
}

/** A tensor's values as f32 (F32, F16, BF16, F64; F64 is rounded), row-major. InputError for other dtypes. */
export async function readTensorF32(source: ByteSource, entry: TensorEntry): Promise<Float32Array> {
  const { size, count } = floatExtent(source, entry);
  const out = new Float32Array(count);
  const step = READ_CHUNK_BYTES / size;
  for (let from = 0; from < count; from += step)
    await readPart(source, entry, from, out.subarray(from, Math.min(count, from + step)));
  return out;
}

/** Bytes an element and the number of elements of a tensor of floats. InputError for other dtypes. */
function floatExtent(source: ByteSource, entry: TensorEntry): { size: number; count: number } {
  const { dtype } = entry;
  if (dtype !== "F32" && dtype !== "F16" && dtype !== "BF16" && dtype !== "F64")
    throw new InputError(
      `${source.name}: tensor ${quote(entry.name)} is ${dtype}; weights are read from F32, F16, BF16 or F64, so convert it to one of these`,
    );
  const size = DTYPE_BYTES[dtype];
  const count = (entry.end - entry.begin) / size;
  if (count > MAX_ELEMENTS)
    throw new InputError(
      `${source.name}: tensor ${quote(entry.name)} has ${count} elements; at most ${MAX_ELEMENTS} fit one array`,
    );
  return { size, count };
}

/** Elements from `from` on, as many as `part` holds. */
async function readPart(source: ByteSource, entry: TensorEntry, from: number, part: Float32Array): Promise<void> {
  const { dtype } = entry;
  const size = DTYPE_BYTES[dtype];
  const n = part.length;
  const bytes = aligned(await source.read(entry.begin + from * size, n * size), size);
  if (dtype === "F32") part.set(new Float32Array(bytes.buffer, bytes.byteOffset, n));
  else if (dtype === "F64") part.set(new Float64Array(bytes.buffer, bytes.byteOffset, n));
  else (dtype === "F16" ? f16ToF32 : bf16ToF32)(new Uint16Array(bytes.buffer, bytes.byteOffset, n), part);
}

/** `readTensorF32` for weights, which must be finite: InputError names the first value that is not. */
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
 * Passes over the stored rows of an F32, F16 or BF16 matrix without holding it: `use` gets some whole rows at a time, as f32 or
 * as the bits of the half-precision numbers.
 */
export async function readStoredRows(
  source: ByteSource,
  entry: TensorEntry,
  use: (rows: Float32Array | Uint16Array) => void,
): Promise<void> {
  const rowBytes = (entry.shape.at(-1) ?? 1) * DTYPE_BYTES[entry.dtype];
  const step = rowBytes * Math.max(1, Math.floor(READ_CHUNK_BYTES / rowBytes));
  for (let at = entry.begin; at < entry.end; at += step) {
    const bytes = await source.read(at, Math.min(step, entry.end - at));
    const { buffer, byteOffset, length } = aligned(bytes, DTYPE_BYTES[entry.dtype]);
    use(
      entry.dtype === "F32"
        ? new Float32Array(buffer, byteOffset, length / 4)
        : new Uint16Array(buffer, byteOffset, length / 2),
    );
  }
}

/** A tensor to write. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** A Float32Array is converted to F32, F16, BF16 or F64; any other view is taken as the dtype's little-endian bytes. */
  readonly data: ArrayBufferView;
}

/**
 * The bytes of a safetensors file, the same for the same tensors and metadata whatever their order: tensors by
 * descending dtype then name (as the official writer), metadata by key, header padded with spaces to a multiple of 8.
 * Throws RangeError when data and shape disagree, a name is repeated or a name is `__metadata__`.
 */
export function writeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort(
    (a, b) => DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype) || compareUtf8(a.name, b.name),
  );
  const names = new Set<string>(["__metadata__"]);
  const bodies: Uint8Array[] = [];
  const fields: string[] = []; // built by hand: an object would reorder names that look like integers
  const keys = Object.keys(metadata).sort(compareUtf8);
  if (keys.length > 0)
    fields.push(`"__metadata__":{${keys.map((k) => `${JSON.stringify(k)}:${JSON.stringify(metadata[k])}`).join(",")}}`);
  let at = 0;
  for (const tensor of sorted) {
    if (names.has(tensor.name)) throw new RangeError(`tensor name ${quote(tensor.name)} is reserved or repeated`);
    names.add(tensor.name);
    const body = tensorBytes(tensor);
    const { dtype, shape } = tensor;
    fields.push(
      `${JSON.stringify(tensor.name)}:${JSON.stringify({ dtype, shape, data_offsets: [at, at + body.length] })}`,
    );
    bodies.push(body);
    at += body.length;
  }
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const padded = Math.ceil(header.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  const out = new Uint8Array(LENGTH_BYTES + padded + at);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true);
  out.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + padded).set(header, LENGTH_BYTES);
  let offset = LENGTH_BYTES + padded;
  for (const body of bodies) {
    out.set(body, offset);
    offset += body.length;
  }
  return out;
}

function tensorBytes({ name, dtype, shape, data }: TensorToWrite): Uint8Array {
  let view = data;
  if (data instanceof Float32Array) {
    if (dtype === "F16") view = f32ToF16(data);
    else if (dtype === "BF16") view = f32ToBf16(data);
    else if (dtype === "F64") view = Float64Array.from(data);
    else if (dtype !== "F32")
      throw new RangeError(`tensor ${quote(name)}: a Float32Array cannot be written as ${dtype}`);
  }
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const expected = byteLength(dtype, shape);
  if (bytes.length !== expected)
    throw new RangeError(
      `tensor ${quote(name)}: ${bytes.length} bytes given, shape [${shape.join(", ")}] of ${dtype} needs ${expected}`,
    );
  return bytes;
}

function byteLength(dtype: SafetensorsDtype, shape: readonly number[]): number {
  // A zero must win over a huge dimension, so that [0, 2^60] is an empty tensor and not an overflow.
  if (shape.includes(0)) return 0;
  return shape.reduce((product, n) => product * n, DTYPE_BYTES[dtype]);
}

/** Byte order of UTF-8, as Rust compares names (UTF-16 order differs beyond the basic plane). */
function compareUtf8(a: string, b: string): number {
  const x = Array.from(a, (c) => c.codePointAt(0) as number);
  const y = Array.from(b, (c) => c.codePointAt(0) as number);
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return (x[i] as number) - (y[i] as number);
  return x.length - y.length;
}

/** Typed views need an offset that is a multiple of the element size. */
function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : bytes.slice();
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function fail(file: string, what: string): never {
  throw new InputError(`${file}: ${what}; the safetensors header is invalid, write or download the file again`);
}
