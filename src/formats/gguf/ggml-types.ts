/**
 * The element types of GGUF tensors. Quantised ones come in blocks along the fastest dimension; adding one is an entry here
 * and its function in a file beside this one.
 */
import { bf16ToF32, f16ToF32 } from "../half.js";
import { InputError, quote } from "../input-error.js";
import { dequantizeIq4Nl, dequantizeIq4Xs } from "./iq4-blocks.js";
import { dequantizeQ2K, dequantizeQ3K, dequantizeQ4K, dequantizeQ5K, dequantizeQ6K } from "./k-blocks.js";
import { dequantizeQ4_0, dequantizeQ4_1, dequantizeQ5_0, dequantizeQ5_1, dequantizeQ8_0 } from "./small-blocks.js";

/** Whole blocks of bytes → their values. */
export type Dequantize = (blocks: Uint8Array, out: Float32Array) => void;

export interface GgmlType {
  readonly name: string;
  /** Elements in a block, and the bytes they take. */
  readonly blockElements: number;
  readonly blockBytes: number;
  readonly dequantize: Dequantize;
  /** The safetensors type with the same bytes, where there is one: such values need no conversion. */
  readonly sameAs?: "F32" | "F16" | "BF16";
}

const type = (
  name: string,
  blockElements: number,
  blockBytes: number,
  dequantize: Dequantize,
  sameAs?: GgmlType["sameAs"],
): GgmlType => ({ name, blockElements, blockBytes, dequantize, ...(sameAs ? { sameAs } : {}) });

/** By the number in the file. Sizes: GGML_QUANT_SIZES of the `gguf` package. */
const READABLE: ReadonlyMap<number, GgmlType> = new Map([
  [0, type("F32", 1, 4, (bytes, out) => out.set(f32View(bytes)), "F32")],
  [1, type("F16", 1, 2, (bytes, out) => void f16ToF32(u16View(bytes), out), "F16")],
  [30, type("BF16", 1, 2, (bytes, out) => void bf16ToF32(u16View(bytes), out), "BF16")],
  [2, type("Q4_0", 32, 18, dequantizeQ4_0)],
  [3, type("Q4_1", 32, 20, dequantizeQ4_1)],
  [6, type("Q5_0", 32, 22, dequantizeQ5_0)],
  [7, type("Q5_1", 32, 24, dequantizeQ5_1)],
  [8, type("Q8_0", 32, 34, dequantizeQ8_0)],
  [10, type("Q2_K", 256, 84, dequantizeQ2K)],
  [11, type("Q3_K", 256, 110, dequantizeQ3K)],
  [12, type("Q4_K", 256, 144, dequantizeQ4K)],
  [13, type("Q5_K", 256, 176, dequantizeQ5K)],
  [14, type("Q6_K", 256, 210, dequantizeQ6K)],
  [20, type("IQ4_NL", 32, 18, dequantizeIq4Nl)],
  [23, type("IQ4_XS", 256, 136, dequantizeIq4Xs)],
]);

/** What else may stand in a file, so that a message can name it. */
const UNREADABLE: Readonly<Record<number, string>> = {
  9: "Q8_1",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  21: "IQ3_S",
  22: "IQ2_S",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  29: "IQ1_M",
  34: "TQ1_0",
  35: "TQ2_0",
  39: "MXFP4",
  40: "NVFP4",
  41: "Q1_0",
};

/** The type with this number. InputError, which names `tensor`, where its values are not read. */
export function ggmlType(id: number, file: string, tensor: string): GgmlType {
  const known = READABLE.get(id);
  if (known) return known;
  const name = UNREADABLE[id] ?? `of unknown type ${id}`;
  const readable = [...READABLE.values()].map((one) => one.name).join(", ");
  throw new InputError(`${file}: tensor ${quote(tensor)} is ${name}; supported quantisations: ${readable}`);
}

function f32View(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(buffer, byteOffset, length / 4);
}

function u16View(bytes: Uint8Array): Uint16Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(buffer, byteOffset, length / 2);
}
