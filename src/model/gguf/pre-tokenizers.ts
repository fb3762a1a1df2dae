/**
 * `tokenizer.ggml.pre` → how a byte-level vocabulary cuts text into words. The patterns are those of the published
 * tokenizer.json files; which names stand for them: llama-vocab.cpp of llama.cpp.
 */
import { entryOf, InputError, quote } from "../../formats/input-error.js";
import type { Component } from "../aligned-text.js";

export interface PreTokenizer {
  readonly component: Component;
  /** A word that is in the vocabulary is a token, whatever the merges would make of it. */
  readonly ignoreMerges: boolean;
}

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const REST = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const LLAMA3 = `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|${REST}`;
const QWEN2 = `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|${REST}`;
const CAPITALS = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const SMALL = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const cased = (after: string, digits: string) =>
  `[^\\r\\n\\p{L}\\p{N}]?${CAPITALS}*${SMALL}+${after}|[^\\r\\n\\p{L}\\p{N}]?${CAPITALS}+${SMALL}*${after}|${digits}` +
  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const TEKKEN = cased("", "\\p{N}");
const GPT4O = cased(`${CONTRACTIONS}?`, "\\p{N}{1,3}");

const byteLevel = (useRegex: boolean): Component => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});
const sequence = (...pretokenizers: Component[]): Component => ({ type: "Sequence", pretokenizers });
const cut = (pattern: string): Component =>
  sequence({ type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false }, byteLevel(false));

const KINDS: readonly (PreTokenizer & { readonly names: readonly string[] })[] = [
  { names: ["default", "gpt-2", "mpt", "olmo", "phi-2"], component: byteLevel(true), ignoreMerges: false },
  {
    names: ["smollm", "starcoder", "refact", "command-r"],
    component: sequence({ type: "Digits", individual_digits: true }, byteLevel(true)),
    ignoreMerges: false,
  },
  { names: ["llama3", "llama-v3", "llama-bpe", "falcon3", "pixtral"], component: cut(LLAMA3), ignoreMerges: true },
  { names: ["dbrx", "smaug-bpe"], component: cut(LLAMA3), ignoreMerges: false },
  {
    names: ["qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2"],
    component: cut(QWEN2),
    ignoreMerges: false,
  },
  { names: ["tekken"], component: cut(TEKKEN), ignoreMerges: true },
  { names: ["gpt-4o", "llama4", "kanana2"], component: cut(GPT4O), ignoreMerges: false },
];
const BY_NAME: Readonly<Record<string, PreTokenizer>> = Object.fromEntries(
  KINDS.flatMap((kind) => kind.names.map((name) => [name, kind])),
);

/** The pre-tokenizer that a file names; GPT-2's where it names none, as older files do. InputError for one not known. */
export function preTokenizerOf(name: string | undefined, file: string): PreTokenizer {
  const kind = entryOf(BY_NAME, name ?? "default");
  if (!kind)
    throw new InputError(
      `${file}: pre-tokenizer ${quote(String(name))} (tokenizer.ggml.pre) is not supported; supported: ${Object.keys(BY_NAME).join(", ")}`,
    );
  return kind;
}
