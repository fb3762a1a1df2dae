/**
 * Goodfire's SAEs: a state dict in one .pth or .pt file, without configuration
 * (`Goodfire/Llama-3.1-8B-Instruct-SAE-l19`, `Goodfire/Llama-3.3-70B-Instruct-SAE-l50`). Read in SAELens' loader.
 *
 *   encoder_linear.weight [m, d], encoder_linear.bias [m], decoder_linear.weight [d, m], decoder_linear.bias [d]
 *
 * f = relu(encoder x + bias); the decoder's bias is not subtracted from the input. SAEs made after them
 * (DeepSeek-R1-Distill-Llama-8B) have the same layers, named encoder and decoder. The layer stands at the end of the file's
 * name (-l19.pth), as that of blocks.19.hook_resid_post; a file of another name leaves it to --layer.
 */
import type { FileFolder } from "../../formats/byte-source.js";
import { readTorchFile } from "../../formats/torch-file.js";
import { hookInfo } from "../hook.js";
import type { SaeInfo } from "../sae.js";
import type { SaeWeights } from "../weights.js";
import { ContainerTensors } from "./container-tensors.js";

const WEIGHTS = /\.pth?$/;
const LAYER = /[-_.]l(\d+)\.pth?$/;

/** Whether `folder` holds one file of torch's. */
export async function isGoodfire(folder: FileFolder): Promise<boolean> {
  return (await weightsFile(folder)) !== undefined;
}

/** What the file holds, from its name and the shapes in it. */
export async function describeGoodfire(folder: FileFolder, name: string): Promise<SaeInfo> {
  return (await open(folder, name)).info;
}

/** Loads the weights. InputError where the file holds something else. */
export async function loadGoodfire(folder: FileFolder, name: string): Promise<SaeWeights> {
  const { info, tensors, prefixes } = await open(folder, name);
  const { dModel: d, latents: m } = info;
  const { encoder, decoder } = prefixes;
  return {
    info,
    encoder: await tensors.matrix(`${encoder}.weight`, "encoder", "rows", info),
    encoderBias: await tensors.read(`${encoder}.bias`, m),
    decoder: await tensors.matrix(`${decoder}.weight`, "decoder", "columns", info),
    decoderBias: await tensors.read(`${decoder}.bias`, d),
    activation: { kind: "relu" },
    subtractDecoderBias: false,
    normalisation: "none",
  };
}

interface OpenedFile {
  readonly info: SaeInfo;
  readonly tensors: ContainerTensors;
  readonly prefixes: { readonly encoder: string; readonly decoder: string };
}

async function open(folder: FileFolder, name: string): Promise<OpenedFile> {
  const file = (await weightsFile(folder))!;
  const source = await folder.open(file);
  const tensors = new ContainerTensors(source.name, "a Goodfire SAE", await readTorchFile(source));
  const prefixes = tensors.has("encoder.weight")
    ? { encoder: "encoder", decoder: "decoder" }
    : { encoder: "encoder_linear", decoder: "decoder_linear" };
  tensors.expectOnly(Object.values(prefixes).flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]));
  const [latents, dModel] = tensors.matrixShape(`${prefixes.encoder}.weight`);
  const layer = LAYER.exec(file)?.[1];
  const hook = layer === undefined ? undefined : `blocks.${Number(layer)}.hook_resid_post`;
  return {
    info: { name, format: "goodfire", architecture: "standard", dModel, latents, ...hookInfo(hook) },
    tensors,
    prefixes,
  };
}

/** The only file of torch's in `folder`. */
async function weightsFile(folder: FileFolder): Promise<string | undefined> {
  const found = (await folder.list()).filter((file) => WEIGHTS.test(file));
  return found.length === 1 ? found[0] : undefined;
}
