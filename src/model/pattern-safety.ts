/**
 * Patterns of tokenizer.json come from outside and are matched by backtracking, so that one of them could keep a reader busy
 * for ever. Refused is what makes that exponential: a repeated group that can itself split its match in several ways.
 */

/** Repeating up to this often is no danger: "\p{N}{1,3}". */
const FEW = 16;

interface Group {
  /** Whether something repeated, or a choice, stands in it. */
  ambiguous: boolean;
}

/** Whether a group that holds a repetition or a choice is itself repeated. */
export function mayNeverEnd({ source: pattern }: RegExp): boolean {
  const open: Group[] = [{ ambiguous: false }];
  let closed: Group | null = null;
  for (let at = 0; at < pattern.length; ) {
    const here = open.at(-1) as Group;
    const repeat = repetition(pattern, at);
    if (repeat !== null) {
      if (repeat.most > FEW) {
        if (closed?.ambiguous) return true;
        here.ambiguous = true;
      }
      at += repeat.length;
      continue;
    }
    closed = null;
    const char = pattern[at];
    if (char === "(") open.push({ ambiguous: false });
    else if (char === "|") here.ambiguous = true;
    else if (char === ")" && open.length > 1) {
      closed = open.pop() as Group;
      if (closed.ambiguous) (open.at(-1) as Group).ambiguous = true;
    }
    at += char === "\\" ? 2 : char === "[" ? classLength(pattern, at) : 1;
  }
  return false;
}

/** The quantifier that begins at a place, how often at most it repeats, and its characters. */
function repetition(pattern: string, at: number): { most: number; length: number } | null {
  const [text, , , least, comma, most] =
    /^(?:([*+])|(\?)|\{(\d+)(,?)(\d*)\})[?+]?/.exec(pattern.slice(at, at + 32)) ?? [];
  if (text === undefined) return null;
  // "(?:", "(?i:", "(?!": no quantifier.
  if (text.startsWith("?")) return pattern[at - 1] === "(" ? null : { most: 1, length: text.length };
  if (least === undefined || (comma === "," && most === ""))
    return { most: Number.POSITIVE_INFINITY, length: text.length };
  return { most: Number(most === "" ? least : most), length: text.length };
}

/** Characters of a class with its brackets. */
function classLength(pattern: string, start: number): number {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern[at] === "]") return at - start + 1;
  }
  return pattern.length - start;
}
