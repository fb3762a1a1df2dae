/** The key-value pairs of a GGUF header. */
import { quote } from "../input-error.js";
import { type Cursor, fail } from "./cursor.js";

/** A metadata value: 64-bit integers that a number cannot hold are refused, so that every number is exact. */
export type GgufValue = number | boolean | string | readonly GgufValue[];

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** The specification's bound on keys. */
const MAX_KEY_BYTES = 65_535;
/** The longest strings are chat templates, some 20 KB; licences reach 100 KB. */
const MAX_STRING_BYTES = 16 << 20;
/** Real files have up to a hundred keys. */
export const MAX_PAIRS = 100_000;
/** Values of all arrays together: the largest vocabularies have 260,000 tokens and 500,000 merges. */
const MAX_VALUES = 16 << 20;
/** No known key nests arrays at all. */
const MAX_DEPTH = 4;
const ARRAY = 9;

/** What has been read so far, against MAX_VALUES. */
interface Budget {
  values: number;
}

/** Reads `count` pairs. InputError for a repeated key, an unknown type or anything beyond the bounds above. */
export function readMetadata(cursor: Cursor, count: number): GgufMetadata {
  const metadata = new Map<string, GgufValue>();
  const budget = { values: 0 };
  for (let i = 0; i < count; i++) {
    const key = cursor.string(`key ${i}`, MAX_KEY_BYTES);
    if (metadata.has(key)) fail(cursor.file, `key ${quote(key)} is there twice`);
    metadata.set(key, readValue(cursor, cursor.u32(), quote(key), 0, budget));
  }
  return metadata;
}

function readValue(cursor: Cursor, type: number, what: string, depth: number, budget: Budget): GgufValue {
  switch (type) {
    case 0:
      return cursor.u8();
    case 1:
      return cursor.i8();
    case 2:
      return cursor.u16();
    case 3:
      return cursor.i16();
    case 4:
      return cursor.u32();
    case 5:
      return cursor.i32();
    case 6:
      return cursor.f32();
    case 7:
      return cursor.bool(what);
    case 8:
      return cursor.string(what, MAX_STRING_BYTES);
    case ARRAY:
      return readArray(cursor, what, depth + 1, budget);
    case 10:
      return cursor.u64(what);
    case 11:
      return cursor.i64(what);
    case 12:
      return cursor.f64();
    default:
      return fail(cursor.file, `${what} has value type ${type}; types 0 to 12 exist`);
  }
}

function readArray(cursor: Cursor, what: string, depth: number, budget: Budget): GgufValue[] {
  if (depth > MAX_DEPTH) fail(cursor.file, `${what} nests arrays more than ${MAX_DEPTH} deep`);
  const type = cursor.u32();
  const count = cursor.u64(`the length of ${what}`);
  budget.values += count;
  if (budget.values > MAX_VALUES)
    fail(cursor.file, `${what} brings the values of all arrays to ${budget.values} (at most ${MAX_VALUES})`);
  const values: GgufValue[] = [];
  for (let i = 0; i < count; i++) values.push(readValue(cursor, type, what, depth, budget));
  return values;
}
