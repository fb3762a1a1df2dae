/** What the configuration files of SAE formats have in common. */
import { z } from "zod";
import type { FileFolder } from "../../formats/byte-source.js";
import { InputError } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { firstWrong } from "../../formats/shape.js";

/** Real files are about 2 kB; some carry whole training configurations of a few hundred kB. */
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** Largest widths that mean a real file: an eightfold margin over the widest models and SAEs published. */
const MAX_WIDTH = 2 ** 18;
const MAX_LATENTS = 2 ** 24;

/** Width of a model, and a number of latents, in a configuration. */
export const modelWidth = z.int().min(1).max(MAX_WIDTH);
export const latentCount = z.int().min(1).max(MAX_LATENTS);
export const optionalText = z.string().nullish();
export const optionalFlag = z.boolean().nullish();

export interface ConfigFile<T> {
  readonly values: T;
  /** The file, for messages. */
  readonly where: string;
}

/** Reads `folder`/`file` by `schema`; `kind`: what it should be, for messages. */
export async function readConfig<T>(
  folder: FileFolder,
  file: string,
  schema: z.ZodType<T>,
  kind: string,
): Promise<ConfigFile<T>> {
  const source = await folder.open(file);
  return {
    values: parseConfig(await readJson(source, MAX_CONFIG_BYTES), source.name, schema, kind),
    where: source.name,
  };
}

/** The same for JSON that has been read. */
export function parseConfig<T>(value: unknown, where: string, schema: z.ZodType<T>, kind: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InputError(`${where}: ${firstWrong(parsed.error, "the document")}; not ${kind}`);
}

/** A whole k of at most `latents`; `field` names it. InputError else. */
export function checkK(k: number, latents: number, where: string, field: string): number {
  if (!Number.isInteger(k) || k < 1 || k > latents)
    throw new InputError(`${where}: ${field} is ${k}; it must be a whole number from 1 to the ${latents} latents`);
  return k;
}
