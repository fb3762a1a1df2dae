/** What each supported model family changes in the decoder. Adding a dense family is one entry here. */
import { InputError, quote } from "../formats/input-error.js";
import type { DecoderConfig, HfConfig } from "./config.js";

/** The fields of DecoderConfig in which a family departs from the shared reading of config.json. */
type Family = (config: HfConfig, shared: DecoderConfig, file: string) => Partial<DecoderConfig>;

const ATTENTION = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"];
const MLP = ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];

const llama: Family = (config, _shared, file) => {
  requireActivation(config.hidden_act ?? "silu", ["silu"], file);
  return { biases: [...(config.attention_bias ? ATTENTION : []), ...(config.mlp_bias ? MLP : [])] };
};

const windowed: Family = (config, shared, file) => ({
  ...llama(config, shared, file),
  biases: config.model_type === "qwen2" ? ATTENTION.slice(0, 3) : [],
  windows: layerWindows(
    config,
    shared,
    config.use_sliding_window === false ? null : (config.sliding_window ?? null),
    file,
  ),
});

const gemma2: Family = (config, shared, file) => {
  requireActivation(
    config.hidden_activation ?? config.hidden_act ?? "gelu_pytorch_tanh",
    ["gelu_pytorch_tanh", "gelu"],
    file,
  );
  return {
    tied: config.tie_word_embeddings ?? true,
    biases: config.attention_bias ? ATTENTION : [],
    attentionScale: (config.query_pre_attn_scalar ?? shared.headDim) ** -0.5,
    activation: "geluTanh",
    normPlusOne: true,
    embeddingScale: Math.sqrt(shared.dModel),
    postNorms: true,
    attentionSoftcap: config.attn_logit_softcapping === undefined ? 50 : config.attn_logit_softcapping,
    logitSoftcap: config.final_logit_softcapping === undefined ? 30 : config.final_logit_softcapping,
    windows: layerWindows(
      {
        ...config,
        layer_types:
          config.layer_types ?? shared.windows.map((_, i) => (i % 2 === 0 ? "sliding_attention" : "full_attention")),
      },
      shared,
      config.sliding_window ?? 4096,
      file,
    ),
  };
};

/** model_type of config.json → family. */
export const FAMILIES: Readonly<Record<string, Family>> = { llama, mistral: windowed, qwen2: windowed, gemma2 };

function requireActivation(name: string, known: readonly string[], file: string): void {
  if (!known.includes(name))
    throw new InputError(`${file}: activation ${quote(name)} is not supported here; expected ${known.join(" or ")}`);
}

/** Window of each layer: from layer_types where the file has them, else the same for all. */
function layerWindows(config: HfConfig, shared: DecoderConfig, window: number | null, file: string): (number | null)[] {
  const types = config.layer_types ?? [];
  if (config.layer_types && types.length !== shared.layers)
    throw new InputError(
      `${file}: layer_types has ${types.length} entries, num_hidden_layers is ${shared.layers}; they must agree`,
    );
  const unknown = types.find((type) => type !== "sliding_attention" && type !== "full_attention");
  if (unknown !== undefined)
    throw new InputError(
      `${file}: layer type ${quote(unknown)} is not supported; supported: sliding_attention, full_attention`,
    );
  return shared.windows.map((_, i) => {
    const type = config.layer_types?.[i];
    if (type === undefined)
      return config.use_sliding_window === undefined && config.model_type === "qwen2" ? null : window;
    return type === "sliding_attention" ? window : null;
  });
}
