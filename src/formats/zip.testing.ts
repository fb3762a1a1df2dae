/** Zip archives of stored entries, for tests: as small as the format allows, with fields to spoil. */
import { memorySource } from "./memory-source.js";

export interface EntryToZip {
  readonly data: Uint8Array | string;
  /** What the central directory says instead of the truth. */
  readonly method?: number;
  readonly flags?: number;
  readonly size?: number;
  readonly compressedSize?: number;
  readonly header?: number;
}

/** The archive's bytes; plain data stands for an entry as it should be. */
export function zipOf(files: Readonly<Record<string, Uint8Array | string | EntryToZip>>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [path, file] of Object.entries(files)) {
    const entry = typeof file === "string" || file instanceof Uint8Array ? { data: file } : file;
    const name = new TextEncoder().encode(path);
    const data = typeof entry.data === "string" ? new TextEncoder().encode(entry.data) : entry.data;
    const local = record(30, { 0: [4, 0x04034b50], 26: [2, name.length] });
    const { method = 0, flags = 0, size = data.length, compressedSize = data.length, header = at } = entry;
    const central = record(46, {
      0: [4, 0x02014b50],
      8: [2, flags],
      10: [2, method],
      20: [4, compressedSize],
      24: [4, size],
      28: [2, name.length],
      42: [4, header],
    });
    parts.push(local, name, data);
    directory.push(central, name);
    at += local.length + name.length + data.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const end = record(22, {
    0: [4, 0x06054b50],
    10: [2, directory.length / 2],
    12: [4, length],
    16: [4, at],
  });
  return concat([...parts, ...directory, end]);
}

export function zipSource(name: string, files: Parameters<typeof zipOf>[0]) {
  return memorySource(name, zipOf(files));
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** `length` bytes with little-endian numbers at some offsets: offset → [width, value]. */
function record(length: number, fields: Readonly<Record<number, readonly [2 | 4, number]>>): Uint8Array {
  const view = new DataView(new ArrayBuffer(length));
  for (const [at, [width, value]] of Object.entries(fields))
    if (width === 2) view.setUint16(Number(at), value, true);
    else view.setUint32(Number(at), value, true);
  return new Uint8Array(view.buffer);
}
