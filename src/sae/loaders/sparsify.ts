/**
 * EleutherAI's sparsify: a folder a hook point (`layers.20`), with `cfg.json` and `sae.safetensors`.
 *
 *   encoder.weight [m, d], encoder.bias [m], W_dec [m, d], b_dec [d]
 *
 * Computed as sparsify 1.3 does (`sparse_coder.py`, `fused_encoder.py`): p = relu((x − b_dec) Wᵀ + b), of which the k largest stay,
 * or with groupmax the largest of each of k groups. The hook point is the module whose output was read: the folder's name.
 */
import { z } from "zod";
import type { FileFolder } from "../../formats/byte-source.js";
import { InputError } from "../../formats/input-error.js";
import { hookInfo, requireResidual } from "../hook.js";
import type { SaeInfo } from "../sae.js";
import type { SaeActivation, SaeWeights } from "../weights.js";
import { type ConfigFile, checkK, latentCount, modelWidth, optionalFlag, readConfig } from "./config.js";
import { SaeTensors } from "./tensors.js";

const CONFIG = "cfg.json";
const WEIGHTS = "sae.safetensors";
/** sparsify's defaults. */
const DEFAULT_EXPANSION = 32;
const DEFAULT_K = 32;
/** A part of a path that is a module of a model. */
const MODULE = /^(?:(?:transformer|model|gpt_neox)\.)*(?:(?:layers|h)\.\d+(?:\..+)?|embed_tokens|wte)$/;

const schema = z.looseObject({
  d_in: modelWidth,
  num_latents: z.int().min(0).nullish(),
  expansion_factor: z.number().positive().nullish(),
  activation: z.enum(["topk", "groupmax"]).nullish(),
  k: z.number().nullish(),
  signed: optionalFlag,
  transcode: optionalFlag,
  skip_connection: optionalFlag,
});
type Config = z.infer<typeof schema>;

/** Whether `folder` is a hook point's folder of sparsify. */
export async function isSparsify(folder: FileFolder): Promise<boolean> {
  return (await folder.has(CONFIG)) && (await folder.has(WEIGHTS));
}

/** What the folder holds, from its configuration and its name. */
export async function describeSparsify(folder: FileFolder, name: string): Promise<SaeInfo> {
  return info(folder, await read(folder), name);
}

/** Loads the weights. InputError for transcoders and places other than the residual stream. */
export async function loadSparsify(folder: FileFolder, name: string): Promise<SaeWeights> {
  const config = await read(folder);
  const { values, where } = config;
  const description = info(folder, config, name);
  if (values.transcode || values.skip_connection)
    throw new InputError(
      `${where}: ${values.transcode ? "a transcoder (transcode is true)" : "skip_connection is true"}; only plain SAEs of the residual stream can be used`,
    );
  if (values.signed) throw new InputError(`${where}: signed is true; latents with signs cannot be used`);
  requireResidual(description.hook, folder.name);
  const { dModel: d, latents: m } = description;
  const activation = activationOf(config, m);
  const source = await folder.open(WEIGHTS);
  const tensors = await SaeTensors.open(source, {
    d,
    m,
    config: CONFIG,
    fields: "d_in and num_latents or expansion_factor",
  });
  tensors.expectOnly(["encoder.weight", "encoder.bias", "W_dec", "b_dec"], "a sparsify SAE");
  return {
    info: description,
    encoder: await tensors.matrix("encoder.weight", "encoder", "rows"),
    encoderBias: await tensors.vector("encoder.bias", m),
    decoder: await tensors.matrix("W_dec", "decoder", "rows"),
    decoderBias: await tensors.vector("b_dec", d),
    activation,
    subtractDecoderBias: true,
    normalisation: "none",
  };
}

function read(folder: FileFolder): Promise<ConfigFile<Config>> {
  return readConfig(folder, CONFIG, schema, "the cfg.json of a sparsify SAE");
}

function activationOf({ values, where }: ConfigFile<Config>, m: number): SaeActivation {
  const k = checkK(values.k ?? DEFAULT_K, m, where, "k");
  if (values.activation !== "groupmax") return { kind: "topk", k, rescale: false };
  if (m % k !== 0) throw new InputError(`${where}: groupmax with k = ${k}: the ${m} latents are not ${k} equal groups`);
  return { kind: "groupmax", k };
}

function info(folder: FileFolder, { values, where }: ConfigFile<Config>, name: string): SaeInfo {
  const latents = latentCount.safeParse(
    values.num_latents || values.d_in * (values.expansion_factor ?? DEFAULT_EXPANSION),
  );
  if (!latents.success)
    throw new InputError(`${where}: num_latents, or d_in · expansion_factor, is not a number of latents`);
  const hook = folder.name.split(/[\\/]/).findLast((part) => MODULE.test(part));
  return {
    name,
    format: "sparsify",
    architecture: values.activation ?? "topk",
    dModel: values.d_in,
    latents: latents.data,
    ...hookInfo(hook),
  };
}
