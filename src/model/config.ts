/**
 * Geometry and arithmetic of a decoder, read from a Hugging Face `config.json`. A family is a function from the parsed
 * file to a DecoderConfig; `decoder.ts` knows only the DecoderConfig.
 */
import { z } from "zod";
import { entryOf, InputError, quote } from "../formats/input-error.js";
import { isFourBit } from "./bitsandbytes.js";
import { FAMILIES } from "./families.js";
import type { RopeConfig } from "./rope.js";
import { readRope, ropeShape, THETA } from "./rope-scalings.js";

export interface DecoderConfig {
  readonly family: string;
  readonly dModel: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Width of the MLP. */
  readonly ff: number;
  readonly vocabulary: number;
  readonly epsilon: number;
  /** Whether the head is the embedding matrix. */
  readonly tied: boolean;
  /** Rotary embeddings; families whose layers share one have one. */
  readonly ropes: readonly RopeConfig[];
  /** Which of `ropes` a layer uses; null for a layer without positions (SmolLM3). */
  readonly layerRopes: readonly (number | null)[];
  /** Query, key and value projections are rows of one matrix, gate and up of another (Phi 3). */
  readonly fused: boolean;
  /** Linear layers of a block ("self_attn.q_proj") that have a bias. */
  readonly biases: readonly string[];
  /** Longest context in tokens, as the file says. */
  readonly context: number;
  /** Scores are q·k times this. */
  readonly attentionScale: number;
  readonly activation: "silu" | "geluTanh";
  /** RMSNorm multiplies by (1 + weight) instead of weight (Gemma). */
  readonly normPlusOne: boolean;
  /** Embeddings are multiplied by this; 1 for none. */
  readonly embeddingScale: number;
  /** Norms before attention and MLP. */
  readonly preNorms: boolean;
  /** Norms after attention and MLP (Gemma 2 and 3 also, OLMo 2 only). */
  readonly postNorms: boolean;
  /** Norms of queries and keys before they are rotated: over each head (Qwen 3, Gemma 3), or over all at once (OLMo 2). */
  readonly queryKeyNorm: "head" | "projection" | null;
  /** cap · tanh(x / cap) on attention scores and on logits; null for none. */
  readonly attentionSoftcap: number | null;
  readonly logitSoftcap: number | null;
  /** Attention window of each layer in tokens; null sees everything. */
  readonly windows: readonly (number | null)[];
  /** The text part of a multimodal checkpoint, where tensors have longer names (see weight-names.ts). */
  readonly textPart: boolean;
  /** Token ids that end a reply, as config.json says (generation_config.json goes first). */
  readonly endIds: readonly number[];
}

/** Bounds that keep a hostile config from asking for absurd graphs; each is well above any real dense model. */
const positive = (limit: number) => z.number().int().positive().max(limit);
const MAX_WIDTH = 1 << 20;
const MAX_LAYERS = 1024;
const MAX_VOCABULARY = 1 << 24;
/** Real ones are at most 1e-5; beyond 1 nothing is normalised any more. */
const MAX_EPSILON = 1;
/** Base of the rotary embedding where neither the file nor the family says one. */
const DEFAULT_THETA = 10_000;
/** The part of config.json that every family shares. */
export const hfConfigShape = z
  .object({
    model_type: z.string(),
    hidden_size: positive(MAX_WIDTH),
    num_hidden_layers: positive(MAX_LAYERS),
    num_attention_heads: positive(MAX_WIDTH),
    num_key_value_heads: positive(MAX_WIDTH).nullish(),
    head_dim: positive(MAX_WIDTH).nullish(),
    intermediate_size: positive(MAX_WIDTH),
    vocab_size: positive(MAX_VOCABULARY),
    rms_norm_eps: z.number().positive().max(MAX_EPSILON).optional(),
    tie_word_embeddings: z.boolean().optional(),
    max_position_embeddings: z.number().positive().optional(),
    rope_theta: THETA.optional(),
    partial_rotary_factor: z.number().positive().max(1).nullish(),
    original_max_position_embeddings: z.number().min(2).nullish(),
    rope_scaling: ropeShape.nullish(),
    /** Gemma 3 has one a kind of layer. */
    rope_parameters: ropeShape
      .extend({ full_attention: ropeShape.nullish(), sliding_attention: ropeShape.nullish() })
      .nullish(),
    rope_local_base_freq: THETA.optional(),
    no_rope_layers: z.array(z.number()).max(MAX_LAYERS).nullish(),
    no_rope_layer_interval: positive(MAX_LAYERS).optional(),
    hidden_act: z.string().optional(),
    hidden_activation: z.string().nullish(),
    sliding_window: z.number().int().positive().nullish(),
    use_sliding_window: z.boolean().nullish(),
    max_window_layers: z.number().int().nonnegative().optional(),
    sliding_window_pattern: positive(MAX_LAYERS).optional(),
    use_bidirectional_attention: z.boolean().nullish(),
    layer_types: z.array(z.string()).nullish(),
    query_pre_attn_scalar: z.number().positive().optional(),
    attn_logit_softcapping: z.number().positive().nullish(),
    final_logit_softcapping: z.number().positive().nullish(),
    attention_bias: z.boolean().optional(),
    mlp_bias: z.boolean().optional(),
    /** Of GGUF models, whose config.json is written here (gguf/config.ts): linear layers of a block that have a bias in the file. */
    stored_biases: z.array(z.string()).optional(),
    quantization_config: z.unknown().optional(),
    eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  })
  .loose();

export type HfConfig = z.infer<typeof hfConfigShape>;

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
    const issue = parsed.error.issues[0]!;
    throw new InputError(`${file}: ${issue.path.join(".") || "config"}: ${issue.message}`);
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
