/**
 * Splits normalised text into the words that a tokenizer's model sees, as the `pre_tokenizer` of tokenizer.json says, and
 * keeps the alignment. Written here and not taken from the tokenizers package because that gives strings without places,
 * reads `\s`, `\d` and `\w` as ASCII in places where the Rust library reads Unicode, and does not split on Metaspace.
 */
import { InputError, quote } from "../formats/input-error.js";
import { type AlignedText, type Component, matchRanges, prepend, slice } from "./aligned-text.js";
import { SplitPreTokenizer } from "./tokenizers-library.js";

/** The words of one piece of text; in byte-level tokenizers `chars` then stand for bytes, several to a character. */
export function preTokenize(text: AlignedText, component: Component | null): AlignedText[] {
  if (text.chars.length === 0) return [];
  if (component === null) return [text];
  switch (component.type) {
    case "Sequence":
      return (component["pretokenizers"] as Component[]).reduce(
        (words, part) => words.flatMap((word) => preTokenize(word, part)),
        [text],
      );
    case "ByteLevel":
      return byteLevel(text, component);
    case "Metaspace":
      return metaspace(text, component);
    case "Split": {
      const { pattern } = new SplitPreTokenizer(component);
      if (!pattern) return [text];
      const behaviour = String(component["behavior"]);
      return split(text, pattern, component["invert"] === true ? invert(behaviour) : behaviour);
    }
    case "Digits":
      return split(text, component["individual_digits"] ? /\p{N}/gu : /\p{N}+/gu, "Isolated");
    case "Punctuation":
      return split(text, PUNCTUATION, String(component["behavior"] ?? "Isolated"));
    case "Whitespace":
      return split(text, WORDS, "Kept");
    case "WhitespaceSplit":
      return split(text, /\p{White_Space}/gu, "Removed");
    default:
      throw new InputError(`tokenizer.json: pre_tokenizer ${quote(component.type)} is not supported`);
  }
}

const PUNCTUATION = /[\p{P}\u0021-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u007E]/gu;
const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const WORDS = new RegExp(`[${WORD}]+|[^${WORD}\\p{White_Space}]+`, "gu");
/** GPT-2's pattern, with white space as Unicode (and Rust) define it. */
const GPT2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** An inverted split treats what the pattern does not match as the delimiters; only these two are used by models. */
function invert(behaviour: string): string {
  if (behaviour === "Removed") return "Kept";
  if (behaviour === "Isolated") return behaviour;
  throw new InputError(`tokenizer.json: an inverted Split with behavior ${quote(behaviour)} is not supported`);
}

/** Cuts at the matches of `pattern`: what becomes of the matches is the behaviour, named as in the Rust library. */
function split(text: AlignedText, pattern: RegExp, behaviour: string): AlignedText[] {
  const cuts: { from: number; to: number; match: boolean }[] = [];
  let at = 0;
  for (const [from, to] of matchRanges(text, pattern)) {
    if (from > at) cuts.push({ from: at, to: from, match: false });
    cuts.push({ from, to, match: true });
    at = to;
  }
  if (at < text.chars.length) cuts.push({ from: at, to: text.chars.length, match: false });
  const words: { from: number; to: number; match: boolean }[] = [];
  for (const cut of cuts) {
    const last = words.at(-1);
    const joins =
      (behaviour === "MergedWithPrevious" && cut.match && last && !last.match) ||
      (behaviour === "MergedWithNext" && !cut.match && last?.match) ||
      (behaviour === "Contiguous" && last && last.match === cut.match);
    if (joins && last) words[words.length - 1] = { from: last.from, to: cut.to, match: cut.match };
    else if (behaviour === "Removed" ? !cut.match : behaviour === "Kept" ? cut.match : true) words.push(cut);
  }
  return words.map(({ from, to }) => slice(text, from, to));
}

function metaspace(text: AlignedText, component: Component): AlignedText[] {
  const mark = String(component["replacement"] ?? "▁");
  const scheme = component["prepend_scheme"] ?? (component["add_prefix_space"] === false ? "never" : "always");
  let marked: AlignedText = { ...text, chars: text.chars.map((char) => (char === " " ? mark : char)) };
  if (marked.chars[0] !== mark && (scheme === "always" || (scheme === "first" && text.starts[0] === 0)))
    marked = prepend(mark, marked);
  if (component["split"] === false) return [marked];
  return split(marked, new RegExp(mark.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "gu"), "MergedWithNext");
}

function byteLevel(text: AlignedText, component: Component): AlignedText[] {
  const spaced = component["add_prefix_space"] === true && text.chars[0] !== " " ? prepend(" ", text) : text;
  const words = component["use_regex"] === false ? [spaced] : split(spaced, GPT2, "Isolated");
  return words.map((word) => {
    const out = { chars: [] as string[], starts: [] as number[], ends: [] as number[] };
    word.chars.forEach((char, i) => {
      const code = char.charCodeAt(0);
      for (const byte of code < 0x80 ? [code] : ENCODER.encode(char)) {
        out.chars.push(BYTE_TO_CHAR[byte] as string);
        out.starts.push(word.starts[i] as number);
        out.ends.push(word.ends[i] as number);
      }
    });
    return out;
  });
}

const ENCODER = new TextEncoder();

/** GPT-2's printable stand-ins: bytes that print stand for themselves, the others for U+0100 onwards in order. */
const BYTE_TO_CHAR: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCodePoint(prints ? byte : next++);
  });
})();

/** `text` in stand-ins for its UTF-8 bytes, as byte-level vocabularies spell their tokens. */
export function byteLevelText(text: string): string {
  return Array.from(ENCODER.encode(text), (byte) => BYTE_TO_CHAR[byte] as string).join("");
}

/** The byte each stand-in character means. */
export const CHAR_TO_BYTE: ReadonlyMap<string, number> = new Map(BYTE_TO_CHAR.map((char, byte) => [char, byte]));

/** Whether `component` is or contains a ByteLevel step, so that tokens are made of byte stand-ins. */
export function isByteLevel(component: Component | null): boolean {
  if (component === null) return false;
  if (component.type === "Sequence") return (component["pretokenizers"] as Component[]).some(isByteLevel);
  return component.type === "ByteLevel";
}
