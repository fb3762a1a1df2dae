/**
 * Messages over a byte stream, the twin of python/antecedent_torch/frames.py.
 *
 * A frame: "ATP1", u32 length of the header, u64 length of the body (little-endian); the header, JSON in UTF-8; the body, the
 * tensors that header.tensors lists, packed one after another in C order, little-endian.
 */
import { z } from "zod";
import { EngineError } from "../engine-error.js";

export type FrameTensor =
  | { readonly dtype: "f32"; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: "f64"; readonly shape: readonly number[]; readonly data: Float64Array }
  | { readonly dtype: "i32"; readonly shape: readonly number[]; readonly data: Int32Array }
  | { readonly dtype: "u8"; readonly shape: readonly number[]; readonly data: Uint8Array };

export interface Frame {
  readonly header: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, FrameTensor>>;
}

const MAGIC = 0x31505441; // "ATP1"
const HEAD_BYTES = 16;
/** A header lists at most the parameters of a model: some thousand, 100 bytes each. */
const MAX_HEADER_BYTES = 16 << 20;
/** A body is at most the state of a training; an ArrayBuffer holds this much. */
const MAX_BODY_BYTES = 4 * 2 ** 30;
/** A process that cannot import torch says so in one line of JSON instead of a frame. */
const MAX_LINE_BYTES = 1 << 16;

const ARRAYS = { f32: Float32Array, f64: Float64Array, i32: Int32Array, u8: Uint8Array } as const;

const entryShape = z.object({
  name: z.string(),
  dtype: z.enum(["f32", "f64", "i32", "u8"]),
  shape: z.array(z.number().int().nonnegative()).max(8),
});
const headerShape = z.looseObject({ tensors: z.array(entryShape).default([]) });

/** The bytes of one message, in pieces to be written one after another. Tensors are copied. */
export function encodeFrame({ header, tensors }: Frame): Uint8Array[] {
  const entries = Object.entries(tensors);
  const listed = entries.map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const text = new TextEncoder().encode(JSON.stringify({ ...header, tensors: listed }));
  const bodies = entries.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice());
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, text.byteLength, true);
  view.setBigUint64(8, BigInt(bodies.reduce((sum, { byteLength }) => sum + byteLength, 0)), true);
  return [head, text, ...bodies];
}

/** Cuts a stream of bytes into messages. `push` throws EngineError for bytes that are none. */
export class FrameReader {
  private waiting: Uint8Array[] = [];
  private held = 0;

  /** Takes bytes as they come; returns the messages that are complete with them. */
  push(bytes: Uint8Array): Frame[] {
    this.waiting.push(bytes);
    this.held += bytes.byteLength;
    const frames: Frame[] = [];
    for (let frame = this.next(); frame; frame = this.next()) frames.push(frame);
    return frames;
  }

  private next(): Frame | null {
    if (this.held < HEAD_BYTES) return null;
    const head = this.peek(HEAD_BYTES);
    if (head[0] === "{".charCodeAt(0)) return this.line();
    const view = new DataView(head.buffer, head.byteOffset);
    const headerLength = view.getUint32(4, true);
    const bodyLength = Number(view.getBigUint64(8, true));
    if (view.getUint32(0, true) !== MAGIC || headerLength > MAX_HEADER_BYTES || bodyLength > MAX_BODY_BYTES)
      throw new EngineError("the torch process sent bytes that are no message of its protocol");
    if (this.held < HEAD_BYTES + headerLength + bodyLength) return null;
    this.take(HEAD_BYTES);
    return parseFrame(this.take(headerLength), this.take(bodyLength));
  }

  private line(): Frame | null {
    const text = this.peek(Math.min(this.held, MAX_LINE_BYTES));
    const end = text.indexOf(10);
    if (end < 0 && text.byteLength < MAX_LINE_BYTES) return null;
    if (end < 0) throw new EngineError("the torch process sent a line that does not end");
    return parseFrame(this.take(end + 1), new Uint8Array(0));
  }

  private peek(count: number): Uint8Array {
    if (this.waiting[0]!.byteLength < count) this.waiting = [joined(this.waiting, this.held)];
    return this.waiting[0]!.subarray(0, count);
  }

  private take(count: number): Uint8Array {
    if (count === 0) return new Uint8Array(0);
    if (this.waiting[0]!.byteLength < count) this.waiting = [joined(this.waiting, this.held)];
    const first = this.waiting[0]!;
    this.waiting[0] = first.subarray(count);
    if (this.waiting[0].byteLength === 0) this.waiting.shift();
    this.held -= count;
    return first.subarray(0, count);
  }
}

function parseFrame(text: Uint8Array, body: Uint8Array): Frame {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(text));
  } catch {
    throw new EngineError("the torch process sent a message that is not JSON");
  }
  const parsed = headerShape.safeParse(json);
  if (!parsed.success) throw new EngineError("the torch process sent a message of unknown form");
  const { tensors: entries, ...header } = parsed.data;
  const tensors: Record<string, FrameTensor> = {};
  let at = 0;
  for (const { name, dtype, shape } of entries) {
    const size = ARRAYS[dtype].BYTES_PER_ELEMENT * shape.reduce((product, n) => product * n, 1);
    if (at + size > body.byteLength) throw new EngineError("the torch process sent a tensor that is cut short");
    // A copy, so that the array begins where its type needs it to. (A Buffer's own `slice` makes none.)
    const bytes = new Uint8Array(size);
    bytes.set(body.subarray(at, at + size));
    tensors[name] = { dtype, shape, data: new ARRAYS[dtype](bytes.buffer) } as FrameTensor;
    at += size;
  }
  return { header, tensors };
}

function joined(parts: readonly Uint8Array[], total: number): Uint8Array {
  const whole = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
