/** What each supported model family changes in the decoder. Adding a dense family is one entry here. */
import { InputError, quote } from "../formats/input-error.js";
import type { DecoderConfig, HfConfig } from "./decoder-config.js";
import { layerWindows, sameWindow } from "./layer-windows.js";
import { readRope } from "./rope-scalings.js";

export interface Family {
  /** What the family's own config class assumes where config.json leaves a key out. */
  readonly defaults?: Partial<HfConfig>;
  /** The geometry lies in `text_config`: only the text part of the model is read. */
  readonly textPart?: boolean;
  /** The fields of DecoderConfig in which the family departs from the shared reading of config.json. */
  readonly read: (config: HfConfig, shared: DecoderConfig, file: string) => Partial<DecoderConfig>;
}

const ATTENTION = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"];
const MLP = ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];

const llama: Family = {
  read: (config, _shared, file) => {
    requireActivation(config.hidden_act ?? "silu", "silu", file);
    return { biases: [...(config.attention_bias ? ATTENTION : []), ...(config.mlp_bias ? MLP : [])] };
  },
};

const mistral: Family = {
  defaults: { num_key_value_heads: 8, sliding_window: 4096 },
  read: (config, shared, file) => ({
    ...llama.read(config, shared, file),
    biases: [],
    windows: sameWindow(config, shared, file),
  }),
};

const qwen2: Family = {
  defaults: { sliding_window: 4096, max_window_layers: 28 },
  read: (config, shared, file) => {
    const { max_window_layers: first = 0 } = config;
    const window = config.use_sliding_window ? (config.sliding_window ?? null) : null;
    return {
      ...llama.read(config, shared, file),
      biases: ATTENTION.slice(0, 3),
      windows: layerWindows(config, shared, window, (layer) => window !== null && layer >= first, file),
    };
  },
};

const qwen3: Family = {
  defaults: { ...qwen2.defaults, head_dim: 128 },
  read: (config, shared, file) => ({
    ...qwen2.read(config, shared, file),
    biases: config.attention_bias ? ATTENTION : [],
    queryKeyNorm: "head",
  }),
};

/** Query, key, value as well as gate and up come fused; part of each head is rotated. */
const phi3: Family = {
  defaults: { rms_norm_eps: 1e-5, original_max_position_embeddings: 4096 },
  read: (config, shared, file) => {
    requireActivation(config.hidden_act ?? "silu", "silu", file);
    const json = config.rope_scaling ?? config.rope_parameters ?? {};
    // Early files call longrope "su" or "yarn".
    const said = json.rope_type ?? json.type ?? "default";
    const type = said === "su" || said === "yarn" ? "longrope" : said;
    if (type !== "default" && type !== "longrope")
      throw new InputError(`${file}: rope type ${quote(type)} is not supported for phi3; supported: default, longrope`);
    const original = config.original_max_position_embeddings ?? null;
    const rope = readRope(
      { ...json, rope_type: type, original_max_position_embeddings: original },
      {
        theta: config.rope_theta ?? 10_000,
        headDim: shared.headDim,
        rotated: json.partial_rotary_factor ?? config.partial_rotary_factor ?? 1,
        context: shared.context,
        file,
      },
    );
    return { fused: true, ropes: [rope], windows: sameWindow(config, shared, file) };
  },
};

const olmo2: Family = {
  defaults: { rms_norm_eps: 1e-5 },
  read: (config, shared, file) => {
    const { biases = [] } = llama.read(config, shared, file);
    return { biases, preNorms: false, postNorms: true, queryKeyNorm: "projection" };
  },
};

/** Every fourth layer, or those that the file says, has no positions; only they may have a window. */
const smollm3: Family = {
  defaults: { rope_theta: 2_000_000, tie_word_embeddings: true, num_key_value_heads: 4, no_rope_layer_interval: 4 },
  read: (config, shared, file) => {
    const said = config.no_rope_layers;
    if (said && said.length < shared.layers)
      throw new InputError(
        `${file}: no_rope_layers has ${said.length} entries, num_hidden_layers is ${shared.layers}; each layer needs one`,
      );
    const interval = config.no_rope_layer_interval!;
    const rotated = shared.windows.map((_, layer) => (said ? said[layer] !== 0 : (layer + 1) % interval !== 0));
    const window = config.use_sliding_window ? (config.sliding_window ?? null) : null;
    return {
      ...llama.read(config, shared, file),
      layerRopes: rotated.map((has) => (has ? 0 : null)),
      windows: layerWindows(config, shared, window, (layer) => window !== null && !rotated[layer], file),
    };
  },
};

const GEMMA_DEFAULTS: Partial<HfConfig> = {
  tie_word_embeddings: true,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 256,
  query_pre_attn_scalar: 256,
  sliding_window: 4096,
};

/** What the Gemma families share; they differ in the layers that have a window, in caps and in ropes. */
function gemma(config: HfConfig, shared: DecoderConfig, isLocal: (layer: number) => boolean, file: string) {
  // These files may also have hidden_act, which their own code does not read.
  requireActivation(config.hidden_activation ?? "gelu_pytorch_tanh", "gelu_pytorch_tanh", file);
  if (config.use_bidirectional_attention)
    throw new InputError(`${file}: use_bidirectional_attention is not supported; expected a model that generates`);
  return {
    biases: config.attention_bias ? ATTENTION : [],
    attentionScale: (config.query_pre_attn_scalar ?? shared.headDim) ** -0.5,
    activation: "geluTanh",
    normPlusOne: true,
    embeddingScale: Math.sqrt(shared.dModel),
    postNorms: true,
    attentionSoftcap: config.attn_logit_softcapping ?? null,
    logitSoftcap: config.final_logit_softcapping ?? null,
    windows: layerWindows(config, shared, config.sliding_window ?? null, isLocal, file),
  } as const;
}

const gemma2: Family = {
  defaults: { ...GEMMA_DEFAULTS, attn_logit_softcapping: 50, final_logit_softcapping: 30 },
  read: (config, shared, file) => gemma(config, shared, (layer) => layer % 2 === 0, file),
};

/** Five layers with a window and their own rope, then one without; a scaling is for the latter alone. */
const gemma3Text: Family = {
  defaults: {
    ...GEMMA_DEFAULTS,
    vocab_size: 262_208,
    rope_theta: 1_000_000,
    rope_local_base_freq: 10_000,
    sliding_window_pattern: 6,
    max_position_embeddings: 131_072,
  },
  read: (config, shared, file) => {
    const pattern = config.sliding_window_pattern!;
    const common = gemma(config, shared, (layer) => (layer + 1) % pattern !== 0, file);
    const { headDim, context } = shared;
    const nested = config.rope_parameters ?? {};
    const global = { ...nested.full_attention, ...config.rope_scaling };
    const options = { headDim, context, file };
    // Gemma 3 does not use the soft-caps that its config still has places for on attention scores.
    return {
      ...common,
      attentionSoftcap: null,
      queryKeyNorm: "head",
      ropes: [
        readRope(global, { ...options, theta: config.rope_theta! }),
        readRope(nested.sliding_attention ?? {}, { ...options, theta: config.rope_local_base_freq! }),
      ],
      layerRopes: common.windows.map((window) => (window === null ? 0 : 1)),
    };
  },
};

/** model_type of config.json → family. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  llama,
  mistral,
  qwen2,
  qwen3,
  phi3,
  olmo2,
  smollm3,
  gemma2,
  gemma3_text: gemma3Text,
  // The multimodal model's own class does not cap logits.
  gemma3: {
    ...gemma3Text,
    textPart: true,
    read: (...given) => ({ ...gemma3Text.read(...given), logitSoftcap: null }),
  },
};

function requireActivation(name: string, known: string, file: string): void {
  if (name !== known)
    throw new InputError(`${file}: activation ${quote(name)} is not supported here; expected ${known}`);
}
