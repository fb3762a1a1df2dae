/** Folders that a command fills: those of others stay as they are. */
import { readdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { InputError, quote } from "../formats/input-error.js";
import { refuseReading, refuseWriting } from "./refused.js";

/** What people and shells put beside a run, which no command writes. */
const ASIDE = /^\.|\.(?:log|txt|md)$|^lost\+found$/;

/**
 * InputError where the folder `path` holds anything but what `owned` names, their locks, and logs, notes and hidden files. One that is not
 * there is fine.
 */
export async function requireNoOthers(path: string, owned: readonly string[]): Promise<void> {
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    return error.code === "EACCES" || error.code === "EPERM" ? refuseReading(path, error) : refuseWriting(path, error);
  });
  const isOwn = (name: string) => owned.some((one) => name === one || name.startsWith(`${one}.lock`));
  const other = names.sort().find((name) => !ASIDE.test(name) && !isOwn(name));
  if (other !== undefined)
    throw new InputError(`${path}: holds ${quote(other)} already, which is no part of this; choose another --out`);
}

/** InputError where `path`, which is to become a file, is a folder or lies under a file; `flag` names it. */
export async function requirePlaceOfFile(path: string, flag: string): Promise<void> {
  const at = (place: string) => stat(place).catch(() => undefined);
  if ((await at(path))?.isDirectory()) throw new InputError(`${flag} ${path}: is a folder; give the name of a file`);
  for (let above = dirname(path); ; above = dirname(above)) {
    const found = await at(above);
    if (found?.isDirectory() || (found === undefined && dirname(above) === above)) return;
    if (found !== undefined) throw new InputError(`${flag} ${path}: part of its path is a file; choose another place`);
  }
}

/** The first field in which two documents differ, of those that are named first and then of all; undefined where none does. What is no object has no fields. */
export function firstDifference(a: unknown, b: unknown, first: readonly string[] = []): string | undefined {
  const one = Object(a ?? {}) as Record<string, unknown>;
  const other = Object(b ?? {}) as Record<string, unknown>;
  return [...first, ...Object.keys({ ...one, ...other })].find((key) => !isDeepStrictEqual(one[key], other[key]));
}
