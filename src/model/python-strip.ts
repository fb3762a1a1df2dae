/** Python's `str.strip`: its white space is not quite JavaScript's, and it takes the characters to strip. */

/** `str.isspace` of a character: Unicode's white space (a byte-order mark is none) and the separators U+001C to U+001F. */
function isSpace(char: string): boolean {
  return /\p{White_Space}/u.test(char) || (char >= "\u001c" && char <= "\u001f");
}

export function stripStart(text: string, chars?: string): string {
  const all = Array.from(text);
  const solid = all.findIndex((char) => !goes(char, chars));
  return solid < 0 ? "" : all.slice(solid).join("");
}

export function stripEnd(text: string, chars?: string): string {
  const all = Array.from(text);
  return all.slice(0, all.findLastIndex((char) => !goes(char, chars)) + 1).join("");
}

function goes(char: string, chars: string | undefined): boolean {
  return chars === undefined ? isSpace(char) : chars.includes(char);
}

export function strip(text: string, chars?: string): string {
  return stripEnd(stripStart(text, chars), chars);
}
