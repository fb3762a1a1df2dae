/**
 * Geometry and arithmetic of a decoder, read from a Hugging Face `config.json`. A family is a function from the parsed
 * file to a DecoderConfig; `decoder.ts` knows only the DecoderConfig.
 */
import { z } from "zod";
import { entryOf, InputError, quote } from "../formats/input-error.js";
import { FAMILIES } from "./families.js";

/** Frequencies of the rotary embedding, in the forms that config files have. */
export interface RopeConfig {
  readonly theta: number;
  /** "llama3" rescaling of long wavelengths (Llama 3.1 model card), null for none. */
  readonly llama3: {
    factor: number;
    lowFrequencyFactor: number;
    highFrequencyFactor: number;
    originalContext: number;
  } | null;
  /** All frequencies divided by this ("linear" scaling); 1 for none. */
  readonly linearFactor: number;
}

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
  readonly rope: RopeConfig;
  /** Linear layers of a block ("self_attn.q_proj") that must have a bias. */
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
  /** Norms also after attention and MLP (Gemma 2). */
  readonly postNorms: boolean;
  /** cap · tanh(x / cap) on attention scores and on logits; null for none. */
  readonly attentionSoftcap: number | null;
  readonly logitSoftcap: number | null;
  /** Attention window of each layer in tokens; null sees everything. */
  readonly windows: readonly (number | null)[];
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
/** Bases of the rotary embedding: 10,000 to 5e8 in real models. */
const THETA = z.number().min(1).max(1e12);

const ropeShape = z
  .object({
    rope_type: z.string().optional(),
    type: z.string().optional(),
    rope_theta: THETA.optional(),
    factor: z.number().positive().optional(),
    low_freq_factor: z.number().positive().optional(),
    high_freq_factor: z.number().positive().optional(),
    original_max_position_embeddings: z.number().positive().optional(),
  })
  .loose();

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
    rope_scaling: ropeShape.nullish(),
    rope_parameters: ropeShape.nullish(),
    hidden_act: z.string().optional(),
    hidden_activation: z.string().nullish(),
    sliding_window: z.number().int().positive().nullish(),
    use_sliding_window: z.boolean().optional(),
    layer_types: z.array(z.string()).nullish(),
    query_pre_attn_scalar: z.number().positive().optional(),
    attn_logit_softcapping: z.number().positive().nullish(),
    final_logit_softcapping: z.number().positive().nullish(),
    attention_bias: z.boolean().optional(),
    mlp_bias: z.boolean().optional(),
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
  const parsed = hfConfigShape.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new InputError(`${file}: ${issue.path.join(".") || "config"}: ${issue.message}`);
  }
  const config = parsed.data;
  if (config.quantization_config)
    throw new InputError(
      `${file}: quantised checkpoints (quantization_config) are not supported; use the full-precision weights`,
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
    rope: ropeOf(config, file),
    biases: [],
    context: config.max_position_embeddings ?? 2048,
    attentionScale: headDim ** -0.5,
    activation: "silu",
    normPlusOne: false,
    embeddingScale: 1,
    postNorms: false,
    attentionSoftcap: null,
    logitSoftcap: null,
    windows: Array.from({ length: config.num_hidden_layers }, () => null),
    endIds: config.eos_token_id == null ? [] : [config.eos_token_id].flat(),
  };
  return { ...shared, ...family(config, shared, file) };
}

function ropeOf(config: HfConfig, file: string): RopeConfig {
  const scaling = config.rope_parameters ?? config.rope_scaling ?? {};
  const theta = scaling.rope_theta ?? config.rope_theta ?? 10_000;
  const type = scaling.rope_type ?? scaling.type ?? "default";
  if (type === "default") return { theta, llama3: null, linearFactor: 1 };
  if (type === "linear") {
    if (!scaling.factor) throw new InputError(`${file}: linear rope needs factor`);
    return { theta, llama3: null, linearFactor: scaling.factor };
  }
  if (type !== "llama3")
    throw new InputError(`${file}: rope type ${quote(type)} is not supported; supported: default, linear, llama3`);
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = scaling;
  if (!factor || !low || !high || !original)
    throw new InputError(
      `${file}: llama3 rope needs factor, low_freq_factor, high_freq_factor and original_max_position_embeddings`,
    );
  if (low >= high)
    throw new InputError(`${file}: llama3 rope: low_freq_factor ${low} must be below high_freq_factor ${high}`);
  return {
    theta,
    llama3: { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContext: original },
    linearFactor: 1,
  };
}
