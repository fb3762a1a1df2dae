/**
 * dictionary_learning folders: `ae.pt`, a state dict, and `config.json`, whose trainer.dict_class says which class it is of
 * (read in dictionary_learning 0.1). nn.Linear layers are stored as [out, in], parameters as they are used.
 *
 *   AutoEncoder             encoder.weight [m, d], encoder.bias, decoder.weight [d, m], bias [d]      relu(E(x − bias))
 *   AutoEncoderNew          encoder.*, decoder.weight, decoder.bias                                   relu(E x)
 *   GatedAutoEncoder        encoder.weight, decoder.weight, decoder_bias, r_mag, gate_bias, mag_bias  see SaeActivation
 *   JumpReluAutoEncoder     W_enc [d, m], b_enc, W_dec [m, d], b_dec, threshold [m]                   b_dec not subtracted
 *   AutoEncoderTopK         encoder.*, decoder.weight, b_dec, k, threshold                            k largest a token
 *   BatchTopKSAE            the same                                                                  relu(E(x − b_dec)) > threshold
 *   MatryoshkaBatchTopKSAE  W_enc, b_enc, W_dec, b_dec, k, threshold, group_sizes                     the same, all groups active
 *
 * Traps. AutoEncoderTopK stores a threshold too, which its `encode` does not use. A BatchTopK threshold of −1 was never set
 * (training ended early): then every positive latent fires, in the library as here. Latents are in the units of the stored
 * decoder, as in SAELens; `AutoEncoder.from_pretrained` by default, and some revisions of the gated and JumpReLU classes,
 * multiply them by the norms of a decoder whose columns are not of norm 1.
 */
import { z } from "zod";
import type { FileFolder } from "../../formats/byte-source.js";
import { entryOf, InputError, quote } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { firstWrong } from "../../formats/shape.js";
import { readTorchFile } from "../../formats/torch-file.js";
import { hookInfo, requireResidual } from "../hook.js";
import type { SaeInfo } from "../sae.js";
import type { SaeActivation, SaeWeights } from "../weights.js";
import { ContainerTensors } from "./container-tensors.js";

const WEIGHTS = "ae.pt";
const CONFIG = "config.json";
/** Real files are about 1 kB. */
const MAX_CONFIG_BYTES = 1024 * 1024;

interface DictionaryClass {
  /** As SAELens calls it. */
  readonly architecture: string;
  /** Names of W_enc and W_dec; those of nn.Linear are stored transposed. */
  readonly encoder: "W_enc" | "encoder.weight";
  readonly decoder: "W_dec" | "decoder.weight";
  readonly encoderBias?: string;
  readonly decoderBias: string;
  readonly subtractDecoderBias: boolean;
  /** Tensors beside those. */
  readonly others: readonly string[];
  /** Tensors that not every version of the library stores, and that are not needed. */
  readonly optional?: readonly string[];
  readonly activation: (tensors: ContainerTensors, latents: number, k: number | undefined) => Promise<SaeActivation>;
}

const LINEAR = { encoder: "encoder.weight", decoder: "decoder.weight" } as const;
const PARAMETERS = { encoder: "W_enc", decoder: "W_dec" } as const;

const CLASSES: Readonly<Record<string, DictionaryClass>> = {
  AutoEncoder: {
    architecture: "standard",
    ...LINEAR,
    encoderBias: "encoder.bias",
    decoderBias: "bias",
    subtractDecoderBias: true,
    others: [],
    activation: async () => ({ kind: "relu" }),
  },
  AutoEncoderNew: {
    architecture: "standard",
    ...LINEAR,
    encoderBias: "encoder.bias",
    decoderBias: "decoder.bias",
    subtractDecoderBias: false,
    others: [],
    activation: async () => ({ kind: "relu" }),
  },
  GatedAutoEncoder: {
    architecture: "gated",
    ...LINEAR,
    decoderBias: "decoder_bias",
    subtractDecoderBias: true,
    others: ["r_mag", "gate_bias", "mag_bias"],
    activation: async (tensors, m) => ({
      kind: "gated",
      gateBias: await tensors.read("gate_bias", m),
      scale: (await tensors.read("r_mag", m)).map(Math.exp),
      bias: await tensors.read("mag_bias", m),
    }),
  },
  JumpReluAutoEncoder: {
    architecture: "jumprelu",
    ...PARAMETERS,
    encoderBias: "b_enc",
    decoderBias: "b_dec",
    subtractDecoderBias: false,
    others: ["threshold"],
    activation: async (tensors, m) => ({ kind: "jumprelu", threshold: await tensors.read("threshold", m) }),
  },
  AutoEncoderTopK: {
    architecture: "topk",
    ...LINEAR,
    encoderBias: "encoder.bias",
    decoderBias: "b_dec",
    subtractDecoderBias: true,
    others: [],
    optional: ["k", "threshold"],
    activation: async (tensors, m, k) => ({ kind: "topk", k: await readK(tensors, m, k), rescale: false }),
  },
  BatchTopKSAE: {
    architecture: "batchtopk",
    ...LINEAR,
    encoderBias: "encoder.bias",
    decoderBias: "b_dec",
    subtractDecoderBias: true,
    others: ["threshold"],
    optional: ["k"],
    activation: oneThreshold,
  },
  MatryoshkaBatchTopKSAE: {
    architecture: "matryoshka_batchtopk",
    ...PARAMETERS,
    encoderBias: "b_enc",
    decoderBias: "b_dec",
    subtractDecoderBias: true,
    others: ["threshold", "group_sizes"],
    optional: ["k"],
    activation: async (tensors, m) => {
      const sizes = await tensors.integers("group_sizes");
      const total = sizes.reduce((sum, size) => sum + size, 0);
      if (total !== m || sizes.some((size) => size < 1))
        throw new InputError(`${tensors.file}: group_sizes sum to ${total}; they must split the ${m} latents`);
      return oneThreshold(tensors, m);
    },
  },
};

const schema = z.looseObject({
  trainer: z.looseObject({
    dict_class: z.string(),
    activation_dim: z.int().nullish(),
    dict_size: z.int().nullish(),
    layer: z.union([z.int().min(0), z.array(z.int())]).nullish(),
    submodule_name: z.string().nullish(),
    k: z.int().nullish(),
  }),
  buffer: z.looseObject({ io: z.string().nullish() }).nullish(),
});
type Config = z.infer<typeof schema>;

/** Whether `folder` is one that dictionary_learning's trainers write. */
export function isDictionaryLearning(folder: FileFolder): Promise<boolean> {
  return folder.has(WEIGHTS);
}

/** What the folder holds, from its configuration and the shapes in its file. */
export async function describeDictionaryLearning(folder: FileFolder, name: string): Promise<SaeInfo> {
  return (await open(folder, name)).info;
}

/** Loads the weights. InputError for other classes and places, and for tensors that do not fit the configuration. */
export async function loadDictionaryLearning(folder: FileFolder, name: string): Promise<SaeWeights> {
  const { info, dictionary, tensors, config, where } = await open(folder, name);
  const { dModel: d, latents: m } = info;
  requireResidual(info.hook, where);
  const { encoder, decoder, encoderBias, decoderBias, others, optional } = dictionary;
  tensors.expectOnly([encoder, decoder, decoderBias, ...(encoderBias ? [encoderBias] : []), ...others], optional);
  // A linear layer's weight is [out, in], a parameter of its own the other way round.
  const isLinear = encoder.endsWith(".weight");
  return {
    info,
    encoder: await tensors.matrix(encoder, "encoder", isLinear ? "rows" : "columns", info),
    encoderBias: encoderBias === undefined ? new Float32Array(m) : await tensors.read(encoderBias, m),
    decoder: await tensors.matrix(decoder, "decoder", isLinear ? "columns" : "rows", info),
    decoderBias: await tensors.read(decoderBias, d),
    activation: await dictionary.activation(tensors, m, config.trainer.k ?? undefined),
    subtractDecoderBias: dictionary.subtractDecoderBias,
    normalisation: "none",
  };
}

interface OpenedFolder {
  readonly info: SaeInfo;
  readonly dictionary: DictionaryClass;
  readonly tensors: ContainerTensors;
  readonly config: Config;
  /** The configuration, for messages. */
  readonly where: string;
}

async function open(folder: FileFolder, name: string): Promise<OpenedFolder> {
  if (!(await folder.has(CONFIG)))
    throw new InputError(
      `${folder.name}: ${WEIGHTS} without ${CONFIG}, which says what kind of SAE it is; both are needed`,
    );
  const configFile = await folder.open(CONFIG);
  const where = configFile.name;
  const parsed = schema.safeParse(await readJson(configFile, MAX_CONFIG_BYTES));
  if (!parsed.success) {
    throw new InputError(
      `${where}: ${firstWrong(parsed.error, "the document")}; not a config.json of dictionary_learning`,
    );
  }
  const { trainer } = parsed.data;
  const dictionary = entryOf(CLASSES, trainer.dict_class);
  if (dictionary === undefined)
    throw new InputError(
      `${where}: dict_class ${quote(trainer.dict_class)} is not supported (crosscoders and transcoders never are); ${Object.keys(CLASSES).join(", ")} are`,
    );
  const source = await folder.open(WEIGHTS);
  const tensors = new ContainerTensors(source.name, trainer.dict_class, await readTorchFile(source));
  const shape = tensors.matrixShape(dictionary.encoder);
  const [dModel, latents] = dictionary.encoder === "W_enc" ? shape : [shape[1], shape[0]];
  for (const [field, said, found] of [
    ["activation_dim", trainer.activation_dim, dModel],
    ["dict_size", trainer.dict_size, latents],
  ] as const)
    if (said != null && said !== found)
      throw new InputError(
        `${source.name}: ${dictionary.encoder} has shape [${shape.join(", ")}], so that ${field} is ${found}; ${CONFIG} says ${said}`,
      );
  const hook = hookOf(parsed.data, where);
  return {
    info: {
      name,
      format: "dictionary-learning",
      architecture: dictionary.architecture,
      dModel,
      latents,
      ...hookInfo(hook),
    },
    dictionary,
    tensors,
    config: parsed.data,
    where,
  };
}

/**
 * The residual stream after trainer.layer, unless the submodule has the name of another place; a name that the library's
 * examples do not use stands for itself. Undefined where no layer is given.
 */
function hookOf({ trainer, buffer }: Config, where: string): string | undefined {
  const { layer, submodule_name: submodule } = trainer;
  if (Array.isArray(layer))
    throw new InputError(`${where}: layer is [${layer.slice(0, 9).join(", ")}]; only SAEs of one layer can be used`);
  if (buffer?.io != null && buffer.io !== "out")
    throw new InputError(
      `${where}: buffer.io is ${quote(buffer.io)}; only SAEs of a block's output ("out") can be used`,
    );
  if (submodule != null && !/^resid_post(?:_layer_\d+)?$/.test(submodule)) return submodule;
  return layer == null ? undefined : `blocks.${layer}.hook_resid_post`;
}

/** One threshold for all latents. */
async function oneThreshold(tensors: ContainerTensors, latents: number): Promise<SaeActivation> {
  return { kind: "jumprelu", threshold: new Float32Array(latents).fill(await tensors.scalar("threshold")) };
}

/** k of the file, which must be that of the configuration, as the library wants it; early versions stored it only there. */
async function readK(tensors: ContainerTensors, latents: number, said: number | undefined): Promise<number> {
  const [k = 0] = tensors.has("k") || said === undefined ? await tensors.integers("k") : [said];
  if (said !== undefined && k !== said)
    throw new InputError(`${tensors.file}: k is ${k}; ${CONFIG} says ${said}, so the two do not belong together`);
  if (k < 1 || k > latents)
    throw new InputError(`${tensors.file}: k is ${k}; it must be a whole number from 1 to the ${latents} latents`);
  return k;
}
