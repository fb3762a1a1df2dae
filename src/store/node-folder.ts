/** A folder of files on disk. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize, resolve, sep } from "node:path";
import type { FileFolder } from "../formats/byte-source.js";
import { InputError, quote } from "../formats/input-error.js";
import { openFile } from "./node-file-source.js";
import { refuseReading } from "./refused.js";

/**
 * Opens the directory `path`. Symbolic links are followed (the Hugging Face cache is made of them), names with `..` are
 * refused. InputError when it is missing or not a directory. `name` is what messages call it.
 */
export async function openFolder(path: string, name = path): Promise<FileFolder> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") throw new InputError(`${name}: no such folder`);
    return refuseReading(name, error);
  });
  if (!info.isDirectory()) throw new InputError(`${name}: is a file; a folder is needed here`);
  return {
    name,
    path: resolve(path),
    has: async (file) => {
      const found = await stat(inside(path, file)).catch(() => undefined);
      return found?.isFile() ?? false;
    },
    open: async (file) => openFile(inside(path, file), `${name}/${file}`),
    list: async () => {
      const names: string[] = [];
      const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) =>
        refuseReading(name, error),
      );
      for (const entry of entries) {
        if (entry.isFile()) names.push(entry.name);
        else if (entry.isSymbolicLink() && (await stat(join(path, entry.name)).catch(() => undefined))?.isFile())
          names.push(entry.name);
      }
      return names.sort();
    },
  };
}

/** Endings of files that hold weights. */
const WEIGHTS = /\.(?:safetensors|npz|pt|pth|bin)$/;

/**
 * The folder of the weights file `path`, in which it is the only one: what else lies there (configuration, labels) goes with it,
 * other weights do not. InputError when it is missing or not a file of weights.
 */
export async function openFolderOf(path: string): Promise<FileFolder> {
  const own = basename(path);
  if (!WEIGHTS.test(own))
    throw new InputError(`${path}: is not a file of weights; .safetensors, .npz, .pt and .pth files are`);
  const folder = await openFolder(dirname(path));
  const shown = (file: string) => file === own || !WEIGHTS.test(file);
  return {
    ...folder,
    has: async (file) => shown(file) && folder.has(file),
    list: async () => (await folder.list()).filter(shown),
  };
}

function inside(root: string, file: string): string {
  const plain = normalize(file);
  if (file === "" || file.includes("\0") || isAbsolute(file) || plain.split(sep).includes(".."))
    throw new InputError(`${quote(file)}: is not a file name inside the folder`);
  return join(root, plain);
}
