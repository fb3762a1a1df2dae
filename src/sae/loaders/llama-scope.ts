/**
 * Llama Scope as published in 2024 (`fnlp/Llama3_1-8B-Base-LX{R,A,M,TC}-{8x,32x}`): `hyperparams.json` and
 * `checkpoints/final.safetensors`, loaded as OpenMOSS' own code of that time does (Language-Model-SAEs 7bfb3f14, `sae.py`,
 * `SparseAutoEncoder.from_config`):
 *
 *   encoder.weight [m, d], encoder.bias [m], decoder.weight [d, m], decoder.bias [d]
 *   1. activations as they are: see openmoss-parts.ts
 *   2. with sparsity_include_decoder_norm, n_j the norm of decoder column j after step 1:
 *        W_dec_j ← W_dec_j / n_j        W_enc_j ← W_enc_j · n_j        b_enc_j ← b_enc_j · n_j
 *   3. jumprelu: f_j = p_j where p_j > jump_relu_threshold; topk: the top_k largest, whatever the threshold (that code says
 *      that it turns them into jumprelu where there is one, but has made its activation function by then)
 *
 * The decoders on disk are not of unit norm, and the threshold is meant for the latents after step 2. SAELens leaves step 2
 * out and scales the threshold by s_in instead: another gate and other values.
 */
import { z } from "zod";
import type { FileFolder } from "../../formats/byte-source.js";
import { InputError, quote } from "../../formats/input-error.js";
import { hookInfo } from "../hook.js";
import { latentNorms } from "../matrix.js";
import type { SaeInfo } from "../sae.js";
import type { SaeActivation, SaeWeights } from "../weights.js";
import { type ConfigFile, checkK, latentCount, modelWidth, optionalFlag, optionalText, readConfig } from "./config.js";
import { checkPlaces, scalesOf } from "./openmoss-parts.js";
import { SaeTensors } from "./tensors.js";

const CONFIG = "hyperparams.json";
/** Where the weights may lie, in the order in which the official code looks. */
const WEIGHTS = ["sae_weights.safetensors", "checkpoints/pruned.safetensors", "checkpoints/final.safetensors"] as const;

const schema = z.looseObject({
  d_model: modelWidth,
  d_sae: latentCount.nullish(),
  expansion_factor: z.number().positive().nullish(),
  hook_point_in: optionalText,
  hook_point_out: optionalText,
  use_glu_encoder: optionalFlag,
  use_decoder_bias: optionalFlag,
  apply_decoder_bias_to_pre_encoder: optionalFlag,
  act_fn: optionalText,
  jump_relu_threshold: z.number().nullish(),
  top_k: z.number().nullish(),
  norm_activation: optionalText,
  dataset_average_activation_norm: z.looseObject({ in: z.number(), out: z.number() }).nullish(),
  sparsity_include_decoder_norm: optionalFlag,
});
type Config = z.infer<typeof schema>;

/** Whether `folder` is a folder of Llama Scope's first release. */
export async function isLlamaScope(folder: FileFolder): Promise<boolean> {
  return (await folder.has(CONFIG)) && (await weightsOf(folder)) !== undefined;
}

/** What the folder holds, from its configuration alone. */
export async function describeLlamaScope(folder: FileFolder, name: string): Promise<SaeInfo> {
  const config = await read(folder);
  return info(config, shapeOf(config), name);
}

/** Loads the weights as the official code does. InputError for what it or this program cannot compute. */
export async function loadLlamaScope(folder: FileFolder, name: string): Promise<SaeWeights> {
  const config = await read(folder);
  const { values, where } = config;
  checkPlaces(values, where);
  const { d, m } = shapeOf(config);
  const activation = activationOf(config, m);
  const averages = values.dataset_average_activation_norm ?? undefined;
  const scales = scalesOf(values.norm_activation ?? "token-wise", averages, d, where);
  const biased = values.use_decoder_bias ?? true;
  const source = await folder.open((await weightsOf(folder))!);
  const tensors = await SaeTensors.open(source, { d, m, config: CONFIG, fields: "d_model and d_sae" });
  tensors.expectOnly(
    ["encoder.weight", "encoder.bias", "decoder.weight", ...(biased ? ["decoder.bias"] : [])],
    "a Llama Scope SAE",
  );
  const encoderBias = await tensors.vector("encoder.bias", m);
  const decoderBias = biased ? await tensors.vector("decoder.bias", d) : new Float32Array(d);
  const encoder = await tensors.matrix("encoder.weight", "encoder", "rows");
  const decoder = await tensors.matrix("decoder.weight", "decoder", "columns");
  const toOut = scales.in / scales.out;
  const unit = values.sparsity_include_decoder_norm ?? true;
  const stored = unit ? latentNorms(decoder, "rows", m) : undefined;
  const norm = (j: number) => (stored === undefined ? 1 : stored[j]! * toOut);
  return {
    info: info(config, { d, m }, name),
    encoder,
    ...(unit ? { encoderScale: Float32Array.from({ length: m }, (_, j) => norm(j)) } : {}),
    encoderBias: encoderBias.map((bias, j) => (bias / scales.in) * norm(j)),
    decoder,
    // A latent whose column is zero stays zero.
    decoderScale: Float32Array.from({ length: m }, (_, j) => (norm(j) === 0 ? 0 : toOut / norm(j))),
    decoderBias: decoderBias.map((bias) => bias / scales.out),
    activation,
    subtractDecoderBias: biased && (values.apply_decoder_bias_to_pre_encoder ?? true),
    normalisation: scales.normalisation,
  };
}

function read(folder: FileFolder): Promise<ConfigFile<Config>> {
  return readConfig(folder, CONFIG, schema, "the hyperparams.json of a Llama Scope SAE");
}

async function weightsOf(folder: FileFolder): Promise<string | undefined> {
  for (const file of WEIGHTS) if (await folder.has(file)) return file;
  return undefined;
}

function shapeOf({ values, where }: ConfigFile<Config>): { d: number; m: number } {
  const m = values.d_sae ?? values.d_model * (values.expansion_factor ?? Number.NaN);
  if (!Number.isInteger(m))
    throw new InputError(`${where}: neither d_sae nor a whole d_model · expansion_factor is there`);
  return { d: values.d_model, m };
}

function activationOf({ values, where }: ConfigFile<Config>, m: number): SaeActivation {
  const { jump_relu_threshold: threshold, top_k: k } = values;
  const name = (values.act_fn ?? "relu").toLowerCase();
  if (name === "relu") return { kind: "relu" };
  if (name === "topk") return { kind: "topk", k: checkK(k ?? Number.NaN, m, where, "top_k"), rescale: false };
  if (name !== "jumprelu")
    throw new InputError(`${where}: act_fn ${quote(name)} is not supported; relu, topk and jumprelu are`);
  if (threshold == null || threshold < 0)
    throw new InputError(
      `${where}: jump_relu_threshold is ${threshold ?? "missing"}; jumprelu needs one of at least 0`,
    );
  return { kind: "jumprelu", threshold: new Float32Array(m).fill(threshold) };
}

function info({ values, where }: ConfigFile<Config>, { d, m }: { d: number; m: number }, name: string): SaeInfo {
  const { kind } = activationOf({ values, where }, m);
  return {
    name,
    format: "llama-scope",
    architecture: kind === "relu" ? "standard" : kind,
    dModel: d,
    latents: m,
    ...hookInfo(values.hook_point_in ?? undefined),
    notes: [
      "loaded as OpenMOSS' code of 2024 does: for activations as the model has them, decoder rows of unit norm, the threshold on such latents; SAELens' values for the same file are others",
    ],
  };
}
