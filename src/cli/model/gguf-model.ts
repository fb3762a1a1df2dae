/**
 * A GGUF model opens as a Hugging Face checkpoint: at first use it is converted once, tensor by tensor, into a folder of the cache,
 * whose weights are then mapped like those of any other checkpoint. Quantised tensors become f32, since no smaller type
 * holds their values exactly; F32, F16 and BF16 tensors stay as they are.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, open, stat, statfs, utimes, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { ByteSource, FileFolder } from "../../formats/byte-source.js";
import { openParts, readGguf } from "../../formats/gguf/gguf-file.js";
import { InputError } from "../../formats/input-error.js";
import { layOutSafetensors } from "../../formats/safetensors.js";
import { parseConfig } from "../../model/config.js";
import { type ConvertedCheckpoint, ggufCheckpoint } from "../../model/gguf/checkpoint.js";
import { isMade, makeFolderOnce } from "../../store/made-folder.js";
import { openFolder } from "../../store/node-folder.js";

/** Part of a converted folder's name: to be raised whenever the conversion changes, so that older folders are not used. */
const CONVERSION = 2;
/** Conversions that write more than this are announced: they take seconds to minutes. */
const ANNOUNCED_BYTES = 2 ** 30;

/** Opens the model that `file` of `folder` is (or is a part of), converting it unless that was done before. */
export async function openGgufModel(folder: FileFolder, file: string, name: string): Promise<FileFolder> {
  const parts = await openParts(folder, file);
  const changed = await Promise.all(parts.map(async ({ realPath }) => (await stat(realPath!)).mtime));
  const path = join(cacheFolder(), "gguf", keyOf(parts, changed));
  if (!(await isMade(path))) {
    const gguf = await readGguf(parts);
    const checkpoint = await ggufCheckpoint(gguf);
    parseConfig(checkpoint.jsons["config.json"], gguf.name); // what cannot be computed is not converted
    const bytes = checkpoint.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
    await checkRoom(path, bytes, name);
    if (bytes > ANNOUNCED_BYTES)
      process.stderr.write(`${name}: converting once to ${(bytes / 1e9).toFixed(1)} GB in ${path}\n`);
    await makeFolderOnce(path, (draft) => writeCheckpoint(draft, checkpoint, changed.at(-1)!));
  }
  return openFolder(path, name);
}

/** Where converted models are kept: ANTECEDENT_CACHE, else the user's cache folder. */
function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.ANTECEDENT_CACHE || join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "antecedent");
}

/** Changes with the places, sizes and times of change of the parts: hashing gigabytes would take longer than converting them. */
function keyOf(parts: readonly ByteSource[], changed: readonly Date[]): string {
  const facts = parts.map(({ realPath, size }, i) => [realPath, size, changed[i]!.getTime()]);
  return createHash("sha256")
    .update(JSON.stringify([CONVERSION, facts]))
    .digest("hex")
    .slice(0, 32);
}

async function checkRoom(path: string, bytes: number, name: string): Promise<void> {
  let place = dirname(path);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  const { bavail, bsize } = await statfs(place);
  if (bavail * bsize < bytes)
    throw new InputError(
      `${name}: its weights take ${(bytes / 1e9).toFixed(1)} GB in full precision, but only ${((bavail * bsize) / 1e9).toFixed(1)} GB are free at ${place}; make room, or set ANTECEDENT_CACHE to a folder elsewhere`,
    );
}

/** `changed`: the files' time of change, so that a run knows the model again when it had to be converted anew. */
async function writeCheckpoint(folder: string, checkpoint: ConvertedCheckpoint, changed: Date): Promise<void> {
  for (const [name, value] of Object.entries(checkpoint.jsons))
    await writeFile(join(folder, name), JSON.stringify(value));
  const handle = await open(join(folder, "model.safetensors"), "wx");
  try {
    await writeWeights(handle, checkpoint);
    await handle.sync();
  } finally {
    await handle.close();
  }
  for (const name of [...Object.keys(checkpoint.jsons), "model.safetensors"])
    await utimes(join(folder, name), changed, changed);
}

async function writeWeights(handle: FileHandle, { tensors }: ConvertedCheckpoint): Promise<void> {
  const { start, order } = layOutSafetensors(tensors, { format: "pt" });
  await handle.writeFile(start);
  for (const tensor of order) for await (const part of tensor.parts()) await handle.writeFile(part);
}
