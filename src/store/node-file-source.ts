/** A byte source over a file on disk. */
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import type { ByteSource } from "../formats/byte-source.js";
import { InputError } from "../formats/input-error.js";
import { checkRange } from "../formats/memory-source.js";
import { refuseReading } from "./refused.js";

/** Linux moves at most 2^31 − 4096 bytes in one read call; larger reads are done in parts of this many bytes. */
const MAX_READ_BYTES = 2 ** 30;

/**
 * Opens `path` as a byte source. The file is opened for each read and closed after it, so a checkpoint of hundreds of
 * shards holds no descriptors and nothing has to be closed; parsers read in large parts, so this costs nothing visible.
 * InputError when the file is missing, is not a regular file or cannot be read. `name` is what messages call it.
 */
export async function openFile(path: string, name = path): Promise<ByteSource> {
  const realPath = await realpath(path).catch((error: unknown) => refuseReading(name, error));
  // Looked at before it is opened: opening a named pipe waits until someone writes to it.
  const found = await stat(realPath).catch((error: unknown) => refuseReading(name, error));
  if (!found.isFile()) throw new InputError(`${name}: is not a regular file`);
  const { size } = found;
  await withHandle(name, realPath, async () => {}); // whether it may be read
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
  const handle = await open(path, "r").catch((error: unknown) => refuseReading(name, error));
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}
