/**
 * ZIP archives as numpy and PyTorch write them: the central directory, then single entries as byte sources.
 * Specification: PKWARE APPNOTE.TXT 6.3. Sizes come from the central directory alone: numpy's local headers say 0xFFFFFFFF.
 */
import type { ByteSource } from "./byte-source.js";
import { inflateSource } from "./inflate.js";
import { InputError, quote } from "./input-error.js";
import { checkRange } from "./memory-source.js";

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_RECORD = 0x06054b50;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_END_RECORD = 0x06064b50;

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const ZIP64_END_BYTES = 56;
/** The comment after the end record has a 16-bit length. */
const MAX_COMMENT_BYTES = 0xffff;
/** In a 32-bit field: the value stands in the zip64 extra field. */
const IN_ZIP64 = 0xffffffff;
const ZIP64_EXTRA = 1;
/** A checkpoint shard has some thousand entries of about 100 bytes; this leaves room for a hundred times that. */
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024;
/** Deflate reaches 1000:1 on zeros, weights hardly 2:1. What is larger than this and shrank further than that is a bomb. */
const ALWAYS_INFLATED_BYTES = 64 * 1024 * 1024;
const MAX_RATIO = 100;

const STORED = 0;
const DEFLATED = 8;
/** General purpose flag: the entry is encrypted. */
const ENCRYPTED = 1;

/** One file in the archive, as the central directory has it. */
export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflated; readZip lets no other pass. */
  readonly method: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Offset of the local header. */
  readonly header: number;
}

/** Where an entry's bytes can be read: for a stored one in the archive itself, so that they can be mapped there. */
export interface ZipContent {
  readonly source: ByteSource;
  /** Offset in `source` of the entry's first byte. */
  readonly begin: number;
}

/** Entries by name, in the order of the directory. InputError for whatever is not a whole archive of plain entries. */
export async function readZip(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const { offset, length, count } = await findDirectory(source);
  if (length > MAX_DIRECTORY_BYTES || offset + length > source.size)
    fail(source, `its directory should be ${length} bytes at ${offset}, in a file of ${source.size}`);
  const bytes = await source.read(offset, length);
  const view = viewOf(bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > length || view.getUint32(at, true) !== CENTRAL_HEADER)
      fail(source, `entry ${i} of its directory, of ${count}, is not one`);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + CENTRAL_BYTES + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > length) fail(source, `entry ${i} of its directory runs past its end`);
    const nameEnd = at + CENTRAL_BYTES + nameLength;
    const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_BYTES, nameEnd));
    const entry = centralEntry(source, name, view, at, nameEnd, nameEnd + extraLength);
    if (entries.has(name)) fail(source, `${quote(name)} is there twice`);
    entries.set(name, entry);
    at = next;
  }
  return entries;
}

/** Where the bytes of `entry` are. A deflated one is inflated while it is read, from front to back. */
export async function openZipEntry(source: ByteSource, entry: ZipEntry): Promise<ZipContent> {
  const { name, header, method, compressedSize, size } = entry;
  if (header + LOCAL_BYTES > source.size) fail(source, `${quote(name)} should start at byte ${header}`);
  const local = viewOf(await source.read(header, LOCAL_BYTES));
  if (local.getUint32(0, true) !== LOCAL_HEADER) fail(source, `${quote(name)} has no header at byte ${header}`);
  // The local extra field may be longer than the directory's: PyTorch pads it so that the data is aligned.
  const begin = header + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  if (begin + compressedSize > source.size)
    fail(source, `${quote(name)} should end at byte ${begin + compressedSize}, after the end of the file`);
  if (method === STORED) return { source, begin };
  return { source: inflateSource(source, begin, compressedSize, size, name), begin: 0 };
}

/** All bytes of `entry`. InputError beyond `limit`, which is what such an entry may need at most. */
export async function readZipEntry(source: ByteSource, entry: ZipEntry, limit: number): Promise<Uint8Array> {
  if (entry.size > limit) fail(source, `${quote(entry.name)} has ${entry.size} bytes; at most ${limit} are read`);
  const content = await openZipEntry(source, entry);
  return content.source.read(content.begin, entry.size);
}

/** Where the central directory is: from the end record, or its zip64 form where that defers to it. */
async function findDirectory(source: ByteSource): Promise<{ offset: number; length: number; count: number }> {
  const tailLength = Math.min(source.size, END_BYTES + MAX_COMMENT_BYTES + LOCATOR_BYTES);
  const tail = viewOf(await source.read(source.size - tailLength, tailLength));
  let at = tailLength - END_BYTES;
  while (
    at >= 0 &&
    !(tail.getUint32(at, true) === END_RECORD && at + END_BYTES + tail.getUint16(at + 20, true) === tailLength)
  )
    at--;
  if (at < 0) fail(source, "it has no end record");
  const found = {
    count: tail.getUint16(at + 10, true),
    length: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
  const locator = at - LOCATOR_BYTES;
  if (locator < 0 || tail.getUint32(locator, true) !== ZIP64_LOCATOR) {
    if (found.offset === IN_ZIP64 || found.length === IN_ZIP64) fail(source, "its zip64 end record is missing");
    return found;
  }
  const end = wide(source, tail, locator + 8);
  if (end + ZIP64_END_BYTES > source.size) fail(source, `its zip64 end record should be at byte ${end}`);
  const record = viewOf(await source.read(end, ZIP64_END_BYTES));
  if (record.getUint32(0, true) !== ZIP64_END_RECORD) fail(source, `byte ${end} is no zip64 end record`);
  return {
    count: wide(source, record, 32),
    length: wide(source, record, 40),
    offset: wide(source, record, 48),
  };
}

function centralEntry(
  source: ByteSource,
  name: string,
  view: DataView,
  at: number,
  extra: number,
  extraEnd: number,
): ZipEntry {
  const method = view.getUint16(at + 10, true);
  if (view.getUint16(at + 8, true) & ENCRYPTED) fail(source, `${quote(name)} is encrypted`);
  if (method !== STORED && method !== DEFLATED)
    fail(source, `${quote(name)} is compressed by method ${method}; stored and deflated entries can be read`);
  const narrow = [24, 20, 42].map((field) => view.getUint32(at + field, true));
  let wideAt = 0;
  let wideEnd = 0;
  for (let field = extra; field + 4 <= extraEnd; field += 4 + view.getUint16(field + 2, true))
    if (view.getUint16(field, true) === ZIP64_EXTRA) {
      wideAt = field + 4;
      wideEnd = Math.min(extraEnd, wideAt + view.getUint16(field + 2, true));
    }
  // Only the fields that do not fit 32 bits stand in the zip64 extra field, always in this order.
  const [size, compressedSize, header] = narrow.map((value) => {
    if (value !== IN_ZIP64) return value;
    if (wideAt + 8 > wideEnd) fail(source, `${quote(name)} has no zip64 sizes`);
    wideAt += 8;
    return wide(source, view, wideAt - 8);
  }) as [number, number, number];
  if (method === STORED && size !== compressedSize)
    fail(source, `${quote(name)} is stored, yet has ${compressedSize} bytes for ${size}`);
  if (size > ALWAYS_INFLATED_BYTES && size > MAX_RATIO * compressedSize)
    fail(source, `${quote(name)} would grow from ${compressedSize} bytes to ${size}`);
  checkRange(source.name, source.size, header, compressedSize);
  return { name, method, compressedSize, size, header };
}

/** A 64-bit number that must be exact. */
function wide(source: ByteSource, view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) fail(source, `it speaks of ${value} bytes`);
  return value;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function fail(source: ByteSource, what: string): never {
  throw new InputError(`${source.name}: ${what}; the zip archive is damaged or cut short, write or download it again`);
}
