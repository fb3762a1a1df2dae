/**
 * The input is wrong: a file, a flag, a value from outside. Carries one line a person can act on:
 * what, where, why, what would be right. The command line prints it alone and exits with code 2.
 */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** `text` cut to `limit` characters, control characters made visible, for use inside a message. */
export function quote(text: string, limit = 80): string {
  const shown = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return JSON.stringify(shown);
}
