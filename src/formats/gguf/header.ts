/**
 * The header of a GGUF file (versions 2 and 3, little-endian): metadata, and where each tensor lies. Specification:
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Nothing is taken on trust: counts, lengths, types, shapes,
 * alignment and ranges are checked, so that what comes out can be read without further care.
 */
import type { ByteSource } from "../byte-source.js";
import { InputError, quote } from "../input-error.js";
import { Cursor, fail, NeedMoreBytes, tensorNamed } from "./cursor.js";
import { type GgmlType, ggmlType } from "./ggml-types.js";
import { type GgufMetadata, MAX_PAIRS, readMetadata } from "./metadata.js";

/** "GGUF" as a little-endian u32. */
const MAGIC = 0x46554747;
const VERSIONS = [2, 3];
/** A header without pairs and tensors. */
const MIN_BYTES = 24;
/** What is read at first: the header of a model with 32,000 tokens has 1 to 2 MB. */
const FIRST_READ_BYTES = 4 << 20;
/** Headers hold vocabulary and merges: 15 MB for the largest known. */
const MAX_HEADER_BYTES = 256 << 20;
/** A 405B model has 1,138; expert layers are one tensor each in this format. */
const MAX_TENSORS = 100_000;
/** The specification's bound on tensor names. */
const MAX_NAME_BYTES = 64;
/** The specification's bound on dimensions. */
const MAX_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT = 32;
/** Larger alignments than a huge page serve nothing. */
const MAX_ALIGNMENT = 1 << 21;

/** Where one tensor lies in its file. */
export interface GgufTensor {
  readonly name: string;
  readonly type: GgmlType;
  /** Row-major, last index fastest: the reverse of the order in the file. Blocks lie along the last dimension. */
  readonly shape: readonly number[];
  /** Absolute offset in the file of the first byte, and how many there are. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly metadata: GgufMetadata;
  /** By name, in file order. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** Reads and checks the header. InputError when the file is not a whole, valid GGUF file, or holds unsupported types. */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  const { name: file, size } = source;
  if (size < MIN_BYTES)
    throw new InputError(
      `${file}: ${size} bytes are too few for a GGUF file (at least ${MIN_BYTES}); is the download complete?`,
    );
  // Strings come one after another, so only parsing tells where the header ends: try with more until it fits.
  for (let length = FIRST_READ_BYTES; ; length *= 4) {
    const bytes = await source.read(0, Math.min(length, size, MAX_HEADER_BYTES));
    try {
      return parseHeader(new Cursor(file, bytes), size);
    } catch (error) {
      if (!(error instanceof NeedMoreBytes)) throw error;
      if (bytes.length === size)
        throw new InputError(`${file}: ends inside its header; it is cut short, download it again`);
      if (bytes.length === MAX_HEADER_BYTES) fail(file, `the header is longer than ${MAX_HEADER_BYTES} bytes`);
    }
  }
}

function parseHeader(cursor: Cursor, fileSize: number): GgufHeader {
  const { file } = cursor;
  if (cursor.u32() !== MAGIC) throw new InputError(`${file}: does not begin with "GGUF"; this is not a GGUF file`);
  const version = cursor.u32();
  if ((version & 0xffff) === 0)
    throw new InputError(`${file}: is big-endian; only little-endian GGUF files are read, so convert it`);
  if (!VERSIONS.includes(version))
    throw new InputError(`${file}: is GGUF version ${version}; versions ${VERSIONS.join(" and ")} are read`);
  const tensorCount = cursor.u64("the number of tensors");
  if (tensorCount > MAX_TENSORS) fail(file, `it announces ${tensorCount} tensors (at most ${MAX_TENSORS})`);
  const pairCount = cursor.u64("the number of metadata keys");
  if (pairCount > MAX_PAIRS) fail(file, `it announces ${pairCount} metadata keys (at most ${MAX_PAIRS})`);
  const metadata = readMetadata(cursor, pairCount);
  const alignment = alignmentOf(metadata, file);

  const entries: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) entries.push(readEntry(cursor, i, alignment));
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const entry of entries) {
    if (tensors.has(entry.name)) fail(file, `${tensorNamed(entry.name)} is there twice`);
    tensors.set(entry.name, { ...entry, offset: dataStart + entry.offset });
  }
  checkRanges([...tensors.values()], file, fileSize);
  return { metadata, tensors };
}

function alignmentOf(metadata: GgufMetadata, file: string): number {
  const given = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof given !== "number" || !(given >= 1 && given <= MAX_ALIGNMENT) || !Number.isInteger(Math.log2(given)))
    fail(file, `general.alignment is ${String(given).slice(0, 20)}, not a power of two up to ${MAX_ALIGNMENT}`);
  return given;
}

/** One tensor; its offset still counts from the start of the data. */
function readEntry(cursor: Cursor, index: number, alignment: number): GgufTensor {
  const { file } = cursor;
  const name = cursor.string(`the name of tensor ${index}`, MAX_NAME_BYTES);
  const where = tensorNamed(name);
  const dimensions = cursor.u32();
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS)
    fail(file, `${where} has ${dimensions} dimensions (1 to ${MAX_DIMENSIONS} are allowed)`);
  const shape = Array.from({ length: dimensions }, () => cursor.u64(`a dimension of ${where}`)).reverse();
  const type = ggmlType(cursor.u32(), file, name);
  const offset = cursor.u64(`the offset of ${where}`);
  const row = shape.at(-1)!;
  if (shape.includes(0)) fail(file, `${where} has shape [${shape.join(", ")}]; a weight has no empty dimension`);
  if (row % type.blockElements !== 0)
    fail(file, `${where} has rows of ${row} elements, which ${type.name} cannot divide into ${type.blockElements}s`);
  const bytes = shape.reduce((product, n) => product * n, type.blockBytes / type.blockElements);
  if (!Number.isSafeInteger(bytes)) fail(file, `${where} has shape [${shape.join(", ")}], which no file can hold`);
  if (offset % alignment !== 0) fail(file, `${where} starts at data byte ${offset}, not at a multiple of ${alignment}`);
  return { name, type, shape, offset, bytes };
}

/** Every tensor inside the file, none over another. */
function checkRanges(tensors: readonly GgufTensor[], file: string, fileSize: number): void {
  let end = 0;
  let before = "";
  for (const { name, offset, bytes } of [...tensors].sort((a, b) => a.offset - b.offset)) {
    if (offset < end) fail(file, `${tensorNamed(name)} overlaps ${tensorNamed(before)}`);
    end = offset + bytes;
    before = name;
    if (end > fileSize)
      throw new InputError(
        `${file}: ${quote(name)} should end at byte ${end} but the file has ${fileSize}; it is cut short, download it again`,
      );
  }
}
