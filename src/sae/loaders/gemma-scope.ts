/**
 * Gemma Scope (`google/gemma-scope-*`, SAEs of Gemma 2): one `params.npz` in a folder such as
 * `gemma-scope-2b-pt-res/layer_12/width_16k/average_l0_82`. Read in SAELens' loader.
 *
 *   W_enc [d, m], W_dec [m, d] (w_enc, w_dec in some files), b_enc, threshold [m], b_dec [d]
 *   scaling_factor may be there; only all ones can be read, as in SAELens
 *
 * JumpReLU; b_dec is not subtracted from the input, and activations are not scaled. The file says nothing of the place:
 * the layer and the site are parts of the path. A path without them leaves the layer to --layer, as that of the residual stream.
 */
import type { FileFolder } from "../../formats/byte-source.js";
import { InputError } from "../../formats/input-error.js";
import { readNpz } from "../../formats/npz.js";
import { hookInfo, requireResidual } from "../hook.js";
import type { SaeInfo } from "../sae.js";
import type { SaeWeights } from "../weights.js";
import { ContainerTensors } from "./container-tensors.js";

const WEIGHTS = "params.npz";
const LAYER = /(?:^|\/)layer_(\d+)(?=\/|$)/;
const EMBEDDING = /(?:^|\/)embedding(?=\/|$)/;
/** The end of a repository's name, also as the Hugging Face cache writes it. */
const SITE = /gemma-scope-[\w.]+-(?:pt|it)-(res|mlp|att|transcoders)(?=\/|$)/;

/** Whether `folder` holds an SAE of Gemma Scope. */
export function isGemmaScope(folder: FileFolder): Promise<boolean> {
  return folder.has(WEIGHTS);
}

/** What the folder holds, from its path and the shapes in its file. */
export async function describeGemmaScope(folder: FileFolder, name: string): Promise<SaeInfo> {
  return (await open(folder, name)).info;
}

/** Loads the weights. InputError for transcoders and places other than the residual stream. */
export async function loadGemmaScope(folder: FileFolder, name: string): Promise<SaeWeights> {
  const { info, tensors, names } = await open(folder, name);
  const { dModel: d, latents: m } = info;
  requireResidual(info.hook, folder.name);
  tensors.expectOnly([names.encoder, names.decoder, "b_enc", "b_dec", "threshold"], ["scaling_factor"]);
  if (tensors.has("scaling_factor") && (await tensors.read("scaling_factor", m)).some((x) => x !== 1))
    throw new InputError(
      `${tensors.file}: scaling_factor is not all ones, which no published SAE has; give one of those`,
    );
  const threshold = await tensors.read("threshold", m);
  return {
    info,
    encoder: await tensors.matrix(names.encoder, "encoder", "columns", info),
    encoderBias: await tensors.read("b_enc", m),
    decoder: await tensors.matrix(names.decoder, "decoder", "rows", info),
    decoderBias: await tensors.read("b_dec", d),
    activation: { kind: "jumprelu", threshold },
    subtractDecoderBias: false,
    normalisation: "none",
  };
}

interface OpenedFile {
  readonly info: SaeInfo;
  readonly tensors: ContainerTensors;
  readonly names: { readonly encoder: string; readonly decoder: string };
}

async function open(folder: FileFolder, name: string): Promise<OpenedFile> {
  const source = await folder.open(WEIGHTS);
  const tensors = new ContainerTensors(source.name, "a Gemma Scope SAE", await readNpz(source));
  const names = {
    encoder: tensors.has("w_enc") ? "w_enc" : "W_enc",
    decoder: tensors.has("w_dec") ? "w_dec" : "W_dec",
  };
  const [dModel, latents] = tensors.matrixShape(names.encoder);
  const hook = hookOf(folder.name);
  return {
    info: { name, format: "gemma-scope", architecture: "jumprelu", dModel, latents, ...hookInfo(hook) },
    tensors,
    names,
  };
}

/** The hook point that the folder's path names; undefined where it names no layer. */
function hookOf(folder: string): string | undefined {
  const path = folder.replaceAll("\\", "/");
  const site = SITE.exec(path)?.[1] ?? "res";
  const layer = LAYER.exec(path)?.[1];
  if (site === "transcoders")
    throw new InputError(`${folder}: is a transcoder; only SAEs of the residual stream can be used`);
  if (EMBEDDING.test(path)) return "hook_embed";
  if (site === "mlp") return `blocks.${layer ?? "N"}.hook_mlp_out`;
  if (site === "att") return `blocks.${layer ?? "N"}.attn.hook_z`;
  return layer === undefined ? undefined : `blocks.${Number(layer)}.hook_resid_post`;
}
