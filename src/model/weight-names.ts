/** Names of weights: the decoder's are those of a text-only checkpoint ("model.layers.0…", "lm_head"). */
import type { DecoderConfig } from "./decoder-config.js";

/** Where multimodal checkpoints keep their text part: as transformers 5 has it in memory, and as files have it since version 4. */
const TEXT_PART: readonly (readonly [string, string])[] = [
  ["model.language_model.", "model."],
  ["language_model.model.", "model."],
  ["language_model.lm_head.", "lm_head."],
];

/** The decoder's name for a tensor or module that a file calls `name`; other parts of a multimodal model keep theirs. */
export function modelName({ textPart }: DecoderConfig, name: string): string {
  const known = textPart ? TEXT_PART.find(([prefix]) => name.startsWith(prefix)) : undefined;
  return known ? `${known[1]}${name.slice(known[0].length)}` : name;
}

/** Tensors by the decoder's names; files of a model without its head (AutoModel's) leave the first "model." out. */
export function namedTensors<T>(config: DecoderConfig, tensors: ReadonlyMap<string, T>): Map<string, T> {
  const bare = tensors.has("embed_tokens.weight");
  return new Map([...tensors].map(([name, tensor]) => [bare ? `model.${name}` : modelName(config, name), tensor]));
}

/** What PEFT calls a module of the decoder: its name in transformers' own model. */
export function peftName({ textPart }: DecoderConfig, module: string): string {
  return textPart ? module.replace(/^model\./, "model.language_model.") : module;
}
