/** Byte sources and folders over bytes that are already in memory: browsers, downloads, tests. */
import type { ByteSource, FileFolder } from "./byte-source.js";
import { InputError } from "./input-error.js";

/** A source over `bytes`; reads are copies, so a caller may change them. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => {
      checkRange(name, bytes.length, offset, length);
      return bytes.slice(offset, offset + length);
    },
  };
}

/** A folder over named files; strings are stored as UTF-8. */
export function memoryFolder(name: string, files: Readonly<Record<string, Uint8Array | string>>): FileFolder {
  const stored = new Map(
    Object.entries(files).map(([file, data]) => [
      file,
      typeof data === "string" ? new TextEncoder().encode(data) : data,
    ]),
  );
  return {
    name,
    has: async (file) => stored.has(file),
    open: async (file) => {
      const bytes = stored.get(file);
      if (!bytes) throw new InputError(`${name}: ${file} is missing`);
      return memorySource(`${name}/${file}`, bytes);
    },
    list: async () => [...stored.keys()].filter((file) => !file.includes("/")).sort(),
  };
}

/** InputError unless [offset, offset + length) lies inside a source of `size` bytes. */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > size
  )
    throw new InputError(
      `${name}: bytes ${offset} to ${offset + length} were asked for but the file has ${size}; it may be cut short`,
    );
}
