/** What a decoder is (its geometry and arithmetic), and the part of a Hugging Face config.json that says it. */
import { z } from "zod";
import type { RopeConfig } from "./rope.js";
import { ropeShape, THETA } from "./rope-scalings.js";

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
