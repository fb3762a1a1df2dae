/** Writes a decoder as a Hugging Face checkpoint and an adapter as a PEFT folder: file name → bytes. */
import { writeSafetensors } from "../formats/safetensors.js";
import type { DecoderConfig } from "./decoder-config.js";
import { weightShapes } from "./weights.js";

export interface TokenIds {
  readonly begin: number;
  readonly end: number;
  readonly pad: number;
}

/** `config.json`, `generation_config.json` and `model.safetensors` (bf16) of a llama-family decoder. */
export function checkpointFiles(
  config: DecoderConfig,
  weights: ReadonlyMap<string, Float32Array>,
  ids: TokenIds,
): Record<string, Uint8Array> {
  if (config.family !== "llama") throw new RangeError(`checkpoints of family ${config.family} are not written`);
  const shapes = weightShapes(config);
  const tensors = [...weights].map(([name, data]) => ({
    name,
    dtype: "BF16" as const,
    shape: shapes.get(name)!.shape,
    data,
  }));
  const json = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: config.dModel,
    intermediate_size: config.ff,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    vocab_size: config.vocabulary,
    max_position_embeddings: config.context,
    rms_norm_eps: config.epsilon,
    rope_theta: config.ropes[0]!.theta,
    hidden_act: "silu",
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: config.tied,
    torch_dtype: "bfloat16",
    bos_token_id: ids.begin,
    eos_token_id: ids.end,
    pad_token_id: ids.pad,
  };
  return {
    "config.json": jsonBytes(json),
    "generation_config.json": jsonBytes({ bos_token_id: ids.begin, eos_token_id: ids.end, pad_token_id: ids.pad }),
    "model.safetensors": writeSafetensors(tensors, { format: "pt" }),
  };
}

/** One LoRA pair in f32: a [rank, in], b [out, rank]. */
export interface LoraPair {
  readonly a: Float32Array;
  readonly b: Float32Array;
}

/** `adapter_config.json` and `adapter_model.safetensors` as peft writes them; pairs by the names that PEFT has for modules. */
export function adapterFiles(
  pairs: ReadonlyMap<string, LoraPair>,
  options: { rank: number; alpha: number; base: string },
): Record<string, Uint8Array> {
  const { rank } = options;
  const tensors = [...pairs].flatMap(([module, { a, b }]) => {
    const key = `base_model.model.${module}`;
    return [
      { name: `${key}.lora_A.weight`, dtype: "F32" as const, shape: [rank, a.length / rank], data: a },
      { name: `${key}.lora_B.weight`, dtype: "F32" as const, shape: [b.length / rank, rank], data: b },
    ];
  });
  const json = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: options.base,
    r: options.rank,
    lora_alpha: options.alpha,
    lora_dropout: 0,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    ...targets([...pairs.keys()].sort()),
    modules_to_save: null,
    use_dora: false,
    use_rslora: false,
  };
  return {
    "adapter_config.json": jsonBytes(json),
    "adapter_model.safetensors": writeSafetensors(tensors, { format: "pt" }),
  };
}

/**
 * The modules as PEFT is told them: by kind and layer, but one by one in a multimodal model, whose other parts have modules of
 * the same kinds.
 */
function targets(modules: readonly string[]) {
  if (modules.some((module) => !module.startsWith("model.layers."))) return { target_modules: modules };
  const layers = modules.map((module) => Number(/layers\.(\d+)\./.exec(module)?.[1]));
  return {
    target_modules: [...new Set(modules.map((module) => module.split(".").at(-1)!))].sort(),
    layers_to_transform: [...new Set(layers)].sort((x, y) => x - y),
  };
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}
