/** The weights of a checkpoint or adapter, whichever of their usual files hold them. */
import { z } from "zod";
import type { ByteSource, FileFolder } from "./byte-source.js";
import { InputError, quote } from "./input-error.js";
import { readJson } from "./json.js";
import { readSafetensorsHeader } from "./safetensors.js";
import type { LocatedTensor } from "./tensor-file.js";
import { readTorchFile } from "./torch-file.js";

/** The index of a 405B model (~1,500 tensors, 191 shards) is 120 KB; this leaves room for mixture-of-experts ones. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;
/** DeepSeek-V3 has 163 shards, Llama 405B 191; a crafted index must not make us open files without end. */
const MAX_SHARDS = 10_000;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** One way in which weights come: a file of a container, or its shards with an index that says which holds what. */
export interface WeightFiles {
  /** Name of the file where there is one. */
  readonly single: string;
  /** Name of the index where there are shards. */
  readonly index?: string;
  /** Reads one file: its tensors by name. */
  readonly read: (source: ByteSource) => Promise<ReadonlyMap<string, LocatedTensor>>;
}

const readSafetensors: WeightFiles["read"] = async (source) => {
  const located = new Map<string, LocatedTensor>();
  for (const [name, entry] of (await readSafetensorsHeader(source)).tensors) located.set(name, { source, entry });
  return located;
};

/** A checkpoint's weights as safetensors alone: what may be shown to a program that would unpickle the others. */
export const SAFETENSORS_WEIGHTS: readonly WeightFiles[] = [
  { single: "model.safetensors", index: "model.safetensors.index.json", read: readSafetensors },
];

/** A checkpoint's weights, in the order in which Hugging Face libraries prefer them. */
export const CHECKPOINT_WEIGHTS: readonly WeightFiles[] = [
  ...SAFETENSORS_WEIGHTS,
  { single: "pytorch_model.bin", index: "pytorch_model.bin.index.json", read: readTorchFile },
];

/** A PEFT adapter's weights, in the order in which peft prefers them. */
export const ADAPTER_WEIGHTS: readonly WeightFiles[] = [
  { single: "adapter_model.safetensors", read: readSafetensors },
  { single: "adapter_model.bin", read: readTorchFile },
];

/**
 * Opens the weights in `folder`, the first of `kinds` that is there, and returns its tensors by name. With an index,
 * exactly the tensors that it lists. InputError when no kind is there, the index is malformed or names a file outside the
 * folder, a shard is missing, or a tensor is not in the shard that should hold it.
 */
export async function openWeightFiles(
  folder: FileFolder,
  kinds: readonly WeightFiles[],
): Promise<ReadonlyMap<string, LocatedTensor>> {
  for (const { single, index, read } of kinds) {
    if (await folder.has(single)) return read(await folder.open(single));
    if (index !== undefined && (await folder.has(index))) return openShards(folder, index, read);
  }
  const singles = kinds.map(({ single }) => single).join(" or ");
  const indexed = kinds.some(({ index }) => index !== undefined) ? ", or the index of one of them with its shards" : "";
  throw new InputError(`${folder.name}: no weights here; expected ${singles}${indexed}`);
}

async function openShards(
  folder: FileFolder,
  indexName: string,
  read: WeightFiles["read"],
): Promise<ReadonlyMap<string, LocatedTensor>> {
  const tensors = new Map<string, LocatedTensor>();
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
    const held = await read(source);
    for (const name of names) {
      const tensor = held.get(name);
      if (!tensor)
        throw new InputError(
          `${source.name}: tensor ${quote(name)} should be here according to ${indexName} but is not; the files are from different checkpoints`,
        );
      tensors.set(name, tensor);
    }
  }
  return tensors;
}

function isPlainName(name: string): boolean {
  return (
    name !== "" && !name.includes("/") && !name.includes("\\") && !name.includes("\0") && name !== "." && name !== ".."
  );
}
