/** A GGUF file's tokenizer as tokenizer.json and tokenizer_config.json: the same ids as transformers makes of the file. */
import { entryOf, InputError, quote } from "../../formats/input-error.js";
import type { Spaces } from "./architectures.js";
import { byteLevelTokenizer } from "./byte-level-tokenizer.js";
import type { Keys } from "./keys.js";
import { sentencePieceTokenizer } from "./sentencepiece-tokenizer.js";
import type { TokenizerParts } from "./tokenizer-parts.js";
import { readVocabulary, type Vocabulary } from "./vocabulary.js";

const KINDS: Readonly<Record<string, (keys: Keys, vocabulary: Vocabulary, spaces: Spaces) => TokenizerParts>> = {
  gpt2: byteLevelTokenizer,
  llama: sentencePieceTokenizer,
};

export interface TokenizerJsons {
  readonly tokenizer: object;
  readonly config: object;
  readonly vocabulary: Vocabulary;
}

/** InputError for a kind of vocabulary that is not supported, and for what does not fit together. */
export function tokenizerJsons(keys: Keys, spaces: Spaces = "llama"): TokenizerJsons {
  const vocabulary = readVocabulary(keys);
  const kind = entryOf(KINDS, vocabulary.model);
  if (!kind)
    throw new InputError(
      `${keys.file}: tokenizer ${quote(vocabulary.model)} (tokenizer.ggml.model) is not supported; supported: ${Object.keys(KINDS).join(", ")}`,
    );
  const { model, normalizer, preTokenizer, decoder, added } = kind(keys, vocabulary, spaces);
  const { tokens, roles } = vocabulary;
  const text = (id: number | undefined) => (id === undefined ? null : tokens[id]!.text);
  const addBos = keys.flag("tokenizer.ggml.add_bos_token");
  return {
    tokenizer: {
      version: "1.0",
      added_tokens: added.map(({ id, text: content, control }) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: control,
      })),
      normalizer,
      pre_tokenizer: preTokenizer,
      post_processor: null,
      decoder,
      model: { ...model, vocab: Object.fromEntries(model.vocab) },
    },
    config: {
      tokenizer_class: "PreTrainedTokenizerFast",
      from_gguf: true,
      bos_token: text(roles.bos),
      eos_token: text(roles.eos),
      unk_token: text(roles.unk),
      pad_token: text(roles.pad),
      ...(addBos === undefined ? {} : { add_bos_token: addBos }),
      chat_template: keys.text("tokenizer.chat_template") ?? null,
    },
    vocabulary,
  };
}
