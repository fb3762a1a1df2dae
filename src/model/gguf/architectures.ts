/**
 * GGUF's `general.architecture` → what the model is called and how it is laid out in a Hugging Face checkpoint. An architecture is
 * one entry; sources: llama.cpp's convert_hf_to_gguf.py, whose steps are undone, and transformers' configs.
 */
import type { Keys } from "./keys.js";

export interface Architecture {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** Fields of config.json beside those that all share; `key` reads "<architecture>.<name>". */
  readonly config?: (keys: Keys, architecture: string, shared: SharedConfig) => Readonly<Record<string, unknown>>;
  /** Tensors of a block, GGUF's name → module of a Hugging Face layer, where they differ from BLOCK_TENSORS. */
  readonly tensors?: Readonly<Record<string, string>>;
  /** Whether rows of q and k are stored in the order in which llama.cpp rotates pairs. */
  readonly permuted?: boolean;
  /** Whether norms are stored with 1 added. */
  readonly normsPlusOne?: boolean;
  /** How spaces are treated in a SentencePiece vocabulary. */
  readonly spaces?: Spaces;
}

/**
 * llama: "▁" for spaces and one before the text. prepend: the same, also where the text begins with a space.
 * gemma: "▁" for spaces, none before the text.
 */
export type Spaces = "llama" | "prepend" | "gemma";

/** What config.json says for every architecture. */
export interface SharedConfig {
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly head_dim: number;
}

/** Tensors of a block: "blk.N.<name>" → "model.layers.N.<module>". */
export const BLOCK_TENSORS: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  attn_output: "self_attn.o_proj",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

/** Norms before and after attention and MLP. */
const GEMMA_NORMS = {
  ffn_norm: "pre_feedforward_layernorm",
  post_attention_norm: "post_attention_layernorm",
  post_ffw_norm: "post_feedforward_layernorm",
};

export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  // Mistral's models are of this architecture too.
  llama: { modelType: "llama", permuted: true },
  qwen2: { modelType: "qwen2" },
  qwen3: { modelType: "qwen3" },
  gemma2: {
    modelType: "gemma2",
    tensors: GEMMA_NORMS,
    normsPlusOne: true,
    spaces: "gemma",
    config: (keys, architecture, shared) => ({
      sliding_window: keys.number(`${architecture}.attention.sliding_window`) ?? 4096,
      attn_logit_softcapping: keys.number(`${architecture}.attn_logit_softcapping`) ?? 50,
      final_logit_softcapping: keys.number(`${architecture}.final_logit_softcapping`) ?? 30,
      query_pre_attn_scalar: queryScalar(shared, 46),
    }),
  },
  gemma3: {
    modelType: "gemma3_text",
    tensors: GEMMA_NORMS,
    normsPlusOne: true,
    spaces: "gemma",
    config: (keys, architecture, shared) => ({
      sliding_window: keys.needNumber(`${architecture}.attention.sliding_window`),
      // Five layers with a window, one without: not in the file, and the same for all of them.
      layer_types: Array.from({ length: shared.num_hidden_layers }, (_, i) =>
        (i + 1) % 6 === 0 ? "full_attention" : "sliding_attention",
      ),
      rope_local_base_freq: 10_000,
      final_logit_softcapping: keys.number(`${architecture}.final_logit_softcapping`) ?? null,
      query_pre_attn_scalar: queryScalar(shared, 62),
    }),
  },
  phi3: {
    modelType: "phi3",
    tensors: { attn_qkv: "self_attn.qkv_proj", ffn_up: "mlp.gate_up_proj" },
    spaces: "prepend",
    // 0 says that there is none.
    config: (keys, architecture) => ({
      sliding_window: keys.number(`${architecture}.attention.sliding_window`) || null,
    }),
  },
  olmo2: {
    modelType: "olmo2",
    tensors: { post_attention_norm: "post_attention_layernorm", post_ffw_norm: "post_feedforward_layernorm" },
  },
  // Every fourth layer goes without rotary embedding; the file does not say so.
  smollm3: { modelType: "smollm3", permuted: true, config: () => ({ no_rope_layer_interval: 4 }) },
};

/** Gemma scales scores by a head's width, in the largest model of each generation (so many layers) by hidden size / heads. */
function queryScalar(shared: SharedConfig, layersOfLargest: number): number {
  return shared.num_hidden_layers === layersOfLargest
    ? shared.hidden_size / shared.num_attention_heads
    : shared.head_dim;
}
