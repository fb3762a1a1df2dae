/** Folders that a command fills: those of others stay as they are. */
import { readdir } from "node:fs/promises";
import { InputError, quote } from "../formats/input-error.js";
import { refuseWriting } from "./refused.js";

/**
 * InputError where the folder `path` holds anything but what `owned` names, files that are locks of those, and hidden files. One that
 * is not there is fine.
 */
export async function requireNoOthers(path: string, owned: readonly string[]): Promise<void> {
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    return refuseWriting(path, error);
  });
  const known = new Set(owned.flatMap((name) => [name, `${name}.lock`]));
  const other = names.sort().find((name) => !name.startsWith(".") && !known.has(name));
  if (other !== undefined)
    throw new InputError(`${path}: holds ${quote(other)} already, which is no part of this; choose another --out`);
}
