/**
 * OpenMOSS' SAEs since 2025 (Llama Scope R1 Distill and later): `config.json` and `sae_weights.safetensors`.
 *
 *   W_E [d, m], b_E [m], W_D [m, d], b_D [d], before mid 2025 encoder.weight [m, d], encoder.bias, decoder.weight [d, m],
 *   decoder.bias; log_jumprelu_threshold [m]; scalars dataset_average_activation_norm.<hook point>
 *
 * Computed as `SparseAutoEncoder.encode` of Llamascopium (95281ac7, `models/sae.py`) does after
 * `standardize_parameters_of_dataset_norm` (see openmoss-parts.ts); with sparsity_include_decoder_norm the gate looks at
 * p_j ‖W_D_j‖, and values stay p_j:
 *
 *   f = p where gate(p ‖W_D‖), else 0
 *
 * The threshold was learned on scaled activations, where latents are s_in times as large; that code leaves it as it is when
 * it scales the rest back. Here it is divided by s_in, so that scaling back changes no gate, as its documentation says of it.
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

const CONFIG = "config.json";
const WEIGHTS = "sae_weights.safetensors";
const NORM = "dataset_average_activation_norm.";
const THRESHOLDS = ["log_jumprelu_threshold", "activation_function.log_jumprelu_threshold"] as const;
/** Names of the four parameters, and how the matrices lie, in both spellings. */
const LAYOUTS = [
  {
    encoder: "W_E",
    encoderBias: "b_E",
    decoder: "W_D",
    decoderBias: "b_D",
    byLatent: { encoder: "columns", decoder: "rows" },
  },
  {
    encoder: "encoder.weight",
    encoderBias: "encoder.bias",
    decoder: "decoder.weight",
    decoderBias: "decoder.bias",
    byLatent: { encoder: "rows", decoder: "columns" },
  },
] as const;

const schema = z.looseObject({
  sae_type: optionalText,
  d_model: modelWidth,
  expansion_factor: z.number().positive(),
  hook_point_in: z.string(),
  hook_point_out: optionalText,
  use_glu_encoder: optionalFlag,
  use_decoder_bias: optionalFlag,
  apply_decoder_bias_to_pre_encoder: optionalFlag,
  act_fn: optionalText,
  top_k: z.number().nullish(),
  norm_activation: optionalText,
  sparsity_include_decoder_norm: optionalFlag,
});
type Config = z.infer<typeof schema>;

/** Whether `folder` is an SAE folder of OpenMOSS' newer code. */
export async function isOpenMoss(folder: FileFolder): Promise<boolean> {
  return (await folder.has(CONFIG)) && (await folder.has(WEIGHTS));
}

/** What the folder holds, from its configuration alone. */
export async function describeOpenMoss(folder: FileFolder, name: string): Promise<SaeInfo> {
  return info(await read(folder), name);
}

/** Loads the weights. InputError for what cannot be computed token by token. */
export async function loadOpenMoss(folder: FileFolder, name: string): Promise<SaeWeights> {
  const config = await read(folder);
  const { values, where } = config;
  checkPlaces(values, where);
  const { dModel: d, latents: m } = info(config, name);
  const source = await folder.open(WEIGHTS);
  const tensors = await SaeTensors.open(source, { d, m, config: CONFIG, fields: "d_model and expansion_factor" });
  const layout = LAYOUTS.find(({ encoder }) => tensors.has(encoder)) ?? LAYOUTS[0];
  const biased = values.use_decoder_bias ?? true;
  const averages = await averagesOf(tensors, values);
  tensors.expectOnly(
    [
      layout.encoder,
      layout.encoderBias,
      layout.decoder,
      ...(biased ? [layout.decoderBias] : []),
      ...(actFn(values) === "jumprelu" ? THRESHOLDS : []),
      ...tensors.names().filter((tensor) => tensor.startsWith(NORM)),
    ],
    "an OpenMOSS SAE",
  );
  const scales = scalesOf(values.norm_activation ?? (averages ? "dataset-wise" : "inference"), averages, d, where);
  const encoderBias = await tensors.vector(layout.encoderBias, m);
  const decoderBias = biased ? await tensors.vector(layout.decoderBias, d) : new Float32Array(d);
  const thresholds = actFn(values) === "jumprelu" ? await thresholdsOf(tensors, m) : undefined;
  const encoder = await tensors.matrix(layout.encoder, "encoder", layout.byLatent.encoder);
  const decoder = await tensors.matrix(layout.decoder, "decoder", layout.byLatent.decoder);
  const toOut = scales.in / scales.out;
  const byNorm = values.sparsity_include_decoder_norm ?? true;
  const norms = byNorm ? latentNorms(decoder, "rows", m) : undefined;
  const activation: SaeActivation =
    thresholds === undefined
      ? plainActivation(config, m)
      : {
          kind: "jumprelu",
          threshold: thresholds.map((x, j) => Math.exp(x) / scales.in / (norms === undefined ? 1 : norms[j]! * toOut)),
        };
  return {
    info: info(config, name),
    encoder,
    encoderBias: encoderBias.map((bias) => bias / scales.in),
    decoder,
    ...(toOut === 1 ? {} : { decoderScale: new Float32Array(m).fill(toOut) }),
    decoderBias: decoderBias.map((bias) => bias / scales.out),
    activation,
    subtractDecoderBias: biased && (values.apply_decoder_bias_to_pre_encoder ?? false),
    normalisation: scales.normalisation,
  };
}

async function read(folder: FileFolder): Promise<ConfigFile<Config>> {
  const config = await readConfig(folder, CONFIG, schema, "the config.json of an OpenMOSS SAE");
  const { sae_type: type } = config.values;
  if (type != null && type !== "sae")
    throw new InputError(`${config.where}: sae_type ${quote(type)} is not supported; only "sae" is`);
  return config;
}

async function averagesOf(tensors: SaeTensors, config: Config): Promise<{ in: number; out: number } | undefined> {
  const read = `${NORM}${config.hook_point_in}`;
  const written = `${NORM}${config.hook_point_out ?? config.hook_point_in}`;
  if (!tensors.has(read) || !tensors.has(written)) return undefined;
  return { in: await tensors.scalar(read), out: await tensors.scalar(written) };
}

/** The act_fn, which the earliest folders leave to be seen from their tensors. */
function actFn(config: Config): string {
  return (config.act_fn ?? "jumprelu").toLowerCase();
}

async function thresholdsOf(tensors: SaeTensors, m: number): Promise<Float32Array> {
  return tensors.vector(THRESHOLDS.find((name) => tensors.has(name)) ?? THRESHOLDS[0], m);
}

function plainActivation({ values, where }: ConfigFile<Config>, m: number): SaeActivation {
  const name = actFn(values);
  if (name === "relu") return { kind: "relu" };
  if (name !== "topk")
    throw new InputError(
      `${where}: act_fn ${quote(name)} is not supported${name === "batchtopk" ? " (its latents depend on the other tokens of a batch)" : ""}; relu, topk and jumprelu are`,
    );
  return {
    kind: "topk",
    k: checkK(values.top_k ?? Number.NaN, m, where, "top_k"),
    rescale: (values.sparsity_include_decoder_norm ?? true) && "selection",
  };
}

function info({ values, where }: ConfigFile<Config>, name: string): SaeInfo {
  const latents = latentCount.safeParse(Math.trunc(values.d_model * values.expansion_factor));
  if (!latents.success) throw new InputError(`${where}: d_model · expansion_factor is not a number of latents`);
  const act = actFn(values);
  return {
    name,
    format: "openmoss",
    architecture: act === "relu" ? "standard" : act,
    dModel: values.d_model,
    latents: latents.data,
    ...hookInfo(values.hook_point_in),
    notes: [
      "latents are at the scale of activations as the model has them, as OpenMOSS' code folds the SAE for inference",
    ],
  };
}
