/**
 * State dicts as torch.save writes them (.pt, .pth, .bin), in both containers:
 *
 *   zip (torch ≥ 1.6)   <prefix>/data.pkl, <prefix>/data/<key> (raw storages, stored and aligned), <prefix>/byteorder
 *   legacy              five pickles: magic, protocol, system, the object, the storages' keys; then for each key a u64 count of
 *                       elements and the elements
 *
 * Layouts read in torch/serialization.py. Nothing is executed: see pickle.ts. Tensors stay where they are, so that they can be
 * mapped; several may share a storage.
 */
import type { ByteSource } from "./byte-source.js";
import { InputError, quote } from "./input-error.js";
import { readPickle } from "./pickle.js";
import { byteLength, DTYPE_BYTES, type LocatedTensor, type TensorEntry, withStrides } from "./tensor-file.js";
import { TorchStorage, TorchTensor, torchNames } from "./torch-pickle.js";
import { openZipEntry, readZip, readZipEntry, type ZipContent } from "./zip.js";

/** A shard of 1,000 tensors has a pickle of some 150 KB. Of a legacy file so much is read at once. */
const MAX_PICKLE_BYTES = 16 * 1024 * 1024;
/** `little` or `big`. */
const MAX_BYTEORDER_BYTES = 16;
/** Expanded tensors (strides of 0) may have more elements than their storage, up to this many: 64 MiB as f32. */
const MAX_EXPANDED_ELEMENTS = 2 ** 24;

/** The legacy container's first pickle. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;
/** Every pickle of protocol 2 or later starts with this opcode. */
const PICKLE_START = 0x80;
const ZIP_START = 0x50;
const COUNT_BYTES = 8;
/** torch.compile puts this before every name. */
const COMPILED_PREFIX = "_orig_mod.";

/** Where the bytes of a storage are, and how many there are. */
interface StorageBytes extends ZipContent {
  readonly size: number;
}

/** What a container holds: the saved object, and where its storages are. */
interface TorchContent {
  readonly root: unknown;
  readonly storageAt: (storage: TorchStorage) => Promise<StorageBytes>;
  readonly bigEndian: boolean;
}

/**
 * The tensors of the state dict in `source`, by name; other values beside them are passed over. InputError for
 * TorchScript archives, whole pickled modules, anything that would have to be executed, and tensors outside their storage.
 */
export async function readTorchFile(source: ByteSource): Promise<ReadonlyMap<string, LocatedTensor>> {
  const [first] = await source.read(0, Math.min(1, source.size));
  if (first !== ZIP_START && first !== PICKLE_START)
    throw new InputError(
      `${source.name}: is not a file that torch.save wrote (neither a zip archive nor a pickle); download it again`,
    );
  const { root, storageAt, bigEndian } = await (first === ZIP_START ? openZipContainer(source) : openLegacy(source));
  if (!(root instanceof Map))
    throw new InputError(
      `${source.name}: holds no dict of tensors; save the state dict, as model.state_dict() returns it`,
    );
  const tensors = new Map<string, LocatedTensor>();
  const opened = new Map<string, StorageBytes>();
  for (const [key, value] of root) {
    if (typeof key !== "string" || !(value instanceof TorchTensor)) continue;
    const name = key.startsWith(COMPILED_PREFIX) ? key.slice(COMPILED_PREFIX.length) : key;
    if (tensors.has(name)) throw new InputError(`${source.name}: tensor ${quote(name)} is there twice`);
    const bytes = opened.get(value.storage.key) ?? (await storageAt(value.storage));
    opened.set(value.storage.key, bytes);
    tensors.set(name, { source: bytes.source, entry: locate(source.name, name, value, bytes, bigEndian) });
  }
  if (tensors.size === 0)
    throw new InputError(
      `${source.name}: holds no tensors by name; save the state dict, as model.state_dict() returns it`,
    );
  return tensors;
}

function locate(
  file: string,
  name: string,
  tensor: TorchTensor,
  { begin: storageBegin, size }: StorageBytes,
  bigEndian: boolean,
): TensorEntry {
  const { storage, dtype, offset, shape, strides } = tensor;
  const itemBytes = DTYPE_BYTES[dtype];
  const available = storage.count * DTYPE_BYTES[storage.dtype];
  if (available > size)
    throw new InputError(
      `${file}: the storage of ${quote(name)} should have ${available} bytes but has ${size}; it is cut short, download it again`,
    );
  const count = byteLength(dtype, shape) / itemBytes;
  const span = count === 0 ? 0 : shape.reduce((last, n, axis) => last + (n - 1) * strides[axis]!, 1);
  if (!((offset + span) * itemBytes <= available))
    throw new InputError(
      `${file}: ${quote(name)} of shape [${shape.join(", ")}] reaches beyond its storage of ${available} bytes; the file is damaged`,
    );
  if (count > Math.max(available / itemBytes, MAX_EXPANDED_ELEMENTS))
    throw new InputError(
      `${file}: ${quote(name)} repeats ${available} bytes to the shape [${shape.join(", ")}]; save the tensor itself (.contiguous())`,
    );
  const begin = storageBegin + offset * itemBytes;
  const entry: TensorEntry = { name, dtype, shape, begin, end: begin + span * itemBytes };
  return withStrides(bigEndian && itemBytes > 1 ? { ...entry, bigEndian } : entry, strides);
}

async function openZipContainer(source: ByteSource): Promise<TorchContent> {
  const entries = await readZip(source);
  const pickles = [...entries.keys()].filter((name) => name === "data.pkl" || name.endsWith("/data.pkl"));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1)
    throw new InputError(
      `${source.name}: is a zip archive with ${pickles.length} data.pkl; a file that torch.save wrote has one`,
    );
  const prefix = pickle.slice(0, -"data.pkl".length);
  if (entries.has(`${prefix}constants.pkl`))
    throw new InputError(
      `${source.name}: is a TorchScript archive, which is a program; save the state dict (torch.save(model.state_dict(), …))`,
    );
  const order = entries.get(`${prefix}byteorder`);
  const byteOrder =
    order === undefined ? "little" : new TextDecoder().decode(await readZipEntry(source, order, MAX_BYTEORDER_BYTES));
  if (byteOrder !== "little" && byteOrder !== "big")
    throw new InputError(`${source.name}: byteorder says ${quote(byteOrder)}; little or big would be right`);
  const bytes = await readZipEntry(source, entries.get(pickle)!, MAX_PICKLE_BYTES);
  return {
    root: readPickle(bytes, torchNames(source.name), source.name).value,
    bigEndian: byteOrder === "big",
    async storageAt({ key }) {
      const entry = entries.get(`${prefix}data/${key}`);
      if (entry === undefined)
        throw new InputError(`${source.name}: storage ${quote(key)} is missing; download the file again`);
      return { ...(await openZipEntry(source, entry)), size: entry.size };
    },
  };
}

async function openLegacy(source: ByteSource): Promise<TorchContent> {
  const { name: file } = source;
  const bytes = await source.read(0, Math.min(source.size, MAX_PICKLE_BYTES));
  const storages = new Map<string, TorchStorage>();
  const names = torchNames(file);
  let end = 0;
  const next = (): unknown => {
    const read = readPickle(bytes, names, file, end);
    end = read.end;
    return read.value;
  };
  if (next() !== LEGACY_MAGIC || next() !== LEGACY_PROTOCOL)
    throw new InputError(`${file}: is a pickle, but not one that torch.save wrote; download it again`);
  const system = next();
  if (!(system instanceof Map) || system.get("little_endian") !== true)
    throw new InputError(
      `${file}: was written on a big-endian machine before torch 1.6; save it again with a newer torch`,
    );
  const root = readObject();
  const keys = next();
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string"))
    throw new InputError(`${file}: has no list of its storages; download it again`);
  const places = new Map<string, StorageBytes>();
  for (const key of keys) {
    const storage = storages.get(key);
    if (storage === undefined)
      throw new InputError(`${file}: lists storage ${quote(key)}, which no tensor has; the file is damaged`);
    const counted = await source.read(end, COUNT_BYTES);
    const count = new DataView(counted.buffer, counted.byteOffset).getBigUint64(0, true);
    if (count !== BigInt(storage.count))
      throw new InputError(
        `${file}: storage ${quote(key)} has ${count} elements; ${storage.count} would be right, so the file is damaged`,
      );
    const begin = end + COUNT_BYTES;
    const size = storage.count * DTYPE_BYTES[storage.dtype];
    end = begin + size;
    if (end > source.size)
      throw new InputError(`${file}: storage ${quote(key)} ends at byte ${end} of ${source.size}; download it again`);
    places.set(key, { source, begin, size });
  }
  return {
    root,
    bigEndian: false,
    async storageAt({ key }) {
      return places.get(key) ?? refuseMissing(file, key);
    },
  };

  /** The object pickle, which alone says what type each storage has, and so how long it is. */
  function readObject(): unknown {
    const remembering = {
      ...names,
      persistent(id: unknown) {
        const storage = names.persistent(id);
        if (storage instanceof TorchStorage) storages.set(storage.key, storage);
        return storage;
      },
    };
    const read = readPickle(bytes, remembering, file, end);
    end = read.end;
    return read.value;
  }
}

function refuseMissing(file: string, key: string): never {
  throw new InputError(`${file}: storage ${quote(key)} is missing; download the file again`);
}
