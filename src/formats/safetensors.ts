/**
 * The safetensors container, both ways: u64 header length, JSON header, packed little-endian tensors.
 * Specification: https://github.com/huggingface/safetensors (README, "Format"). Reading is as strict as the official
 * reader: whatever it would refuse is refused here, with the name of the file and what would be right.
 */
import type { ByteSource } from "./byte-source.js";
import { f32ToBf16, f32ToF16 } from "./half.js";
import { InputError, quote } from "./input-error.js";
import { byteLength, DTYPE_BYTES, MAX_DIMENSIONS, type TensorDtype, type TensorEntry } from "./tensor-file.js";

// Its tensors are read as those of every container.
export { readFiniteF32, readTensorF32, type TensorEntry } from "./tensor-file.js";

const DTYPES = Object.keys(DTYPE_BYTES) as TensorDtype[];

/** The u64 before the header. */
const LENGTH_BYTES = 8;
/** The official reader's MAX_HEADER_SIZE; a 405B model's largest shard header is under 1 MB. */
const MAX_HEADER_BYTES = 100_000_000;
/** The shortest header is `{}`. */
const MIN_HEADER_BYTES = 2;
/** Writers pad the header with spaces so that the data starts at a multiple of this. */
const HEADER_ALIGNMENT = 8;

export interface SafetensorsHeader {
  /** By name, in file order of the header; all of them plain. */
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
  if (!DTYPES.includes(dtype as TensorDtype))
    fail(
      file,
      `${where} has dtype ${typeof dtype === "string" ? quote(dtype) : "no text"}; readable are ${DTYPES.join(", ")}`,
    );
  if (!Array.isArray(shape) || shape.length > MAX_DIMENSIONS || !shape.every(isCount))
    fail(file, `${where} has no shape of whole numbers ≥ 0`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    fail(file, `${where} has no data_offsets [begin, end] of whole numbers ≥ 0`);
  const [begin, end] = offsets as [number, number];
  const expected = byteLength(dtype as TensorDtype, shape as number[]);
  if (!Number.isSafeInteger(expected) || end - begin !== expected)
    fail(
      file,
      `${where} holds ${end - begin} bytes but shape [${shape.join(", ")}] of ${String(dtype)} needs ${expected}`,
    );
  return {
    name,
    dtype: dtype as TensorDtype,
    shape: shape as number[],
    begin: dataStart + begin,
    end: dataStart + end,
  };
}

/** A tensor to write. */
export interface TensorToWrite extends TensorOutline {
  /** A Float32Array is converted to F32, F16, BF16 or F64; any other view is taken as the dtype's little-endian bytes. */
  readonly data: ArrayBufferView;
}

/** A tensor's place in a file that is about to be written. */
export interface TensorOutline {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
}

/**
 * Where tensors go in a safetensors file: the bytes before the data (length and header, padded with spaces to a multiple of
 * 8), and the tensors in the order in which their data must follow. The same for the same tensors and metadata whatever
 * their order: tensors by descending dtype then name (as the official writer), metadata by key.
 * Throws RangeError when a name is repeated or is `__metadata__`.
 */
export function layOutSafetensors<T extends TensorOutline>(
  tensors: readonly T[],
  metadata: Readonly<Record<string, string>> = {},
): { readonly start: Uint8Array; readonly order: readonly T[] } {
  const order = [...tensors].sort(
    (a, b) => DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype) || compareUtf8(a.name, b.name),
  );
  const names = new Set<string>(["__metadata__"]);
  const fields: string[] = []; // built by hand: an object would reorder names that look like integers
  const keys = Object.keys(metadata).sort(compareUtf8);
  if (keys.length > 0)
    fields.push(`"__metadata__":{${keys.map((k) => `${JSON.stringify(k)}:${JSON.stringify(metadata[k])}`).join(",")}}`);
  let at = 0;
  for (const { name, dtype, shape } of order) {
    if (names.has(name)) throw new RangeError(`tensor name ${quote(name)} is reserved or repeated`);
    names.add(name);
    const end = at + byteLength(dtype, shape);
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [at, end] })}`);
    at = end;
  }
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const padded = Math.ceil(header.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  const start = new Uint8Array(LENGTH_BYTES + padded);
  new DataView(start.buffer).setBigUint64(0, BigInt(padded), true);
  start.fill(0x20, LENGTH_BYTES).set(header, LENGTH_BYTES);
  return { start, order };
}

/**
 * The bytes of a safetensors file, laid out by `layOutSafetensors`. Throws RangeError when data and shape disagree, a name is
 * repeated or a name is `__metadata__`.
 */
export function writeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { start, order } = layOutSafetensors(tensors, metadata);
  const bodies = order.map(tensorBytes);
  const out = new Uint8Array(bodies.reduce((size, body) => size + body.length, start.length));
  out.set(start);
  let offset = start.length;
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

/** Byte order of UTF-8, as Rust compares names (UTF-16 order differs beyond the basic plane). */
function compareUtf8(a: string, b: string): number {
  const x = Array.from(a, (c) => c.codePointAt(0) as number);
  const y = Array.from(b, (c) => c.codePointAt(0) as number);
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return (x[i] as number) - (y[i] as number);
  return x.length - y.length;
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
