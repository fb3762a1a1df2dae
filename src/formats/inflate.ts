/**
 * Raw deflate (RFC 1951) as a byte source: inflated while it is read, so that memory stays at one chunk however much it
 * grows to. Reads should go forwards; a read further back starts again from the front.
 */
import type { ByteSource } from "./byte-source.js";
import { InputError, quote } from "./input-error.js";
import { checkRange } from "./memory-source.js";

/** Compressed bytes handed on at once; they wait in the stream until they are asked for. */
const CHUNK_BYTES = 64 * 1024;

/**
 * The `size` bytes that `compressed` bytes at `begin` of `source` inflate to; `entry` names them in messages. What comes
 * beyond `size` is never produced. Reads reject with InputError for bad data.
 */
export function inflateSource(
  source: ByteSource,
  begin: number,
  compressed: number,
  size: number,
  entry: string,
): ByteSource {
  let stream = openStream(source, begin, compressed);
  /** Inflated bytes at hand, and the offset of the first of them. */
  let held: Uint8Array = new Uint8Array(0);
  let heldAt = 0;
  let last: Promise<unknown> = Promise.resolve();

  async function readNow(offset: number, length: number): Promise<Uint8Array> {
    if (offset < heldAt) {
      await stream.cancel();
      stream = openStream(source, begin, compressed);
      held = new Uint8Array(0);
      heldAt = 0;
    }
    const out = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const from = offset + done - heldAt;
      if (from < held.length) {
        const part = held.subarray(from, from + length - done);
        out.set(part, done);
        done += part.length;
        continue;
      }
      heldAt += held.length;
      held = await nextChunk();
    }
    return out;
  }

  async function nextChunk(): Promise<Uint8Array> {
    const next = await stream.read().catch((error: Error) => {
      if (error instanceof InputError) throw error;
      throw new InputError(`${source.name}: ${quote(entry)} cannot be inflated (${error.message}); download it again`);
    });
    if (next === undefined)
      throw new InputError(
        `${source.name}: ${quote(entry)} inflates to less than its ${size} bytes; download it again`,
      );
    return next;
  }

  return {
    name: source.name,
    size,
    read(offset, length) {
      const result = last.then(async () => {
        checkRange(source.name, size, offset, length);
        return readNow(offset, length);
      });
      // One read at a time; the next does not care how this one ended.
      last = result.catch(() => undefined);
      return result;
    },
  };
}

interface InflateStream {
  /** The next inflated bytes, undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  cancel(): Promise<void>;
}

function openStream(source: ByteSource, begin: number, compressed: number): InflateStream {
  const { readable, writable } = new DecompressionStream("deflate-raw");
  const reader = (readable as ReadableStream<Uint8Array>).getReader();
  const writer = (writable as WritableStream<Uint8Array>).getWriter();
  let failure: unknown;
  let started = false;
  async function feed(): Promise<void> {
    for (let at = 0; at < compressed; at += CHUNK_BYTES)
      await writer.write(await source.read(begin + at, Math.min(CHUNK_BYTES, compressed - at)));
    await writer.close();
  }
  return {
    async read() {
      if (!started) {
        started = true;
        writer.closed.catch(() => undefined); // it says what read() says
        feed().catch((error: unknown) => {
          failure = error;
          return writer.abort(error).catch(() => undefined);
        });
      }
      const { value, done } = await reader.read().catch((error: unknown) => {
        throw failure instanceof InputError ? failure : error;
      });
      return done ? undefined : value;
    },
    async cancel() {
      await reader.cancel().catch(() => undefined);
    },
  };
}
