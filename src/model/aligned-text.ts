/**
 * Text on its way through a tokenizer: code points, each with the range of the source text it came from. The rules are
 * those of the Rust library's NormalizedString, so that token offsets come out as transformers reports them.
 */
import { InputError, quote } from "../formats/input-error.js";
import { ReplaceNormalizer } from "./tokenizers-library.js";

/** `chars[i]` is one code point, made from UTF-16 units [starts[i], ends[i]) of the source. */
export interface AlignedText {
  readonly chars: readonly string[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** The part of a tokenizer.json component that tells what it is. */
export interface Component {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** `text` aligned with itself. */
export function align(text: string): AlignedText {
  const chars = Array.from(text);
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const char of chars) {
    starts.push(at);
    at += char.length;
    ends.push(at);
  }
  return { chars, starts, ends };
}

/** Code points [from, to). */
export function slice(text: AlignedText, from: number, to: number): AlignedText {
  return { chars: text.chars.slice(from, to), starts: text.starts.slice(from, to), ends: text.ends.slice(from, to) };
}

/** Writes `prefix` before the text; its characters count as coming from where the first one does. */
export function prepend(prefix: string, text: AlignedText): AlignedText {
  const [start, end] = [text.starts[0], text.ends[0]];
  if (start === undefined || end === undefined) return text;
  const added = Array.from(prefix);
  return {
    chars: [...added, ...text.chars],
    starts: [...added.map(() => start), ...text.starts],
    ends: [...added.map(() => end), ...text.ends],
  };
}

/** Matches of a global pattern, as code point ranges of `text`; empty matches are left out. */
export function matchRanges(text: AlignedText, pattern: RegExp): [number, number][] {
  const joined = text.chars.join("");
  const ranges: [number, number][] = [];
  let unit = 0;
  let index = 0;
  const indexOf = (target: number) => {
    while (unit < target) unit += (text.chars[index++] as string).length;
    return index;
  };
  for (const match of joined.matchAll(pattern))
    if (match[0] !== "") ranges.push([indexOf(match.index), indexOf(match.index + match[0].length)]);
  return ranges;
}

/** Applies a `normalizer` of tokenizer.json (null: nothing). InputError for kinds that no decoder model here uses. */
export function normalizeAligned(text: AlignedText, normalizer: Component | null): AlignedText {
  const limit = MAX_GROWTH * text.chars.length + MAX_ADDED;
  return normalizeWithin(limit, text, normalizer);
}

/** Unicode's own normal forms make at most 18 characters of one; replacements that make more are meant to exhaust memory. */
const MAX_GROWTH = 32;
/** What may be added to a short text, a prefix for example. */
const MAX_ADDED = 1024;

function normalizeWithin(limit: number, text: AlignedText, normalizer: Component | null): AlignedText {
  if (text.chars.length > limit)
    throw new InputError(`tokenizer.json: its normalizer makes a text more than ${MAX_GROWTH} times as long`);
  if (normalizer === null || text.chars.length === 0) return text;
  switch (normalizer.type) {
    case "Sequence":
      return (normalizer["normalizers"] as Component[]).reduce(
        (made: AlignedText, step) => normalizeWithin(limit, made, step),
        text,
      );
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD":
      return unicodeForm(text, normalizer.type);
    case "Prepend":
      return prepend(String(normalizer["prepend"]), text);
    case "Replace":
      return replaceAll(text, normalizer);
    case "Lowercase":
      return rewrite(text, (char) => char.toLowerCase());
    case "StripAccents":
      return rewrite(text, (char) => (/\p{M}/u.test(char) ? "" : char));
    case "Strip": {
      const blank = text.chars.map((char) => /\p{White_Space}/u.test(char));
      let from = 0;
      let to = blank.length;
      if (normalizer["strip_left"]) while (from < to && blank[from]) from++;
      if (normalizer["strip_right"]) while (to > from && blank[to - 1]) to--;
      return slice(text, from, to);
    }
    default:
      throw new InputError(`tokenizer.json: normalizer ${quote(normalizer.type)} is not supported`);
  }
}

/** What is written for a match counts as coming from the match's last character. */
function replaceAll(text: AlignedText, config: Component): AlignedText {
  const { pattern } = new ReplaceNormalizer(config);
  if (!pattern) return text;
  const content = Array.from(String(config["content"] ?? ""));
  const out = { chars: [] as string[], starts: [] as number[], ends: [] as number[] };
  let at = 0;
  for (const [from, to] of [...matchRanges(text, pattern), [text.chars.length, text.chars.length] as const]) {
    for (; at < from; at++) push(out, text.chars[at] as string, text.starts[at] as number, text.ends[at] as number);
    if (to > from)
      for (const char of content) push(out, char, text.starts[to - 1] as number, text.ends[to - 1] as number);
    at = to;
  }
  return out;
}

function rewrite(text: AlignedText, map: (char: string) => string): AlignedText {
  const out = { chars: [] as string[], starts: [] as number[], ends: [] as number[] };
  text.chars.forEach((char, i) => {
    for (const made of map(char)) push(out, made, text.starts[i] as number, text.ends[i] as number);
  });
  return out;
}

/**
 * A Unicode normal form, cluster by cluster. Within a cluster of n code points that becomes m: the first comes from the
 * first; with m < n the code points after it were composed away, with m > n they were made from it; the rest pair up.
 */
function unicodeForm(text: AlignedText, form: "NFC" | "NFD" | "NFKC" | "NFKD"): AlignedText {
  const joined = text.chars.join("");
  const target = joined.normalize(form);
  if (target === joined) return text;
  const clusters = Array.from(new Intl.Segmenter("und", { granularity: "grapheme" }).segment(joined), (s) => s.segment);
  const pieces = clusters.map((cluster) => cluster.normalize(form)).join("") === target ? clusters : [joined];
  const out = { chars: [] as string[], starts: [] as number[], ends: [] as number[] };
  let at = 0;
  for (const piece of pieces) {
    const n = Array.from(piece).length;
    const made = Array.from(piece.normalize(form));
    made.forEach((char, i) => {
      const from = at + (i === 0 ? 0 : Math.max(0, i + n - made.length));
      push(out, char, text.starts[from] as number, text.ends[from] as number);
    });
    at += n;
  }
  return out;
}

function push(
  out: { chars: string[]; starts: number[]; ends: number[] },
  char: string,
  start: number,
  end: number,
): void {
  out.chars.push(char);
  out.starts.push(start);
  out.ends.push(end);
}
