/** A GGUF file's tensors as those of a Hugging Face checkpoint: names, element types, and llama.cpp's changes undone. */
import type { GgufFile, LocatedGgufTensor } from "../../formats/gguf/gguf-file.js";
import { readRows, readRowsF32, rowsOf } from "../../formats/gguf/values.js";
import { InputError, quote } from "../../formats/input-error.js";
import type { TensorOutline } from "../../formats/safetensors.js";
import { type Architecture, BLOCK_TENSORS } from "./architectures.js";

/** A tensor of the checkpoint, to be read in parts. */
export interface ConvertedTensor extends TensorOutline {
  readonly bytes: number;
  /** Its little-endian bytes in order, row-major. InputError for values that are not finite. */
  parts(): AsyncGenerator<Uint8Array>;
}

/** Elements that are converted at once: 16 MiB of f32, large enough for disk speed. */
const PART_ELEMENTS = 4 << 20;

const WHOLE_MODEL: Readonly<Record<string, string>> = {
  token_embd: "model.embed_tokens",
  output_norm: "model.norm",
  output: "lm_head",
};
/** Read elsewhere: divisors of the rotary embedding, which become part of config.json. */
const NOT_WEIGHTS = new Set(["rope_freqs.weight"]);

/** Every tensor under its Hugging Face name. InputError for tensors that the architecture does not have. */
export function convertedTensors(
  file: GgufFile,
  architecture: Architecture,
  heads: { readonly query: number; readonly keyValue: number },
): ConvertedTensor[] {
  return [...file.tensors.values()]
    .filter(({ name }) => !NOT_WEIGHTS.has(name))
    .map((tensor) => {
      const [, block, stem, kind] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(tensor.name) ?? [];
      const modules: Readonly<Record<string, string>> =
        block === undefined ? WHOLE_MODEL : { ...BLOCK_TENSORS, ...architecture.tensors };
      if (stem === undefined || !Object.hasOwn(modules, stem))
        throw new InputError(
          `${tensor.source.name}: tensor ${quote(tensor.name)} is not known in ${architecture.modelType} models; only whole, dense language models are supported`,
        );
      const module = block === undefined ? modules[stem] : `model.layers.${Number(block)}.${modules[stem]}`;
      const turned = architecture.permuted ? { attn_q: heads.query, attn_k: heads.keyValue }[stem] : undefined;
      const lessOne = architecture.normsPlusOne === true && stem.endsWith("norm");
      return converted(tensor, `${module}.${kind}`, turned, lessOne);
    });
}

/** `heads`: how many heads' rows to put back in order; `lessOne`: 1 is to be taken off every value. */
function converted(
  tensor: LocatedGgufTensor,
  name: string,
  heads: number | undefined,
  lessOne: boolean,
): ConvertedTensor {
  const { shape, type } = tensor;
  // A vector (a bias) is turned as a matrix of one column is.
  const grid = heads !== undefined && shape.length === 1 ? { ...tensor, shape: [...shape, 1] } : tensor;
  const rows = rowsOf(grid);
  const width = grid.shape.at(-1)!;
  const dtype = (lessOne ? undefined : type.sameAs) ?? "F32";
  const headRows = heads === undefined ? 1 : rows / heads;
  if (grid !== tensor && type.blockElements > 1)
    throw new InputError(
      `${tensor.source.name}: ${quote(tensor.name)} is a bias in ${type.name}; only matrices are quantised`,
    );
  if (!Number.isInteger(headRows) || (heads !== undefined && headRows % 2 !== 0))
    throw new InputError(`${tensor.source.name}: ${quote(tensor.name)} has ${rows} rows, which are not ${heads} heads`);
  return {
    name,
    dtype,
    shape,
    bytes: rows * width * (dtype === "F32" ? 4 : 2),
    async *parts() {
      const step = Math.max(1, Math.floor(PART_ELEMENTS / (headRows * width))) * headRows;
      for (let from = 0; from < rows; from += step) {
        const count = Math.min(step, rows - from);
        const values = await readRowsF32(grid, from, count);
        const bad = values.findIndex((x) => !Number.isFinite(x));
        if (bad >= 0)
          throw new InputError(
            `${tensor.source.name}: ${quote(tensor.name)} holds ${values[bad]} at element ${from * width + bad}; weights must be finite, so the file is damaged`,
          );
        if (lessOne) for (let i = 0; i < values.length; i++) values[i]! -= 1;
        const bytes =
          dtype === "F32"
            ? new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
            : await readRows(grid, from, count);
        yield heads === undefined ? bytes : inHalves(bytes, bytes.length / count, headRows);
      }
    },
  };
}

/**
 * Rows of each head from the order of llama.cpp, in which the two that a rotation mixes are neighbours (2 i + j), to that of
 * Hugging Face, in which they lie half a head apart (j · half + i).
 */
function inHalves(bytes: Uint8Array, rowBytes: number, headRows: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  const half = headRows / 2;
  for (let row = 0; row < bytes.length / rowBytes; row++) {
    const within = row % headRows;
    const from = row - within + 2 * (within % half) + Math.floor(within / half);
    out.set(bytes.subarray(from * rowBytes, (from + 1) * rowBytes), row * rowBytes);
  }
  return out;
}
