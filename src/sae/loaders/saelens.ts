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
import type { ByteSource, FileFolder } from "../../formats/byte-source.js";
import { entryOf, InputError, quote } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import {
  readFiniteF32,
  readSafetensorsHeader,
  type SafetensorsHeader,
  writeSafetensors,
} from "../../formats/safetensors.js";
import { residualLayer } from "../hook.js";
import type { SaeInfo } from "../sae.js";
import type { SaeActivation, SaeNormalisation, SaeWeights } from "../weights.js";
import { parseSaeLensConfig, type SaeLensConfig } from "./saelens-config.js";

const CONFIG = "cfg.json";
const WEIGHTS = "sae_weights.safetensors";
/** Real files are about 2 kB; some carry whole training configurations of a few hundred kB. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** Version whose layout `writeSaeLens` follows. */
const WRITTEN_VERSION = "6.0.0";

/** Tensors of length m beside the three that every architecture has. */
const LATENT_TENSORS: Readonly<Record<string, readonly string[]>> = {
  standard: ["b_enc"],
  topk: ["b_enc"],
  jumprelu: ["b_enc", "threshold"],
  gated: ["b_gate", "r_mag", "b_mag"],
};

const NORMALISATIONS: Readonly<Record<string, SaeNormalisation>> = {
  none: "none",
  expected_average_only_in: "none",
  layer_norm: "layer-norm",
  constant_norm_rescale: "constant-norm",
};

/** Whether `folder` is an SAELens folder. */
export async function isSaeLens(folder: FileFolder): Promise<boolean> {
  return (await folder.has(CONFIG)) && (await folder.has(WEIGHTS));
}

/** What the folder holds, from its config alone. */
export async function describeSaeLens(folder: FileFolder, name: string): Promise<SaeInfo> {
  return info(await readConfig(folder), name);
}

/** Loads the weights as f32. Throws InputError for whatever cannot be computed as SAELens would, or does not fit. */
export async function loadSaeLens(folder: FileFolder, name: string): Promise<SaeWeights> {
  const config = await readConfig(folder);
  const where = `${folder.name}/${CONFIG}`;
  const latentTensors = entryOf(LATENT_TENSORS, config.architecture);
  if (latentTensors === undefined) {
    throw new InputError(
      `${where}: architecture ${quote(config.architecture)} is not supported; ${Object.keys(LATENT_TENSORS).join(", ")} are`,
    );
  }
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
  const description = info(config, name);
  if (config.hook !== undefined && description.layer === undefined) {
    throw new InputError(
      `${where}: the SAE reads ${quote(config.hook)}; only the residual stream can be read, for example blocks.12.hook_resid_post`,
    );
  }
  const { dIn: d, dSae: m } = config;
  const source = await folder.open(WEIGHTS);
  const header = await readSafetensorsHeader(source);
  checkNames(
    header,
    new Set(["W_enc", "W_dec", "b_dec", ...latentTensors, "scaling_factor"]),
    source.name,
    config.architecture,
  );
  const read = (tensor: string, ...shape: number[]) => readTensor(source, header, tensor, shape);
  if (header.tensors.has("scaling_factor") && (await read("scaling_factor", m)).some((x) => x !== 1)) {
    throw new InputError(`${source.name}: scaling_factor is not all ones; SAELens 6 cannot load such an SAE either`);
  }
  const activation = await readActivation(config, read);
  return {
    info: description,
    encoder: await read("W_enc", d, m),
    encoderBias: config.architecture === "gated" ? new Float32Array(m) : await read("b_enc", m),
    decoder: await read("W_dec", m, d),
    decoderBias: await read("b_dec", d),
    activation,
    subtractDecoderBias: config.subtractDecoderBias,
    normalisation,
  };
}

async function readActivation(
  config: SaeLensConfig,
  read: (tensor: string, ...shape: number[]) => Promise<Float32Array>,
): Promise<SaeActivation> {
  const m = config.dSae;
  switch (config.architecture) {
    case "jumprelu":
      return { kind: "jumprelu", threshold: await read("threshold", m) };
    case "topk":
      return { kind: "topk", k: config.k!, rescale: config.rescale };
    case "gated":
      return {
        kind: "gated",
        gateBias: await read("b_gate", m),
        scale: (await read("r_mag", m)).map(Math.exp),
        bias: await read("b_mag", m),
      };
    default:
      return { kind: "relu" };
  }
}

async function readConfig(folder: FileFolder): Promise<SaeLensConfig> {
  const source = await folder.open(CONFIG);
  return parseSaeLensConfig(await readJson(source, MAX_CONFIG_BYTES), source.name);
}

function info(config: SaeLensConfig, name: string): SaeInfo {
  const layer = config.hook === undefined ? undefined : residualLayer(config.hook);
  return {
    name,
    format: "saelens",
    architecture: config.architecture,
    dModel: config.dIn,
    latents: config.dSae,
    ...(layer === undefined ? {} : { layer }),
    ...(config.hook === undefined ? {} : { hook: config.hook }),
  };
}

function checkNames(header: SafetensorsHeader, known: ReadonlySet<string>, file: string, architecture: string): void {
  for (const name of header.tensors.keys()) {
    if (!known.has(name)) {
      throw new InputError(
        `${file}: tensor ${quote(name)} does not belong to the architecture ${architecture} that ${CONFIG} names`,
      );
    }
  }
}

async function readTensor(
  source: ByteSource,
  header: SafetensorsHeader,
  name: string,
  shape: readonly number[],
): Promise<Float32Array> {
  const entry = header.tensors.get(name);
  if (entry === undefined) throw new InputError(`${source.name}: tensor ${quote(name)} is missing`);
  if (entry.shape.length !== shape.length || entry.shape.some((length, axis) => length !== shape[axis])) {
    throw new InputError(
      `${source.name}: ${name} has shape [${entry.shape.join(", ")}]; ${CONFIG} says [${shape.join(", ")}] (d_in and d_sae)`,
    );
  }
  return readFiniteF32(source, entry);
}

/** What `writeSaeLens` records beside the weights. */
export interface SaeLensMetadata {
  readonly modelName: string;
  readonly hook: string;
  /** More fields of `metadata`: training settings, quality. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A ReLU, top-k or JumpReLU SAE as an SAELens v6 folder's files. */
export function writeSaeLens(weights: SaeWeights, metadata: SaeLensMetadata): { name: string; bytes: Uint8Array }[] {
  const { dModel: d, latents: m } = weights.info;
  const { activation } = weights;
  if (activation.kind === "gated") throw new Error("writing gated SAEs is not supported");
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
    { name: CONFIG, bytes: new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`) },
    { name: WEIGHTS, bytes: writeSafetensors(tensors.map((tensor) => ({ ...tensor, dtype: "F32" as const }))) },
  ];
}
