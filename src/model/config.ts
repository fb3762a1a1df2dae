/**
 * Geometry and arithmetic of a decoder, read from a Hugging Face `config.json`. A family is a function from the parsed
 * file to a DecoderConfig; `decoder.ts` knows only the DecoderConfig.
 */
import { entryOf, InputError, quote } from "../formats/input-error.js";
import { firstWrong } from "../formats/shape.js";
import { isFourBit } from "./bitsandbytes.js";
import { type DecoderConfig, type HfConfig, hfConfigShape } from "./decoder-config.js";
import { FAMILIES } from "./families.js";
import type { RopeConfig } from "./rope.js";
import { readRope } from "./rope-scalings.js";

/** Base of the rotary embedding where neither the file nor the family says one. */
const DEFAULT_THETA = 10_000;

/**
 * Reads a config.json. `file` names it in messages.
 * @throws InputError for an unsupported family or values that do not fit together.
 */
export function parseConfig(json: unknown, file: string): DecoderConfig {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  if (typeof type !== "string")
    throw new InputError(`${file}: no model_type; expected the config.json of a Hugging Face checkpoint`);
  const family = entryOf(FAMILIES, type);
  if (!family)
    throw new InputError(
      `${file}: model_type ${quote(type)} is not supported; supported: ${Object.keys(FAMILIES).join(", ")}`,
    );
  const parsed = hfConfigShape.safeParse({ ...family.defaults, ...(family.textPart ? textPart(json, file) : json!) });
  if (!parsed.success) {
    throw new InputError(`${file}: ${firstWrong(parsed.error, "config")}`);
  }
  const config = parsed.data;
  if (config.quantization_config && !isFourBit(config.quantization_config))
    throw new InputError(
      `${file}: quantised checkpoints (quantization_config) of this kind are not supported; supported: nf4 of bitsandbytes, or use the full-precision weights`,
    );
  const kvHeads = config.num_key_value_heads ?? config.num_attention_heads;
  if (config.num_attention_heads % kvHeads !== 0)
    throw new InputError(
      `${file}: num_attention_heads ${config.num_attention_heads} is not a multiple of num_key_value_heads ${kvHeads}`,
    );
  const headDim = config.head_dim ?? config.hidden_size / config.num_attention_heads;
  if (!Number.isInteger(headDim) || headDim % 2 !== 0)
    throw new InputError(
      `${file}: head size ${headDim} must be an even integer (hidden_size ${config.hidden_size}, ${config.num_attention_heads} heads)`,
    );
  const context = config.max_position_embeddings ?? 2048;
  const shared: DecoderConfig = {
    family: type,
    dModel: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    kvHeads,
    headDim,
    ff: config.intermediate_size,
    vocabulary: config.vocab_size,
    epsilon: config.rms_norm_eps ?? 1e-6,
    tied: config.tie_word_embeddings ?? false,
    ropes: [],
    layerRopes: Array.from({ length: config.num_hidden_layers }, () => 0),
    fused: false,
    biases: [],
    context,
    attentionScale: headDim ** -0.5,
    activation: "silu",
    normPlusOne: false,
    embeddingScale: 1,
    preNorms: true,
    postNorms: false,
    queryKeyNorm: null,
    attentionSoftcap: null,
    logitSoftcap: null,
    windows: Array.from({ length: config.num_hidden_layers }, () => null),
    textPart: family.textPart ?? false,
    endIds: config.eos_token_id == null ? [] : [config.eos_token_id].flat(),
  };
  const own = family.read(config, shared, file);
  const biases = [...new Set([...(own.biases ?? []), ...(config.stored_biases ?? [])])];
  return { ...shared, ...own, biases, ropes: own.ropes ?? [plainRope(config, shared, file)] };
}

/**
 * One rotary embedding for all layers and the whole of each head. An original context beside the rope's parameters goes before the
 * one among them, as in transformers.
 */
function plainRope(config: HfConfig, { headDim, context }: DecoderConfig, file: string): RopeConfig {
  const scaling = config.rope_scaling && Object.keys(config.rope_scaling).length > 0 ? config.rope_scaling : null;
  const json = scaling ?? config.rope_parameters ?? {};
  if ("full_attention" in json || "sliding_attention" in json)
    throw new InputError(`${file}: rope_parameters by kind of layer are not supported for ${config.model_type}`);
  const rotated = json.partial_rotary_factor ?? config.partial_rotary_factor ?? 1;
  if (rotated !== 1)
    throw new InputError(
      `${file}: partial_rotary_factor ${rotated} is not supported for ${config.model_type}; expected 1`,
    );
  const original = config.original_max_position_embeddings ?? json.original_max_position_embeddings;
  return readRope(
    { ...json, original_max_position_embeddings: original },
    { theta: config.rope_theta ?? DEFAULT_THETA, headDim, context, file },
  );
}

/** The text part's config of a multimodal one, with what only the whole says. */
function textPart(json: unknown, file: string): object {
  const { text_config: text, ...whole } = json as Record<string, unknown>;
  if (typeof text !== "object" || text === null)
    throw new InputError(`${file}: no text_config, which holds the geometry of a multimodal model's text part`);
  const { eos_token_id, quantization_config, tie_word_embeddings, model_type } = whole;
  return { ...text, eos_token_id, quantization_config, tie_word_embeddings: tie_word_embeddings ?? true, model_type };
}
