/**
 * SAELens folders: `cfg.json` and `sae_weights.safetensors` (read in SAELens 6.54, which also reads what 3 to 5 wrote).
 *
 *   all                W_enc [d, m], W_dec [m, d], b_dec [d]
 *   standard, topk     b_enc [m]
 *   jumprelu           b_enc, threshold [m]
 *   gated              b_gate, r_mag, b_mag [m]
 *   before v6          scaling_factor [m] may be there; only all ones can be read, as SAELens itself does
 *
 * `expected_average_only_in` names a factor that the file does not hold; SAELens loads such a folder without
 * any normalisation, and so do we.
 */
import type { FileFolder } from "../../formats/byte-source.js";
import { entryOf, InputError, quote } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { writeSafetensors } from "../../formats/safetensors.js";
import { hookInfo, requireResidual } from "../hook.js";
import type { SaeInfo } from "../sae.js";
import type { SaeActivation, SaeNormalisation, SaeWeights } from "../weights.js";
import { MAX_CONFIG_BYTES } from "./config.js";
import { parseSaeLensConfig, type SaeLensConfig } from "./saelens-config.js";
import { SaeTensors } from "./tensors.js";

export const SAELENS_CONFIG = "cfg.json";
const WEIGHTS = "sae_weights.safetensors";
/** Version whose layout `writeSaeLens` follows. */
const WRITTEN_VERSION = "6.0.0";

/** Tensors of length m beside the three that every architecture has. */
const LATENT_TENSORS: Readonly<Record<string, readonly string[]>> = {
  standard: ["b_enc"],
  topk: ["b_enc"],
  jumprelu: ["b_enc", "threshold"],
  gated: ["b_gate", "r_mag", "b_mag"],
};

const TRANSCODER = "it reads one place of the model and writes another";
/** Other architectures of SAELens, and why their latents are not what is meant by latents here. */
const REFUSED: Readonly<Record<string, string>> = {
  abstopk: "its latents have signs",
  batchtopk: "it is for training; SAELens saves it for use as jumprelu",
  matryoshka_batchtopk: "it is for training; SAELens saves it for use as jumprelu",
  matching_pursuit: "its latents depend on each other",
  temporal: "its latents depend on the tokens before",
};
const UNKNOWN_AVERAGE =
  "normalize_activations is expected_average_only_in and the file does not hold the factor: activations are taken as they are, as SAELens takes them from such a folder";

const NORMALISATIONS: Readonly<Record<string, SaeNormalisation>> = {
  none: "none",
  expected_average_only_in: "none",
  layer_norm: "layer-norm",
  constant_norm_rescale: "constant-norm",
};

/** Whether `folder` is an SAELens folder. */
export async function isSaeLens(folder: FileFolder): Promise<boolean> {
  return (await folder.has(SAELENS_CONFIG)) && (await folder.has(WEIGHTS));
}

/** What the folder holds, from its config alone. */
export async function describeSaeLens(folder: FileFolder, name: string): Promise<SaeInfo> {
  return info(await readConfig(folder), name);
}

/** Loads the weights. Throws InputError for whatever cannot be computed as SAELens would, or does not fit. */
export async function loadSaeLens(folder: FileFolder, name: string): Promise<SaeWeights> {
  const config = await readConfig(folder);
  const where = `${folder.name}/${SAELENS_CONFIG}`;
  const latentTensors = supportedTensors(config.architecture, where);
  const normalisation = entryOf(NORMALISATIONS, config.normalisation);
  if (normalisation === undefined) {
    throw new InputError(
      `${where}: normalize_activations ${quote(config.normalisation)} is not supported; ${Object.keys(NORMALISATIONS).join(", ")} are`,
    );
  }
  if (config.reshape !== "none") {
    throw new InputError(
      `${where}: reshape_activations ${quote(config.reshape)}: only SAEs of the residual stream can be used`,
    );
  }
  requireResidual(config.hook, where);
  const { dIn: d, dSae: m } = config;
  const source = await folder.open(WEIGHTS);
  const tensors = await SaeTensors.open(source, { d, m, config: SAELENS_CONFIG, fields: "d_in and d_sae" });
  tensors.expectOnly(
    ["W_enc", "W_dec", "b_dec", ...latentTensors, "scaling_factor"],
    `the architecture ${config.architecture}`,
  );
  if (tensors.has("scaling_factor") && (await tensors.vector("scaling_factor", m)).some((x) => x !== 1)) {
    throw new InputError(`${source.name}: scaling_factor is not all ones; SAELens 6 cannot load such an SAE either`);
  }
  const activation = await readActivation(config, tensors);
  return {
    info: info(config, name),
    encoder: await tensors.matrix("W_enc", "encoder", "columns"),
    encoderBias: config.architecture === "gated" ? new Float32Array(m) : await tensors.vector("b_enc", m),
    decoder: await tensors.matrix("W_dec", "decoder", "rows"),
    decoderBias: await tensors.vector("b_dec", d),
    activation,
    subtractDecoderBias: config.subtractDecoderBias,
    normalisation,
  };
}

/** Names of the tensors of length m. InputError for an architecture that is not computed here. */
function supportedTensors(architecture: string, where: string): readonly string[] {
  const tensors = entryOf(LATENT_TENSORS, architecture);
  if (tensors !== undefined) return tensors;
  const why = architecture.includes("transcoder") ? TRANSCODER : entryOf(REFUSED, architecture);
  throw new InputError(
    `${where}: architecture ${quote(architecture)} is not supported${why === undefined ? "" : ` (${why})`}; ${Object.keys(LATENT_TENSORS).join(", ")} are`,
  );
}

async function readActivation(config: SaeLensConfig, tensors: SaeTensors): Promise<SaeActivation> {
  const m = config.dSae;
  switch (config.architecture) {
    case "jumprelu":
      return { kind: "jumprelu", threshold: await tensors.vector("threshold", m) };
    case "topk":
      return { kind: "topk", k: config.k!, rescale: config.rescale };
    case "gated":
      return {
        kind: "gated",
        gateBias: await tensors.vector("b_gate", m),
        scale: (await tensors.vector("r_mag", m)).map(Math.exp),
        bias: await tensors.vector("b_mag", m),
      };
    default:
      return { kind: "relu" };
  }
}

async function readConfig(folder: FileFolder): Promise<SaeLensConfig> {
  const source = await folder.open(SAELENS_CONFIG);
  return parseSaeLensConfig(await readJson(source, MAX_CONFIG_BYTES), source.name);
}

function info(config: SaeLensConfig, name: string): SaeInfo {
  return {
    name,
    format: "saelens",
    architecture: config.architecture,
    dModel: config.dIn,
    latents: config.dSae,
    ...hookInfo(config.hook),
    ...(config.normalisation === "expected_average_only_in" ? { notes: [UNKNOWN_AVERAGE] } : {}),
  };
}

/** What `writeSaeLens` records beside the weights. */
export interface SaeLensMetadata {
  readonly modelName: string;
  readonly hook: string;
  /** More fields of `metadata`: training settings, quality. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A ReLU, top-k or JumpReLU SAE as an SAELens v6 folder's files. */
export function writeSaeLens(
  weights: SaeWeights<Float32Array>,
  metadata: SaeLensMetadata,
): { name: string; bytes: Uint8Array }[] {
  const { dModel: d, latents: m } = weights.info;
  const { activation } = weights;
  if (activation.kind === "gated" || activation.kind === "groupmax" || weights.encoderScale || weights.decoderScale)
    throw new Error(`writing ${activation.kind} SAEs, or those in other units than their matrices', is not supported`);
  const config = {
    d_in: d,
    d_sae: m,
    dtype: "float32",
    device: "cpu",
    apply_b_dec_to_input: weights.subtractDecoderBias,
    normalize_activations:
      weights.normalisation === "none"
        ? "none"
        : weights.normalisation === "layer-norm"
          ? "layer_norm"
          : "constant_norm_rescale",
    reshape_activations: "none",
    metadata: {
      ...metadata.extra,
      sae_lens_version: WRITTEN_VERSION,
      model_name: metadata.modelName,
      hook_name: metadata.hook,
    },
    architecture: activation.kind === "relu" ? "standard" : activation.kind,
    ...(activation.kind === "topk" ? { k: activation.k, rescale_acts_by_decoder_norm: activation.rescale } : {}),
  };
  const tensors = [
    { name: "W_enc", shape: [d, m], data: weights.encoder },
    { name: "W_dec", shape: [m, d], data: weights.decoder },
    { name: "b_enc", shape: [m], data: weights.encoderBias },
    { name: "b_dec", shape: [d], data: weights.decoderBias },
    ...(activation.kind === "jumprelu" ? [{ name: "threshold", shape: [m], data: activation.threshold }] : []),
  ];
  return [
    { name: SAELENS_CONFIG, bytes: new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`) },
    { name: WEIGHTS, bytes: writeSafetensors(tensors.map((tensor) => ({ ...tensor, dtype: "F32" as const }))) },
  ];
}
