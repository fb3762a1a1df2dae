/** A model in GGUF form: one file, or the parts `…-00001-of-0000N.gguf` of one. */
import type { ByteSource, FileFolder } from "../byte-source.js";
import { InputError, quote, quoteAll } from "../input-error.js";
import { type GgufTensor, readGgufHeader } from "./header.js";
import type { GgufMetadata } from "./metadata.js";

/** A tensor and the part that holds it. */
export interface LocatedGgufTensor extends GgufTensor {
  readonly source: ByteSource;
}

export interface GgufFile {
  /** What to call it in messages: the file, or the first part. */
  readonly name: string;
  /** Of the first part; later parts repeat at most the split's own keys. */
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, LocatedGgufTensor>;
  readonly parts: readonly ByteSource[];
}

/** llama.cpp's naming of parts, counted from 1. */
const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;
/** DeepSeek-V3 in BF16 has 30 parts; a crafted name must not make us open files without end. */
const MAX_PARTS = 1000;

/** Names of the files that belong to the model that `file` is, or is a part of, in order. */
export function partNames(file: string): string[] {
  const [, stem, , count] = PART.exec(file) ?? [];
  if (stem === undefined) return [file];
  const total = Number(count);
  if (total < 1 || total > MAX_PARTS)
    throw new InputError(`${file}: is said to be one of ${total} parts; 1 to ${MAX_PARTS} are opened`);
  return Array.from({ length: total }, (_, i) => `${stem}-${String(i + 1).padStart(5, "0")}-of-${count}.gguf`);
}

/** The one model among a folder's files: a name to give to `partNames`. Undefined where there is no GGUF file. */
export async function ggufIn(folder: FileFolder): Promise<string | undefined> {
  const files = (await folder.list()).filter((file) => /\.gguf$/i.test(file));
  const models = new Set(files.map((file) => partNames(file)[0]!));
  if (models.size > 1)
    throw new InputError(
      `${folder.name}: holds ${models.size} GGUF models (${quoteAll([...models].slice(0, 4))}); give the file of one`,
    );
  return [...models][0];
}

/** Opens `file` of `folder` and, where it is a part, the other parts, in order. InputError for a missing one. */
export async function openParts(folder: FileFolder, file: string): Promise<ByteSource[]> {
  const names = partNames(file);
  const parts: ByteSource[] = [];
  for (const name of names) {
    if (names.length > 1 && !(await folder.has(name)))
      throw new InputError(
        `${folder.name}: ${quote(name)} is missing; a model in ${names.length} parts needs all of them`,
      );
    parts.push(await folder.open(name));
  }
  return parts;
}

/** Reads the headers of a model's parts. InputError where they are invalid or not the parts of one model. */
export async function readGguf(parts: readonly ByteSource[]): Promise<GgufFile> {
  const tensors = new Map<string, LocatedGgufTensor>();
  let first: GgufMetadata | undefined;
  for (const [index, source] of parts.entries()) {
    const { metadata, tensors: held } = await readGgufHeader(source);
    first ??= metadata;
    const count = metadata.get("split.count") ?? 1;
    const number = metadata.get("split.no") ?? 0;
    if ((count !== parts.length && !(count === 0 && parts.length === 1)) || number !== index)
      throw new InputError(
        `${source.name}: says it is part ${Number(number) + 1} of ${String(count)}, but is opened as part ${index + 1} of ${parts.length}; keep the names that the parts were given`,
      );
    for (const [name, tensor] of held) {
      if (tensors.has(name)) throw new InputError(`${source.name}: tensor ${quote(name)} is in another part too`);
      tensors.set(name, { ...tensor, source });
    }
  }
  const announced = first!.get("split.tensors.count") ?? tensors.size;
  if (announced !== tensors.size)
    throw new InputError(
      `${parts[0]!.name}: announces ${String(announced)} tensors over all parts, which hold ${tensors.size}; download the parts again`,
    );
  return { name: parts[0]!.name, metadata: first!, tensors, parts };
}
