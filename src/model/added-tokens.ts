/** Finding the added tokens ("<|eot_id|>") that stand literally in a text, before anything else is done with it. */
import { type AlignedText, slice } from "./aligned-text.js";

/** An entry of `added_tokens` in tokenizer.json. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Only where no word character touches it. */
  readonly single_word: boolean;
  /** Takes the white space before it with it. */
  readonly lstrip: boolean;
  /** Takes the white space after it with it. */
  readonly rstrip: boolean;
  /** Looked for in the normalised text and not in the raw one. */
  readonly normalized: boolean;
  readonly special: boolean;
}

/** A piece of text between added tokens (no token), or an added token and the text it stands for. */
export interface Section {
  readonly text: AlignedText;
  readonly token?: AddedToken;
}

const WORD_CHARACTER = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const BLANK = /\p{White_Space}/u;

/** Looks up added tokens, the leftmost and there the longest first, as the Rust library does. */
export class AddedTokenMatcher {
  readonly #byContent = new Map<string, AddedToken>();
  /** Lengths in code points of the contents that begin with a character, longest first. */
  readonly #lengths = new Map<string, number[]>();

  /** `contentOf` gives the text to look for: the content, or its normalised form. */
  constructor(tokens: readonly AddedToken[], contentOf: (token: AddedToken) => string) {
    for (const token of tokens) {
      const content = Array.from(contentOf(token));
      const first = content[0];
      if (first === undefined) continue;
      this.#byContent.set(content.join(""), token);
      const lengths = this.#lengths.get(first) ?? [];
      if (!lengths.includes(content.length)) lengths.push(content.length);
      this.#lengths.set(
        first,
        lengths.sort((a, b) => b - a),
      );
    }
  }

  /** Cuts `text` into sections; the sections' texts cover it whole, in order. */
  split(text: AlignedText): Section[] {
    const { chars } = text;
    const sections: Section[] = [];
    let done = 0;
    for (let at = 0; at < chars.length; ) {
      const token = this.#at(chars, at);
      if (!token) {
        at++;
        continue;
      }
      let from = at;
      let to = at + token.length;
      at = to;
      const { added } = token;
      if (added.single_word && (WORD_CHARACTER.test(chars[from - 1] ?? "") || WORD_CHARACTER.test(chars[to] ?? "")))
        continue;
      if (added.lstrip) while (from > done && BLANK.test(chars[from - 1] as string)) from--;
      if (added.rstrip) while (to < chars.length && BLANK.test(chars[to] as string)) to++;
      if (from > done) sections.push({ text: slice(text, done, from) });
      sections.push({ text: slice(text, from, to), token: added });
      done = to;
      at = Math.max(at, to);
    }
    if (done < chars.length) sections.push({ text: slice(text, done, chars.length) });
    return sections;
  }

  #at(chars: readonly string[], at: number): { added: AddedToken; length: number } | undefined {
    for (const length of this.#lengths.get(chars[at] as string) ?? []) {
      const added =
        at + length <= chars.length ? this.#byContent.get(chars.slice(at, at + length).join("")) : undefined;
      if (added) return { added, length };
    }
    return undefined;
  }
}
