/** Opens a checkpoint folder (and an adapter) in a PyTorch process. Nothing here knows of Node: folders and process are passed in. */
import { z } from "zod";
import type { FileFolder } from "../../formats/byte-source.js";
import { InputError, quote } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { readSafetensorsHeader } from "../../formats/safetensors.js";
import { firstWrong } from "../../formats/shape.js";
import { openWeightFiles, SAFETENSORS_WEIGHTS } from "../../formats/weight-files.js";
import { refuseCostlyPatterns } from "../../model/adapter-config.js";
import { TorchClient } from "./client.js";
import { TorchEngine } from "./torch-engine.js";
import type { Transport } from "./transport.js";

/** config.json and adapter_config.json are a few KiB; this bounds hostile ones. */
const MAX_CONFIG_BYTES = 4 << 20;
/** Well above any real dense model: a crafted config must not make PyTorch reserve the machine's memory. */
const size = z
  .number()
  .int()
  .positive()
  .max(1 << 24);

/** What is read of config.json here: transformers reads the rest, whatever the family. */
const configShape = z.looseObject({
  model_type: z.string(),
  hidden_size: size.nullish(),
  num_hidden_layers: size.max(4096).nullish(),
  intermediate_size: size.nullish(),
  vocab_size: size.nullish(),
  num_attention_heads: size.nullish(),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
});

const patterns = z.record(z.string(), z.number()).nullish();
const adapterShape = z.looseObject({
  peft_type: z.string(),
  target_modules: z.unknown().optional(),
  rank_pattern: patterns,
  alpha_pattern: patterns,
  alora_invocation_tokens: z.unknown().optional(),
});
/** A pattern over module names, which peft matches as a regular expression: real ones have some hundred characters. */
const MAX_TARGET_PATTERN = 4096;

const openedShape = z.object({
  model: z.number(),
  dModel: z.number(),
  layers: z.number(),
  vocabulary: z.number(),
  heads: z.number(),
  ff: z.number(),
  parameters: z.number(),
  linears: z.array(z.object({ name: z.string(), layer: z.number(), out: z.number(), width: z.number() })),
  /** Weights of the model in f32, which can be trained. */
  weights: z.array(z.object({ name: z.string(), dimensions: z.number() })),
  freeBytes: z.number().nullable(),
  devices: z.number(),
});

/** A model as the process knows it. */
export type TorchModel = z.infer<typeof openedShape>;

export type TorchDevice = "cpu" | "cuda";
export type TorchDtype = "f32" | "f16" | "bf16";

export interface TorchOptions {
  readonly name: string;
  /** Interpreter, for messages; `transport` is what it runs. */
  readonly python: string;
  readonly threads: number;
  readonly device: TorchDevice;
  /** Type of weights and activations. */
  readonly dtype: TorchDtype;
  /** Weights in 4 bits (NF4, Dettmers et al. 2023). */
  readonly quantize: "nf4" | null;
}

/** A checkpoint that was looked at: enough to know that PyTorch may be shown it. */
export interface CheckedCheckpoint {
  readonly folder: FileFolder;
  readonly path: string;
  /** End ids as config.json says. */
  readonly endIds: readonly number[];
}

/**
 * Looks at a checkpoint folder as far as is safe and cheap: its config and the headers of its safetensors files. PyTorch is only
 * shown what passes, so that no pickle and no code of a checkpoint is ever read.
 */
export async function checkCheckpoint(folder: FileFolder): Promise<CheckedCheckpoint> {
  if (folder.path === undefined) throw new InputError(`${folder.name}: lies on no disk; --engine torch opens folders`);
  if (!(await folder.has("config.json")))
    throw new InputError(`${folder.name}: no config.json; expected a Hugging Face checkpoint folder`);
  const file = await folder.open("config.json");
  const parsed = configShape.safeParse(await readJson(file, MAX_CONFIG_BYTES));
  if (!parsed.success) {
    throw new InputError(`${file.name}: ${firstWrong(parsed.error, "config")}`);
  }
  await openWeightFiles(folder, SAFETENSORS_WEIGHTS);
  const { eos_token_id: end } = parsed.data;
  return { folder, path: folder.path, endIds: end == null ? [] : [end].flat() };
}

async function checkAdapter(folder: FileFolder): Promise<string> {
  const file = await folder.open("adapter_config.json");
  const parsed = adapterShape.safeParse(await readJson(file, MAX_CONFIG_BYTES));
  if (!parsed.success) {
    throw new InputError(`${file.name}: ${firstWrong(parsed.error, "config")}`);
  }
  if (parsed.data.alora_invocation_tokens != null)
    throw new InputError(`${file.name}: ${quote("alora_invocation_tokens")} is not supported; give a plain adapter`);
  refuseCostlyPatterns(parsed.data, file.name);
  const { target_modules: target } = parsed.data;
  // A repetition of repetitions can take for ever.
  if (typeof target === "string" && (target.length > MAX_TARGET_PATTERN || /\)[*+{]/.test(target)))
    throw new InputError(`${file.name}: target_modules ${quote(target)} is too involved; list the modules' names`);
  if (!(await folder.has("adapter_model.safetensors")))
    throw new InputError(`${folder.name}: no adapter_model.safetensors; a PEFT adapter folder has one`);
  await readSafetensorsHeader(await folder.open("adapter_model.safetensors"));
  if (folder.path === undefined) throw new InputError(`${folder.name}: lies on no disk; --engine torch opens folders`);
  return folder.path;
}

/** Starts nothing: `transport` is a process that was started. Its engine closes it. */
export async function openTorch(
  checkpoint: CheckedCheckpoint,
  adapter: FileFolder | undefined,
  transport: Transport,
  options: TorchOptions,
): Promise<TorchEngine> {
  const adapterPath = adapter ? await checkAdapter(adapter) : null;
  const { client, installation } = await TorchClient.connect(transport, options.python);
  try {
    const opened = await openIn(client, checkpoint, adapterPath, adapter?.name ?? null, options);
    return new TorchEngine(client, opened, options, installation);
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function openIn(
  client: TorchClient,
  { path }: CheckedCheckpoint,
  adapter: string | null,
  adapterName: string | null,
  options: TorchOptions,
): Promise<TorchModel> {
  const { name, threads, device, dtype, quantize } = options;
  const { answer } = await client.call("open", { path, name, adapter, adapterName, device, dtype, quantize, threads });
  return openedShape.parse(answer);
}

/** Another model in the process of `engine`: the clean model of a full finetune, say. Closing it leaves the process alone. */
export async function openBeside(
  engine: TorchEngine,
  checkpoint: CheckedCheckpoint,
  adapter: FileFolder | undefined,
  name: string,
): Promise<TorchEngine> {
  const { client, installation, options } = engine;
  const adapterPath = adapter ? await checkAdapter(adapter) : null;
  const opened = await openIn(client, checkpoint, adapterPath, adapter?.name ?? null, { ...options, name });
  return new TorchEngine(client, opened, { ...options, name }, installation, false);
}
