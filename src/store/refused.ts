/** What the operating system says to a path that the user gave, as a message that a person can act on. */
import { InputError } from "../formats/input-error.js";

/** Refusals that mean the same whatever was tried. */
const ANYWHERE: Readonly<Record<string, string>> = {
  ELOOP: "is a symbolic link that leads back to itself",
  ENAMETOOLONG: "is too long a name for a file",
  ERR_INVALID_ARG_VALUE: "holds a zero byte, which no file name may",
};
const READING: Readonly<Record<string, string>> = {
  ...ANYWHERE,
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EISDIR: "is a folder; a file is needed here",
  EACCES: "may not be read; check its permissions",
  EPERM: "may not be read; check its permissions",
};
const WRITING: Readonly<Record<string, string>> = {
  ...ANYWHERE,
  ENOENT: "cannot be made there; choose another place",
  ENOTDIR: "cannot be written: part of its path is a file; choose another place",
  EEXIST: "cannot be written: part of its path is a file; choose another place",
  EISDIR: "is a folder; give the name of a file",
  EACCES: "may not be written; check the permissions or choose another place",
  EPERM: "may not be written; check the permissions or choose another place",
  ENOSPC: "cannot be written: the disk is full; make room or choose another place",
  EROFS: "may not be written: the file system is read-only; choose another place",
};

/** Throws InputError where `error` says that `name` cannot be read; other errors pass as they are. */
export function refuseReading(name: string, error: unknown): never {
  refuse(READING, name, error);
}

/** The same for writing. */
export function refuseWriting(name: string, error: unknown): never {
  refuse(WRITING, name, error);
}

function refuse(reasons: Readonly<Record<string, string>>, name: string, error: unknown): never {
  const why = reasons[(error as NodeJS.ErrnoException).code ?? ""];
  throw why === undefined ? error : new InputError(`${name}: ${why}`);
}
