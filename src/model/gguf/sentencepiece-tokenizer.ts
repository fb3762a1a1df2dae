/** `tokenizer.ggml.model` "llama": a SentencePiece BPE vocabulary with scores, as transformers turns it into merges. */
import { InputError } from "../../formats/input-error.js";
import type { Component } from "../aligned-text.js";
import type { Spaces } from "./architectures.js";
import type { Keys } from "./keys.js";
import type { TokenizerParts } from "./tokenizer-parts.js";
import type { Vocabulary, VocabularyToken } from "./vocabulary.js";

const MARK = "▁";
/** Longer tokens are not taken apart, which takes time by the square: SentencePiece makes up to 16 characters, Gemma's runs of spaces 31. */
const MAX_TOKEN_LENGTH = 128;

/** InputError where the file gives neither merges nor scores. */
export function sentencePieceTokenizer(keys: Keys, vocabulary: Vocabulary, spaces: Spaces): TokenizerParts {
  const gemma = spaces === "gemma";
  // Gemma's runs of spaces are user-defined tokens written with spaces, but ordinary tokens of marks in its tokenizer.json.
  const tokens = gemma ? vocabulary.tokens.map(respelt) : vocabulary.tokens;
  const vocab = new Map(tokens.map(({ text, id }) => [text, id]));
  const { scores } = vocabulary;
  if (!vocabulary.merges && !scores && !gemma)
    throw new InputError(
      `${keys.file}: neither tokenizer.ggml.merges nor tokenizer.ggml.scores is there; one is needed`,
    );
  // Gemma's scores do not follow its merges; the order of its tokens does.
  const rank = gemma ? (id: number) => -id : (id: number) => scores![id]!;
  const marked: Component = { type: "Replace", pattern: { String: " " }, content: MARK };
  const toText: Component[] = [
    { type: "Replace", pattern: { String: MARK }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
    ...(gemma ? [] : [{ type: "Strip", content: " ", start: 1, stop: 0 }]),
  ];
  return {
    model: {
      type: "BPE",
      vocab,
      merges: vocabulary.merges ?? mergesOf(vocab, rank),
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      ...(gemma ? { unk_token: "<unk>" } : {}),
    },
    normalizer: {
      llama: null,
      prepend: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: MARK }, marked] },
      gemma: marked,
    }[spaces],
    preTokenizer: {
      llama: { type: "Metaspace", replacement: MARK, prepend_scheme: "first", split: false },
      prepend: null,
      gemma: { type: "Split", pattern: { String: " " }, behavior: "MergedWithPrevious", invert: false },
    }[spaces],
    decoder: { type: "Sequence", decoders: toText },
    added: vocabulary.tokens.filter(({ text, control, userDefined }) => control || (userDefined && vocab.has(text))),
  };
}

function respelt(token: VocabularyToken): VocabularyToken {
  const { text } = token;
  return text.includes(" ") && text.trim() === "" ? { ...token, text: MARK.repeat(Array.from(text).length) } : token;
}

/**
 * Every way to make a token of two others, the best-ranked token first, and of one token's ways the one with the longest left
 * part; what is still equal keeps the order of ids of tokens, then of parts. transformers' generate_merges.
 */
function mergesOf(vocab: ReadonlyMap<string, number>, rank: (id: number) => number): [string, string][] {
  const ways: { left: string; right: string; rank: number; leftLength: number; rightLength: number }[] = [];
  for (const [token, id] of vocab) {
    const chars = Array.from(token);
    if (chars.length > MAX_TOKEN_LENGTH) continue;
    const own: typeof ways = [];
    for (let at = 1, units = 0; at < chars.length; at++) {
      units += chars[at - 1]!.length;
      const left = token.slice(0, units);
      const right = token.slice(units);
      if (vocab.has(left) && vocab.has(right))
        own.push({ left, right, rank: rank(id), leftLength: at, rightLength: chars.length - at });
    }
    own.sort((a, b) => vocab.get(a.left)! - vocab.get(b.left)! || vocab.get(a.right)! - vocab.get(b.right)!);
    ways.push(...own);
  }
  ways.sort((a, b) => b.rank - a.rank || b.leftLength - a.leftLength || b.rightLength - a.rightLength);
  return ways.map(({ left, right }) => [left, right]);
}
