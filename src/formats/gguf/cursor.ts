/** Reads GGUF's little-endian primitives one after another from bytes already in memory. */
import { InputError, quote } from "../input-error.js";

/** The bytes end before the value does: the reader of the file fetches more and starts again. */
export class NeedMoreBytes extends Error {
  override readonly name = "NeedMoreBytes";
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }); // a token may be a byte-order mark

/** A place in `bytes`, which are the first of the file `file`. */
export class Cursor {
  at = 0;
  readonly #view: DataView;

  constructor(
    readonly file: string,
    private readonly bytes: Uint8Array,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The place `length` bytes from here, after moving beyond them. */
  #take(length: number): number {
    const from = this.at;
    if (length > this.bytes.length - from) throw new NeedMoreBytes();
    this.at = from + length;
    return from;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  i8(): number {
    return this.#view.getInt8(this.#take(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }
  i16(): number {
    return this.#view.getInt16(this.#take(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }
  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }
  f32(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }
  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** A 64-bit integer as a number; `what` it is, for the message when it is beyond 2^53, which nothing real is. */
  u64(what: string): number {
    return this.#safe(this.#view.getBigUint64(this.#take(8), true), what);
  }
  i64(what: string): number {
    return this.#safe(this.#view.getBigInt64(this.#take(8), true), what);
  }

  #safe(value: bigint, what: string): number {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) fail(this.file, `${what} is ${value}`);
    return number;
  }

  /** One byte that must be 0 or 1. */
  bool(what: string): boolean {
    const value = this.u8();
    if (value > 1) fail(this.file, `${what} is ${value} where only 0 and 1 are allowed`);
    return value === 1;
  }

  /** A u64 length and that many bytes of UTF-8. */
  string(what: string, limit: number): string {
    const length = this.u64(`the length of ${what}`);
    if (length > limit) fail(this.file, `${what} is ${length} bytes long (at most ${limit})`);
    const from = this.#take(length);
    try {
      return UTF8.decode(this.bytes.subarray(from, from + length));
    } catch {
      return fail(this.file, `${what} is not UTF-8`);
    }
  }
}

/** InputError: the file's header says something impossible. */
export function fail(file: string, what: string): never {
  throw new InputError(`${file}: ${what}; the GGUF header is invalid, write or download the file again`);
}

/** "tensor "blk.0.attn_q.weight"", for messages. */
export function tensorNamed(name: string): string {
  return `tensor ${quote(name)}`;
}
