/** Reading a whole small text or JSON file from a byte source, with a bound on its size. */
import type { ByteSource } from "./byte-source.js";
import { InputError } from "./input-error.js";

/** The UTF-8 text of `source`, a leading byte-order mark dropped. InputError beyond `limit` bytes or for bad UTF-8. */
export async function readText(source: ByteSource, limit: number): Promise<string> {
  if (source.size > limit)
    throw new InputError(`${source.name}: ${source.size} bytes; a file of this kind is read up to ${limit} bytes`);
  const bytes = await source.read(0, source.size);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${source.name}: is not UTF-8 text; save it as UTF-8`);
  }
}

/** The JSON value in `source`; validate it with a schema. InputError when it is too large or not JSON. */
export async function readJson(source: ByteSource, limit: number): Promise<unknown> {
  const text = await readText(source, limit);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${source.name}: is not valid JSON (${(error as Error).message}); write or download it again`);
  }
}

/** The value of a text from elsewhere; undefined where it is not JSON. */
export function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
