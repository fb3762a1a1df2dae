/** Writing a file so that a reader, or a run that resumes after a crash, sees the old bytes or the new ones and no mixture. */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { refuseWriting } from "./refused.js";

/**
 * Writes `data` to `path`: a temporary file beside it, fsync, rename, fsync of the folder. Makes missing folders.
 * InputError when the place cannot be written to.
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const folder = dirname(path);
  await makeFolders(folder).catch((error: unknown) => refuseWriting(path, error));
  const temporary = join(folder, `.${basename(path)}.${process.pid}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const handle = await open(temporary, "wx");
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    refuseWriting(path, error);
  }
  await syncFolder(folder);
}

/**
 * Makes `folder` and what is missing above it. Not mkdir's own `recursive`, which never returns where a folder is there but
 * takes no new ones (/proc).
 */
export async function makeFolders(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(folder)).isDirectory()) return;
    if (code !== "ENOENT" || dirname(folder) === folder) throw error;
    await makeFolders(dirname(folder));
    await mkdir(folder).catch((again: NodeJS.ErrnoException) => {
      if (again.code !== "EEXIST") throw again; // another process was faster
    });
  }
}

/** Makes a rename or a new name in `folder` survive a power cut, where the file system lets folders be synced. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
