/**
 * A GGUF model as a Hugging Face checkpoint: the same files, so that everything else opens it as it opens those. Weights are
 * not in memory here; they are converted as they are read.
 */
import type { GgufFile } from "../../formats/gguf/gguf-file.js";
import { architectureOf, configJson } from "./config.js";
import { Keys } from "./keys.js";
import { type ConvertedTensor, convertedTensors } from "./tensors.js";
import { tokenizerJsons } from "./tokenizer.js";

export interface ConvertedCheckpoint {
  /** config.json, generation_config.json, tokenizer.json and tokenizer_config.json: name → value. */
  readonly jsons: Readonly<Record<string, object>>;
  /** What model.safetensors holds. */
  readonly tensors: readonly ConvertedTensor[];
}

/** InputError for an architecture, a tokenizer or settings that are not supported, and for metadata that does not fit together. */
export async function ggufCheckpoint(file: GgufFile): Promise<ConvertedCheckpoint> {
  const keys = new Keys(file.name, file.metadata);
  const { architecture } = architectureOf(keys);
  const config = await configJson(file, keys);
  const { tokenizer, config: tokenizerConfig, vocabulary } = tokenizerJsons(keys, architecture.spaces);
  const { bos, eos, eot, eom, pad } = vocabulary.roles;
  const ends = [...new Set([eos, eot, eom].filter((id) => id !== undefined))];
  const ids = {
    ...(bos === undefined ? {} : { bos_token_id: bos }),
    ...(pad === undefined ? {} : { pad_token_id: pad }),
    ...(ends.length === 0 ? {} : { eos_token_id: ends }),
  };
  return {
    jsons: {
      "config.json": { ...config, ...ids },
      "generation_config.json": ids,
      "tokenizer.json": tokenizer,
      "tokenizer_config.json": tokenizerConfig,
    },
    tensors: convertedTensors(file, architecture, {
      query: config.num_attention_heads,
      keyValue: config.num_key_value_heads,
    }),
  };
}
