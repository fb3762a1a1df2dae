/**
 * The input is wrong: a file, a flag, a value from outside. Carries one line a person can act on:
 * what, where, why, what would be right. The command line prints it alone and exits with code 2.
 */
export class InputError extends Error {
  override readonly name = "InputError";
}

/**
 * `table[key]` where the table itself has that key. Keys come from files: "constructor" and "__proto__" are in every object,
 * and must not pass for entries.
 */
export function entryOf<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** `text` cut to `limit` characters, control characters made visible, for use inside a message. */
export function quote(text: string, limit = 80): string {
  const shown = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return JSON.stringify(shown);
}

/** Names from a file, quoted and cut, for use inside a message. */
export function quoteAll(names: readonly string[]): string {
  return names.map((name) => quote(name, 40)).join(", ");
}
