/** A GGUF tensor's values, a range of rows at a time: large tensors never lie in memory whole. */
import type { LocatedGgufTensor } from "./gguf-file.js";

/** Rows of a tensor: all dimensions but the last are counted together. */
export function rowsOf({ shape }: LocatedGgufTensor): number {
  return shape.slice(0, -1).reduce((product, n) => product * n, 1);
}

/** The stored bytes of rows [from, from + count). */
export function readRows(tensor: LocatedGgufTensor, from: number, count: number): Promise<Uint8Array> {
  const rowBytes = tensor.bytes / rowsOf(tensor);
  return tensor.source.read(tensor.offset + from * rowBytes, count * rowBytes);
}

/** Their values in f32: the same bits as the `gguf` package's `dequantize`. */
export async function readRowsF32(tensor: LocatedGgufTensor, from: number, count: number): Promise<Float32Array> {
  const out = new Float32Array(count * tensor.shape.at(-1)!);
  tensor.type.dequantize(await readRows(tensor, from, count), out);
  return out;
}
