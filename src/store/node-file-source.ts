/** A byte source over a file on disk. */
import { type FileHandle, open, realpath } from "node:fs/promises";
import type { ByteSource } from "../formats/byte-source.js";
import { InputError } from "../formats/input-error.js";
import { checkRange } from "../formats/memory-source.js";

/** Linux moves at most 2^31 − 4096 bytes in one read call; larger reads are done in parts of this many bytes. */
const MAX_READ_BYTES = 2 ** 30;

/**
 * Opens `path` as a byte source. The file is opened for each read and closed after it, so a checkpoint of hundreds of
 * shards holds no descriptors and nothing has to be closed; parsers read in large parts, so this costs nothing visible.
 * InputError when the file is missing, is not a regular file or cannot be read. `name` is what messages call it.
 */
export async function openFile(path: string, name = path): Promise<ByteSource> {
  const realPath = await realpath(path).catch((error: unknown) => unreadable(name, error));
  const size = await withHandle(name, realPath, async (handle) => {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new InputError(`${name}: is not a regular file`);
    return stat.size;
  });
  return {
    name,
    size,
    realPath,
    read: async (offset, length) => {
      checkRange(name, size, offset, length);
      return withHandle(name, realPath, (handle) => readFully(handle, name, offset, length));
    },
  };
}

async function readFully(handle: FileHandle, name: string, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, MAX_READ_BYTES), offset + done);
    if (bytesRead === 0)
      throw new InputError(
        `${name}: became shorter while it was read (nothing at byte ${offset + done}); run it again`,
      );
    done += bytesRead;
  }
  return bytes;
}

async function withHandle<T>(name: string, path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, "r").catch((error: unknown) => unreadable(name, error));
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/** Turns the operating system's refusal into a message a person can act on; other errors pass. */
function unreadable(name: string, error: unknown): never {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") throw new InputError(`${name}: no such file`);
  if (code === "EACCES" || code === "EPERM") throw new InputError(`${name}: may not be read; check its permissions`);
  if (code === "ELOOP") throw new InputError(`${name}: is a symbolic link that leads back to itself`);
  throw error;
}
