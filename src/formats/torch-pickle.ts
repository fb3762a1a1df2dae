/**
 * What the names in torch's pickles stand for: storages, dtypes, and the constructors of tensors. The list is that of
 * torch's weights-only loader (torch/_weights_only_unpickler.py), less what no file of weights holds; every other name,
 * whatever it may be, ends the reading.
 */
import { InputError, quote } from "./input-error.js";
import type { PickleNames } from "./pickle.js";
import { MAX_DIMENSIONS, type TensorDtype } from "./tensor-file.js";

/** An array of elements that tensors are views of. */
export class TorchStorage {
  constructor(
    /** Its name in the file. */
    readonly key: string,
    readonly dtype: TensorDtype,
    /** Elements of `dtype`. */
    readonly count: number,
  ) {}
}

/** A view of a storage; offset and strides count elements of `dtype`. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly dtype: TensorDtype,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

class StorageClass {
  constructor(readonly dtype: TensorDtype) {}
}
class Dtype {
  constructor(readonly dtype: TensorDtype) {}
}
class Constructor {
  constructor(
    readonly name: string,
    readonly make: (args: readonly unknown[], where: string) => unknown,
  ) {}
}

const STORAGES: Readonly<Record<string, TensorDtype>> = {
  "torch DoubleStorage": "F64",
  "torch FloatStorage": "F32",
  "torch HalfStorage": "F16",
  "torch BFloat16Storage": "BF16",
  "torch LongStorage": "I64",
  "torch IntStorage": "I32",
  "torch ShortStorage": "I16",
  "torch CharStorage": "I8",
  "torch ByteStorage": "U8",
  "torch BoolStorage": "BOOL",
  "torch.storage UntypedStorage": "U8",
};

const DTYPES: Readonly<Record<string, TensorDtype>> = {
  "torch float64": "F64",
  "torch float32": "F32",
  "torch float16": "F16",
  "torch bfloat16": "BF16",
  "torch float8_e5m2": "F8_E5M2",
  "torch float8_e4m3fn": "F8_E4M3",
  "torch float8_e8m0fnu": "F8_E8M0",
  "torch int64": "I64",
  "torch int32": "I32",
  "torch int16": "I16",
  "torch int8": "I8",
  "torch uint64": "U64",
  "torch uint32": "U32",
  "torch uint16": "U16",
  "torch uint8": "U8",
  "torch bool": "BOOL",
};

const CONSTRUCTORS: Readonly<Record<string, Constructor["make"]>> = {
  "collections OrderedDict": dictionary,
  "collections Counter": dictionary,
  "torch Size": ([lengths]) => lengths ?? [],
  "torch device": ([name]) => name,
  "_codecs encode": ([text]) => text,
  "torch._utils _rebuild_tensor": ([storage, offset, size, strides], where) =>
    tensor(storage, offset, size, strides, undefined, where),
  "torch._utils _rebuild_tensor_v2": ([storage, offset, size, strides], where) =>
    tensor(storage, offset, size, strides, undefined, where),
  "torch._utils _rebuild_tensor_v3": ([storage, offset, size, strides, , , dtype], where) =>
    tensor(storage, offset, size, strides, dtype, where),
  "torch._utils _rebuild_parameter": parameter,
  "torch.nn.parameter Parameter": parameter,
};

/** The meaning of names for `readPickle`; `where` names the file in messages. */
export function torchNames(where: string): PickleNames {
  return {
    find(module, name) {
      const full = `${module} ${name}`;
      if (Object.hasOwn(STORAGES, full)) return new StorageClass(STORAGES[full]!);
      if (Object.hasOwn(DTYPES, full)) return new Dtype(DTYPES[full]!);
      if (Object.hasOwn(CONSTRUCTORS, full)) return new Constructor(full, CONSTRUCTORS[full]!);
      throw new InputError(
        `${where}: the pickle asks for ${quote(`${module}.${name}`)}, which is no part of a state dict; nothing in it was executed, save the state dict alone (torch.save(model.state_dict(), …))`,
      );
    },
    call(callable, args) {
      if (!(callable instanceof Constructor)) return refuse(where, "it calls something that is no constructor");
      return callable.make(args, where);
    },
    persistent: (id) => storage(id, where),
  };
}

/** ('storage', class, key, location, numel[, view metadata]); the location (a device) does not matter here. */
function storage(id: unknown, where: string): TorchStorage {
  const [kind, type, key, , count, view] = Array.isArray(id) ? id : [];
  if (kind !== "storage" || !(type instanceof StorageClass) || typeof key !== "string" || !isCount(count))
    return refuse(where, "a storage is not described as torch does");
  if (view != null) return refuse(where, `storage ${quote(key)} is a view of another one`);
  return new TorchStorage(key, type.dtype, count);
}

function tensor(
  storage: unknown,
  offset: unknown,
  size: unknown,
  strides: unknown,
  dtype: unknown,
  where: string,
): TorchTensor {
  const described =
    storage instanceof TorchStorage &&
    isCount(offset) &&
    areCounts(size) &&
    areCounts(strides) &&
    size.length === strides.length &&
    (dtype === undefined || dtype instanceof Dtype);
  if (!described) return refuse(where, "a tensor is not described by storage, offset, size and strides");
  return new TorchTensor(storage, dtype?.dtype ?? storage.dtype, offset, [...size], [...strides]);
}

function parameter([data]: readonly unknown[], where: string): TorchTensor {
  return data instanceof TorchTensor ? data : refuse(where, "a parameter holds no tensor");
}

/** Empty, or from a list of pairs, as Python 2 wrote it, or from a dict. */
function dictionary([items]: readonly unknown[], where: string): Map<unknown, unknown> {
  if (items === undefined) return new Map();
  if (items instanceof Map) return new Map(items);
  if (!Array.isArray(items) || !items.every((pair) => Array.isArray(pair) && pair.length === 2))
    return refuse(where, "a dict is not made of pairs");
  return new Map(items as [unknown, unknown][]);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function areCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_DIMENSIONS && value.every(isCount);
}

function refuse(where: string, what: string): never {
  throw new InputError(`${where}: ${what}; the pickle is damaged or not a saved state dict, save or download it again`);
}
