/**
 * A checkpoint's tensors wherever they lie: one `<stem>.safetensors`, or `<stem>.safetensors.index.json` and its shards.
 */
import { z } from "zod";
import type { ByteSource, FileFolder } from "./byte-source.js";
import { InputError, quote } from "./input-error.js";
import { readJson } from "./json.js";
import { readSafetensorsHeader, type TensorEntry } from "./safetensors.js";

/** The index of a 405B model (~1,500 tensors, 191 shards) is 120 KB; this leaves room for mixture-of-experts ones. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;
/** DeepSeek-V3 has 163 shards, Llama 405B 191; a crafted index must not make us open files without end. */
const MAX_SHARDS = 10_000;

/** A tensor and the file that holds it. */
export interface LocatedTensor {
  readonly source: ByteSource;
  readonly entry: TensorEntry;
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Opens every header of the checkpoint in `folder` and returns its tensors by name. With an index, exactly the tensors
 * that it lists. `stem` is "model" for a checkpoint. InputError when neither file is there, the index is malformed or
 * names a file outside the folder, a shard is missing, or a tensor is not in the shard that should hold it.
 */
export async function openSafetensors(folder: FileFolder, stem = "model"): Promise<Map<string, LocatedTensor>> {
  const single = `${stem}.safetensors`;
  const indexName = `${stem}.safetensors.index.json`;
  const tensors = new Map<string, LocatedTensor>();
  if (await folder.has(single)) {
    const source = await folder.open(single);
    for (const [name, entry] of (await readSafetensorsHeader(source)).tensors) tensors.set(name, { source, entry });
    return tensors;
  }
  if (!(await folder.has(indexName)))
    throw new InputError(`${folder.name}: no weights here; expected ${single} or ${indexName} with its shards`);

  const index = await folder.open(indexName);
  const parsed = indexSchema.safeParse(await readJson(index, MAX_INDEX_BYTES));
  if (!parsed.success)
    throw new InputError(`${index.name}: needs "weight_map", an object from tensor name to shard file name`);
  const byShard = new Map<string, string[]>();
  for (const [tensor, shard] of Object.entries(parsed.data.weight_map)) {
    if (!isPlainName(shard))
      throw new InputError(
        `${index.name}: tensor ${quote(tensor)} is said to be in ${quote(shard)}; a shard must be a file name in the same folder`,
      );
    const names = byShard.get(shard);
    if (names) names.push(tensor);
    else byShard.set(shard, [tensor]);
  }
  if (byShard.size === 0) throw new InputError(`${index.name}: "weight_map" is empty; it should list every tensor`);
  if (byShard.size > MAX_SHARDS)
    throw new InputError(`${index.name}: lists ${byShard.size} shards; at most ${MAX_SHARDS} are opened`);

  for (const [shard, names] of byShard) {
    if (!(await folder.has(shard)))
      throw new InputError(
        `${folder.name}: shard ${quote(shard)}, which ${indexName} names, is missing; download the whole checkpoint`,
      );
    const source = await folder.open(shard);
    const held = (await readSafetensorsHeader(source)).tensors;
    for (const name of names) {
      const entry = held.get(name);
      if (!entry)
        throw new InputError(
          `${source.name}: tensor ${quote(name)} should be here according to ${indexName} but is not; the files are from different checkpoints`,
        );
      tensors.set(name, { source, entry });
    }
  }
  return tensors;
}

function isPlainName(name: string): boolean {
  return (
    name !== "" && !name.includes("/") && !name.includes("\\") && !name.includes("\0") && name !== "." && name !== ".."
  );
}
