/** YAML files (recipes, audits, sweeps) as plain values; validate them with a schema. */
import { LineCounter, parseDocument } from "yaml";
import type { ByteSource } from "./byte-source.js";
import { InputError } from "./input-error.js";
import { readText } from "./json.js";

/** Recipes and sweeps are written by hand: kilobytes. */
const MAX_YAML_BYTES = 1024 * 1024;
/** How often aliases may be expanded; more is a "billion laughs" file. The package's own default. */
const MAX_ALIASES = 100;

/** The value in `source`. InputError with the line for bad YAML, repeated keys, unknown tags or too many aliases. */
export async function readYaml(source: ByteSource): Promise<unknown> {
  return parseYaml(await readText(source, MAX_YAML_BYTES), source.name);
}

/** The value of the YAML text `text`; `name` is what messages call it. YAML 1.2: `yes` and `0123` are text and a number. */
export function parseYaml(text: string, name: string): unknown {
  if (text.length > MAX_YAML_BYTES)
    throw new InputError(`${name}: ${text.length} characters; YAML is read up to ${MAX_YAML_BYTES}`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, strict: true });
  // An unknown tag (!!python/object) is a warning to the package; here it can only be a mistake or worse.
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new InputError(`${name}:${line}:${col}: ${problem.message.split("\n")[0]}; correct the YAML there`);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw new InputError(`${name}: ${(error as Error).message}; write the repeated parts out`);
  }
  if (holdsItself(value)) throw new InputError(`${name}: an alias stands inside what it names; write the parts out`);
  return value;
}

/** Whether going down from `value` leads back to something above. */
function holdsItself(value: unknown, above: ReadonlySet<unknown> = new Set()): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (above.has(value)) return true;
  const path = new Set(above).add(value);
  return Object.values(value).some((child) => holdsItself(child, path));
}
