/** A text file line by line, without holding it: plain, or compressed with gzip. */
import type { ByteSource } from "./byte-source.js";
import { InputError } from "./input-error.js";

/** Bytes read at once. */
const READ_BYTES = 4 * 1024 * 1024;
/** Text of one file after decompression. A published export of 131,072 labels with embeddings is about 1 GB in 128 files. */
const MAX_TEXT_BYTES = 8 * 2 ** 30;

/** Whether the file begins as gzip files do, whatever its name says. */
async function isGzip(source: ByteSource): Promise<boolean> {
  if (source.size < 2) return false;
  const [first, second] = await source.read(0, 2);
  return first === 0x1f && second === 0x8b;
}

/**
 * The lines of `source`, without their ends; the last may be empty. InputError for text that is not UTF-8, a damaged gzip file, or a
 * line of more than `maxLine` characters.
 */
export async function* readLines(source: ByteSource, maxLine: number): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  const decode = (bytes?: Uint8Array): string[] => {
    try {
      rest += bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw new InputError(`${source.name}: is not UTF-8 text; save it as UTF-8`);
    }
    const lines = rest.split("\n");
    rest = lines.pop()!;
    if (rest.length > maxLine || lines.some((line) => line.length > maxLine))
      throw new InputError(`${source.name}: a line has more than ${maxLine} characters`);
    return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  };
  let total = 0;
  for await (const bytes of (await isGzip(source)) ? gunzipped(source) : stored(source)) {
    total += bytes.length;
    if (total > MAX_TEXT_BYTES) throw new InputError(`${source.name}: holds more than ${MAX_TEXT_BYTES} bytes of text`);
    yield* decode(bytes);
  }
  yield* decode();
  yield rest;
}

async function* stored(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.size; at += READ_BYTES) yield source.read(at, Math.min(READ_BYTES, source.size - at));
}

async function* gunzipped(source: ByteSource): AsyncGenerator<Uint8Array> {
  const compressed = stored(source);
  const input = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { value, done } = await compressed.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const reader = input.pipeThrough(new DecompressionStream("gzip")).getReader();
  for (;;) {
    const { value, done } = await reader.read().catch((error: unknown) => {
      if (error instanceof InputError) throw error;
      throw new InputError(`${source.name}: is not a whole gzip file; download it again`);
    });
    if (done) return;
    yield value;
  }
}
