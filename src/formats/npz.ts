/** numpy's .npz: a zip archive of .npy arrays, by name. Uncompressed arrays stay where they are, so that they can be mapped. */
import type { ByteSource } from "./byte-source.js";
import { InputError, quote } from "./input-error.js";
import { NPY_START_BYTES, npyHeaderRange, parseNpyHeader } from "./npy.js";
import { byteLength, type LocatedTensor, rowMajorStrides, type TensorEntry, withStrides } from "./tensor-file.js";
import { openZipEntry, readZip } from "./zip.js";

/** Real files have some five arrays; each costs a read or two. */
const MAX_ARRAYS = 1000;
const SUFFIX = ".npy";

/**
 * Where the arrays of an .npz file lie, by name. InputError when it is not a whole archive of numeric arrays; arrays of Python
 * objects are refused, since they are pickles.
 */
export async function readNpz(source: ByteSource): Promise<ReadonlyMap<string, LocatedTensor>> {
  const entries = await readZip(source);
  if (entries.size > MAX_ARRAYS)
    throw new InputError(`${source.name}: has ${entries.size} entries; at most ${MAX_ARRAYS} arrays are read`);
  const arrays = new Map<string, LocatedTensor>();
  for (const entry of entries.values()) {
    const where = `${source.name}: ${quote(entry.name)}`;
    const content = await openZipEntry(source, entry);
    const start = await content.source.read(content.begin, Math.min(NPY_START_BYTES, entry.size));
    const range = npyHeaderRange(start, where);
    if (range.end > entry.size) throw new InputError(`${where}: ends inside its header; write or download it again`);
    const text = await content.source.read(content.begin + range.begin, range.end - range.begin);
    const { dtype, shape, bigEndian, fortranOrder } = parseNpyHeader(text, where);
    const begin = content.begin + range.end;
    const length = byteLength(dtype, shape);
    if (length !== entry.size - range.end)
      throw new InputError(
        `${where}: shape [${shape.join(", ")}] of ${dtype} needs ${length} bytes, but ${entry.size - range.end} are there; write or download it again`,
      );
    const name = entry.name.endsWith(SUFFIX) ? entry.name.slice(0, -SUFFIX.length) : entry.name;
    const plain: TensorEntry = { name, dtype, shape, begin, end: begin + length, ...(bigEndian && { bigEndian }) };
    const tensor = fortranOrder ? withStrides(plain, rowMajorStrides(shape.toReversed()).toReversed()) : plain;
    arrays.set(name, { source: content.source, entry: tensor });
  }
  return arrays;
}
