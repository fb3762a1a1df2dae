/**
 * Folders that are made once and from then on only read, such as the converted form of a file in a cache. A folder is whole or
 * not there: it is made under another name and moved; what a killed process left is taken away by the next one.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { makeFolders, syncFolder } from "./atomic-write.js";
import { refuseWriting } from "./refused.js";

/** Whether the folder at `path` has been made. */
export async function isMade(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/**
 * Makes the folder `path`: `fill` writes its files into the folder that it is given. Where two processes make the same one, the
 * first that is done wins. InputError when the place cannot be written to.
 */
export async function makeFolderOnce(path: string, fill: (draft: string) => Promise<void>): Promise<void> {
  const parent = dirname(path);
  await makeFolders(parent).catch((error: unknown) => refuseWriting(path, error));
  await removeAbandoned(path);
  const draft = join(parent, `${draftPrefix(path)}${process.pid}.${randomBytes(6).toString("hex")}`);
  try {
    await mkdir(draft);
    await fill(draft);
    await syncFolder(draft);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    if (!(await isMade(path))) refuseWriting(path, error);
  }
  await syncFolder(parent);
}

function draftPrefix(path: string): string {
  return `.${basename(path)}.${hostname()}.`;
}

/** Drafts of processes on this machine that no longer run. */
async function removeAbandoned(path: string): Promise<void> {
  const prefix = draftPrefix(path);
  for (const name of await readdir(dirname(path)).catch(() => []))
    if (name.startsWith(prefix) && !isRunning(Number.parseInt(name.slice(prefix.length), 10)))
      await rm(join(dirname(path), name), { recursive: true, force: true }).catch(() => undefined);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
