/**
 * The header of one numpy array: magic, version, length, and a Python dict literal with dtype, order and shape.
 * Specification: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html (versions 1.0 to 3.0).
 */
import { InputError, quote } from "./input-error.js";
import { MAX_DIMENSIONS, type TensorDtype } from "./tensor-file.js";

/** Magic, two bytes of version, and the longest form of the length. */
export const NPY_START_BYTES = 12;
/** Plain arrays have headers of 64 or 128 bytes; only structured dtypes, which are refused, make long ones. */
const MAX_HEADER_BYTES = 4096;
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** numpy's kind and size → dtype; the byte order stands before them. */
const DTYPES: Readonly<Record<string, TensorDtype>> = {
  b1: "BOOL",
  i1: "I8",
  i2: "I16",
  i4: "I32",
  i8: "I64",
  u1: "U8",
  u2: "U16",
  u4: "U32",
  u8: "U64",
  f2: "F16",
  f4: "F32",
  f8: "F64",
};

/** What a header says of its array. */
export interface NpyHeader {
  readonly dtype: TensorDtype;
  readonly bigEndian: true | undefined;
  /** Column-major: first index fastest. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** Where the header's text is, from an array's first NPY_START_BYTES bytes. `where` names the array in messages. */
export function npyHeaderRange(start: Uint8Array, where: string): { begin: number; end: number } {
  if (start.length < NPY_START_BYTES || MAGIC.some((byte, i) => start[i] !== byte))
    throw new InputError(`${where}: is not a numpy array; an .npz file holds .npy entries, as numpy.savez writes them`);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const version = start[6]!;
  if (version < 1 || version > 3) throw new InputError(`${where}: has npy version ${version}; 1 to 3 can be read`);
  const begin = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES)
    throw new InputError(`${where}: has a header of ${length} bytes; plain arrays need at most ${MAX_HEADER_BYTES}`);
  return { begin, end: begin + length };
}

/** Reads the header's text. InputError unless it is the literal that numpy writes, of a plain numeric array. */
export function parseNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  const text = new TextDecoder().decode(bytes);
  const fields = literalFields(text.trim());
  const descr = fields?.get("descr");
  const order = fields?.get("fortran_order");
  const shape = fields?.get("shape");
  if (descr === undefined || shape === undefined || (order !== "True" && order !== "False"))
    throw new InputError(
      `${where}: its header ${quote(text.trim())} is not {'descr': …, 'fortran_order': …, 'shape': …}`,
    );
  if (/^'[<>|=]?O/.test(descr))
    throw new InputError(
      `${where}: holds Python objects (dtype ${quote(descr)}), which would have to be unpickled; save numeric arrays`,
    );
  const [, endian, kind] = /^'([<>|=]?)([a-zA-Z]\d+)'$/.exec(descr) ?? [];
  const dtype = kind === undefined || !Object.hasOwn(DTYPES, kind) ? undefined : DTYPES[kind];
  if (dtype === undefined)
    throw new InputError(
      `${where}: has dtype ${quote(descr)}; numbers of ${Object.keys(DTYPES).join(", ")} can be read`,
    );
  return {
    dtype,
    bigEndian: endian === ">" || undefined,
    fortranOrder: order === "True",
    shape: parseShape(shape, where),
  };
}

/** `(2304, 16384)`, `(8,)`, `()`. */
function parseShape(text: string, where: string): number[] {
  const lengths = text
    .slice(1, -1)
    .split(",")
    .map((part) => part.trim().replace(/L$/, "")) // Python 2 wrote 8L
    .filter((part) => part !== "");
  const shape = lengths.map(Number);
  const counts = lengths.every((part) => /^\d+$/.test(part)) && shape.every(Number.isSafeInteger);
  if (!text.startsWith("(") || !counts || shape.length > MAX_DIMENSIONS)
    throw new InputError(`${where}: has shape ${quote(text)}; whole numbers ≥ 0 in brackets would be right`);
  return shape;
}

/** The fields of a flat Python dict literal of strings, names and tuples of numbers; undefined where it is none. */
function literalFields(text: string): Map<string, string> | undefined {
  const body = /^\{(.*)\}$/s.exec(text)?.[1];
  if (body === undefined) return undefined;
  const fields = new Map<string, string>();
  const field = /\s*'(\w+)'\s*:\s*('[^']*'|\([^()]*\)|\[[^\]]*\]|\w+)\s*(?:,|$)/y;
  while (field.lastIndex < body.trimEnd().length) {
    const [, key, value] = field.exec(body) ?? [];
    if (key === undefined || value === undefined || fields.has(key)) return undefined;
    fields.set(key, value);
  }
  return fields;
}
