/**
 * Gemma Scope 2 (`google/gemma-scope-2-*`, SAEs of Gemma 3): `params.safetensors` and, but not always, `config.json`, in folders
 * such as `resid_post/layer_13_width_16k_l0_medium`.
 *
 *   w_enc [d, m], w_dec [m, d], b_enc, threshold [m], b_dec [d]; transcoders may have affine_skip_connection [d, d]
 *
 * JumpReLU; b_dec is not subtracted from the input, and activations are not scaled.
 */
import { z } from "zod";
import type { FileFolder } from "../../formats/byte-source.js";
import { InputError, quote } from "../../formats/input-error.js";
import { readSafetensorsHeader } from "../../formats/safetensors.js";
import { hookInfo, requireResidual } from "../hook.js";
import type { SaeInfo } from "../sae.js";
import type { SaeWeights } from "../weights.js";
import { latentCount, modelWidth, optionalText, readConfig } from "./config.js";
import { SaeTensors } from "./tensors.js";

const CONFIG = "config.json";
const WEIGHTS = "params.safetensors";
const TENSORS = ["w_enc", "w_dec", "b_enc", "b_dec", "threshold"];
/** Folders of other places, and of transcoders across one or several layers. */
const OTHER_PLACES = /(?:^|\/)(attn_out|mlp_out|transcoder|clt)[^/]*(?:\/|$)/;
const RESIDUAL = /(?:^|\/)resid_post[^/]*\/(?:.*\/)?layer_(\d+)_[^/]*\/?$/;

const schema = z.looseObject({
  architecture: optionalText,
  hf_hook_point_in: optionalText,
  hf_hook_point_out: optionalText,
});

/** Whether `folder` holds an SAE of Gemma Scope 2. */
export function isGemmaScope2(folder: FileFolder): Promise<boolean> {
  return folder.has(WEIGHTS);
}

/** What the folder holds, from its configuration, its name and the header of its weights. */
export async function describeGemmaScope2(folder: FileFolder, name: string): Promise<SaeInfo> {
  const hook = await hookOf(folder);
  const source = await folder.open(WEIGHTS);
  const shape = (await readSafetensorsHeader(source)).tensors.get("w_enc")?.shape;
  const d = modelWidth.safeParse(shape?.[0]);
  const m = latentCount.safeParse(shape?.[1]);
  if (shape?.length !== 2 || !d.success || !m.success)
    throw new InputError(
      `${source.name}: has no matrix w_enc [width of the model, latents]; Gemma Scope 2 has ${TENSORS.join(", ")}`,
    );
  return {
    name,
    format: "gemma-scope-2",
    architecture: "jumprelu",
    dModel: d.data,
    latents: m.data,
    ...hookInfo(hook),
  };
}

/** Loads the weights. InputError for transcoders and places other than the residual stream. */
export async function loadGemmaScope2(folder: FileFolder, name: string): Promise<SaeWeights> {
  const info = await describeGemmaScope2(folder, name);
  const { dModel: d, latents: m } = info;
  const source = await folder.open(WEIGHTS);
  const tensors = await SaeTensors.open(source, { d, m, config: "w_enc", fields: "width and latents" });
  if (tensors.has("affine_skip_connection"))
    throw new InputError(
      `${source.name}: a transcoder with a skip connection; only SAEs of the residual stream can be used`,
    );
  tensors.expectOnly(TENSORS, "a Gemma Scope 2 SAE");
  const threshold = await tensors.vector("threshold", m);
  return {
    info,
    encoder: await tensors.matrix("w_enc", "encoder", "columns"),
    encoderBias: await tensors.vector("b_enc", m),
    decoder: await tensors.matrix("w_dec", "decoder", "rows"),
    decoderBias: await tensors.vector("b_dec", d),
    activation: { kind: "jumprelu", threshold },
    subtractDecoderBias: false,
    normalisation: "none",
  };
}

/** The hook point that config.json or the folder's path names. InputError where it is none of the residual stream. */
async function hookOf(folder: FileFolder): Promise<string | undefined> {
  if (!(await folder.has(CONFIG))) {
    const path = folder.name.replaceAll("\\", "/");
    const other = OTHER_PLACES.exec(path);
    if (other !== null)
      throw new InputError(`${folder.name}: ${other[1]} is not the residual stream; give an SAE of resid_post`);
    const layer = RESIDUAL.exec(path)?.[1];
    return layer === undefined ? undefined : `model.layers.${layer}.output`;
  }
  const { values, where } = await readConfig(folder, CONFIG, schema, "the config.json of a Gemma Scope 2 SAE");
  if (values.architecture !== "jump_relu")
    throw new InputError(
      `${where}: architecture ${quote(String(values.architecture))} is not supported; "jump_relu" is`,
    );
  const hook = values.hf_hook_point_in ?? undefined;
  const out = values.hf_hook_point_out ?? hook;
  if (hook !== out)
    throw new InputError(
      `${where}: a transcoder, which reads ${quote(hook ?? "nothing")} and writes ${quote(out ?? "nothing")}; only SAEs of the residual stream can be used`,
    );
  requireResidual(hook, where);
  return hook;
}
