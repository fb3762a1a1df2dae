/**
 * Token texts → text, as the `decoder` of tokenizer.json says. The rules are those of the Rust library (what it does with
 * bytes that make no character, with byte-order marks and with added tokens differs in the tokenizers package).
 */
import { InputError, quote } from "../formats/input-error.js";
import type { Component } from "./aligned-text.js";
import { CHAR_TO_BYTE } from "./pre-tokenize.js";
import { ReplaceNormalizer } from "./tokenizers-library.js";

/** Turns the texts of a sequence of tokens into texts to be joined. */
export type Decode = (tokens: readonly string[]) => readonly string[];

/** The function that a decoder of tokenizer.json describes. InputError for kinds that no decoder model here uses. */
export function decoderOf(component: Component | null): Decode {
  if (component === null) return (tokens) => [tokens.join(" ")];
  switch (component.type) {
    case "Sequence": {
      const steps = (component["decoders"] as Component[]).map(decoderOf);
      return (tokens) => steps.reduce((texts, step) => step(texts), tokens);
    }
    case "ByteLevel":
      return (tokens) => [LOSSY.decode(Uint8Array.from(tokens.flatMap(byteLevelBytes)))];
    case "ByteFallback":
      return byteFallback;
    case "Fuse":
      return (tokens) => [tokens.join("")];
    case "Replace": {
      const { pattern } = new ReplaceNormalizer(component);
      const content = String(component["content"] ?? "");
      return (tokens) => (pattern ? tokens.map((token) => token.replaceAll(pattern, () => content)) : tokens);
    }
    case "Strip":
      return (tokens) => tokens.map((token) => strip(token, component));
    case "Metaspace": {
      const mark = String(component["replacement"] ?? "▁");
      const prefixed =
        (component["prepend_scheme"] ?? (component["add_prefix_space"] === false ? "never" : "always")) !== "never";
      return (tokens) => tokens.map((token, i) => token.replaceAll(mark, i === 0 && prefixed ? "" : " "));
    }
    default:
      throw new InputError(`tokenizer.json: decoder ${quote(component.type)} is not supported`);
  }
}

const LOSSY = new TextDecoder("utf-8", { ignoreBOM: true });
const STRICT = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** The bytes a byte-level token stands for; a text with any other character (an added token) is its own UTF-8. */
export function byteLevelBytes(token: string): number[] {
  const bytes = Array.from(token, (char) => CHAR_TO_BYTE.get(char));
  return bytes.includes(undefined) ? [...new TextEncoder().encode(token)] : (bytes as number[]);
}

/** Runs of `<0xHH>` become the text they spell, or one U+FFFD a byte where they spell none. */
const byteFallback: Decode = (tokens) => {
  const texts: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    try {
      texts.push(STRICT.decode(Uint8Array.from(bytes)));
    } catch {
      texts.push(..."\ufffd".repeat(bytes.length));
    }
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
    if (byte) bytes.push(Number.parseInt(byte[1] as string, 16));
    else {
      flush();
      texts.push(token);
    }
  }
  flush();
  return texts;
};

function strip(token: string, component: Component): string {
  const chars = Array.from(token);
  let from = 0;
  let to = chars.length;
  while (from < Math.min(Number(component["start"]), chars.length) && chars[from] === component["content"]) from++;
  while (chars.length - to < Number(component["stop"]) && to > from && chars[to - 1] === component["content"]) to--;
  return chars.slice(from, to).join("");
}
