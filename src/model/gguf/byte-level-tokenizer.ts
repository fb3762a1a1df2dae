/** `tokenizer.ggml.model` "gpt2": byte-level BPE, as the tokenizer.json that the model was published with. */
import { InputError } from "../../formats/input-error.js";
import { byteLevelText, CHAR_TO_BYTE } from "../pre-tokenize.js";
import type { Keys } from "./keys.js";
import { preTokenizerOf } from "./pre-tokenizers.js";
import type { TokenizerParts } from "./tokenizer-parts.js";
import type { Vocabulary } from "./vocabulary.js";

/** InputError where the merges are missing or the pre-tokenizer is not known. */
export function byteLevelTokenizer(keys: Keys, { tokens, merges }: Vocabulary): TokenizerParts {
  if (!merges)
    throw new InputError(`${keys.file}: metadata key tokenizer.ggml.merges is missing; a gpt2 vocabulary needs it`);
  const { component, ignoreMerges } = preTokenizerOf(keys.text("tokenizer.ggml.pre"), keys.file);
  const vocab = new Map<string, number>();
  // Added tokens are written as they read; others may be, and then lack the spelling that words have.
  for (const { text, id, control, userDefined } of tokens)
    vocab.set(control || userDefined || isSpeltInBytes(text) ? text : byteLevelText(text), id);
  return {
    model: { type: "BPE", vocab, merges, fuse_unk: false, byte_fallback: false, ignore_merges: ignoreMerges },
    normalizer: null,
    preTokenizer: component,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    added: tokens.filter(({ control, userDefined }) => control || userDefined),
  };
}

function isSpeltInBytes(text: string): boolean {
  return Array.from(text).every((char) => CHAR_TO_BYTE.has(char));
}
