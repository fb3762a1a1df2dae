/**
 * SAELens' cfg.json in both generations, as one shape.
 *
 * v6 nests what is about the language model under `metadata`; before v6 everything is flat. A file counts as pre-v6 when it
 * names no `sae_lens_version` (on top or in metadata) or one below 6. Defaults and renamings follow SAELens' own
 * `handle_pre_6_0_config` (sae_lens/loading/pretrained_sae_loaders.py).
 */
import { z } from "zod";
import { InputError, quote } from "../../formats/input-error.js";
import { latentCount, modelWidth, optionalFlag, optionalText, parseConfig } from "./config.js";

const schema = z.looseObject({
  d_in: modelWidth,
  d_sae: latentCount,
  architecture: optionalText,
  apply_b_dec_to_input: optionalFlag,
  normalize_activations: z.union([z.string(), z.boolean()]).nullish(),
  reshape_activations: optionalText,
  k: z.number().nullish(),
  rescale_acts_by_decoder_norm: optionalFlag,
  sae_lens_version: optionalText,
  metadata: z
    .looseObject({ hook_name: optionalText, model_name: optionalText, sae_lens_version: optionalText })
    .nullish(),
  // before v6
  hook_name: optionalText,
  hook_point: optionalText,
  model_name: optionalText,
  activation_fn: optionalText,
  activation_fn_str: optionalText,
  activation_fn_kwargs: z.looseObject({ k: z.number().nullish() }).nullish(),
});

export interface SaeLensConfig {
  readonly dIn: number;
  readonly dSae: number;
  readonly architecture: string;
  readonly subtractDecoderBias: boolean;
  readonly normalisation: string;
  readonly reshape: string;
  /** Only for topk. */
  readonly k: number | undefined;
  readonly rescale: boolean;
  readonly hook: string | undefined;
  readonly modelName: string | undefined;
}

/** SAELens' default k of a topk SAE. */
const DEFAULT_K = 100;

/** Reads a parsed cfg.json; `file` names it in messages. Throws InputError. */
export function parseSaeLensConfig(value: unknown, file: string): SaeLensConfig {
  const config = parseConfig(value, file, schema, "an SAELens cfg.json");
  const version = config.sae_lens_version ?? config.metadata?.sae_lens_version;
  const old = version == null || Number.parseInt(version, 10) < 6;
  const hook = (old ? (config.hook_name ?? config.hook_point) : undefined) ?? config.metadata?.hook_name ?? undefined;
  const modelName = config.metadata?.model_name ?? config.model_name ?? undefined;
  let architecture = config.architecture ?? "standard";
  let k = config.k ?? undefined;
  if (old) {
    const activation = config.activation_fn ?? config.activation_fn_str ?? "relu";
    if (activation === "topk" && config.activation_fn_kwargs?.k != null) {
      architecture = "topk";
      k = config.activation_fn_kwargs.k;
    } else if (activation !== "relu" && activation !== "topk") {
      throw new InputError(`${file}: activation function ${quote(activation)} is not supported; relu and topk are`);
    }
  }
  if (architecture === "topk") {
    k ??= DEFAULT_K;
    if (!Number.isInteger(k) || k < 1 || k > config.d_sae) {
      throw new InputError(`${file}: k is ${k}; it must be a whole number from 1 to d_sae = ${config.d_sae}`);
    }
  }
  return {
    dIn: config.d_in,
    dSae: config.d_sae,
    architecture,
    subtractDecoderBias: config.apply_b_dec_to_input ?? true,
    normalisation: normalisation(config.normalize_activations),
    reshape: config.reshape_activations ?? (old && hook?.includes("hook_z") ? "hook_z" : "none"),
    k,
    rescale: architecture === "topk" && (config.rescale_acts_by_decoder_norm ?? false),
    hook,
    modelName,
  };
}

function normalisation(value: string | boolean | null | undefined): string {
  if (value == null || value === false) return "none";
  return value === true ? "expected_average_only_in" : value;
}
