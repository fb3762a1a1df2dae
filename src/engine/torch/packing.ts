/** Sequences as a request carries them: token ids one after another, with their lengths. */
import type { Sequence } from "../../model/sequence.js";
import { EngineError } from "../engine-error.js";
import type { FrameTensor } from "./frames.js";

/** "ids" and "lengths" of a batch. */
export function packIds(sequences: readonly Int32Array[]): { ids: FrameTensor; lengths: FrameTensor } {
  return { ids: i32(joinInts(sequences)), lengths: i32(Int32Array.from(sequences, ({ length }) => length)) };
}

/** Indices into packed tokens: `rows[k]` are tokens of sequence k. */
export function packRows(sequences: readonly Int32Array[], rows: readonly Int32Array[]): FrameTensor {
  let before = 0;
  return i32(
    joinInts(
      sequences.map(({ length }, k) => {
        const start = before;
        before += length;
        return rows[k]!.map((t) => start + t);
      }),
    ),
  );
}

export function joinInts(parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A one-dimensional tensor, or one of the given shape. */
export function i32(data: Int32Array, shape: readonly number[] = [data.length]): FrameTensor {
  return { dtype: "i32", shape, data };
}

export function f32(data: Float32Array, shape: readonly number[] = [data.length]): FrameTensor {
  return { dtype: "f32", shape, data };
}

/** A result that must be there with `count` values of type f32; anything else is the process's fault. */
export function floats(tensors: Readonly<Record<string, FrameTensor>>, name: string, count: number): Float32Array {
  const tensor = tensors[name];
  if (tensor?.dtype !== "f32" || tensor.data.length !== count) throw wrong(name, `${count} f32`, tensor);
  return tensor.data;
}

export function doubles(tensors: Readonly<Record<string, FrameTensor>>, name: string, count: number): Float64Array {
  const tensor = tensors[name];
  if (tensor?.dtype !== "f64" || tensor.data.length !== count) throw wrong(name, `${count} f64`, tensor);
  return tensor.data;
}

export function integers(tensors: Readonly<Record<string, FrameTensor>>, name: string, count: number): Int32Array {
  const data = integersOf(tensors, name);
  if (data.length !== count) throw wrong(name, `${count} i32`, tensors[name]);
  return data;
}

/** The same, however many there are. */
export function integersOf(tensors: Readonly<Record<string, FrameTensor>>, name: string): Int32Array {
  const tensor = tensors[name];
  if (tensor?.dtype !== "i32") throw wrong(name, "i32", tensor);
  return tensor.data;
}

function wrong(name: string, wanted: string, tensor: FrameTensor | undefined): EngineError {
  const found = tensor ? `${tensor.data.length} ${tensor.dtype} values` : "no values";
  return new EngineError(`the torch process answered with ${found} as ${name}, and not with ${wanted} values`);
}

/** The prompt and the action but for its last token. */
export function teacherForced({ prompt, action }: Sequence): Int32Array {
  const ids = new Int32Array(prompt.length + Math.max(0, action.length - 1));
  ids.set(prompt);
  ids.set(action.subarray(0, -1), prompt.length);
  return ids;
}

/** Rows of `teacherForced` that predict the action's tokens. */
export function actionRows({ prompt, action }: Sequence): Int32Array {
  return Int32Array.from(action, (_, j) => prompt.length - 1 + j);
}

export function totalLength(parts: readonly { readonly length: number }[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
