/** Opens a checkpoint folder (and an adapter) as an engine. Nothing here knows of Node: folders and channel are passed in. */
import type { FileFolder } from "../../formats/byte-source.js";
import { InputError } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { CHECKPOINT_WEIGHTS, openWeightFiles } from "../../formats/weight-files.js";
import { loadAdapter, withAdapter } from "../../model/adapter.js";
import { parseConfig } from "../../model/config.js";
import { mergeAdapter } from "../../model/merge-adapter.js";
import { withOwnHead } from "../../model/own-head.js";
import { namedTensors } from "../../model/weight-names.js";
import { loadWeights, type Quantisation } from "../../model/weights.js";
import { OnnxEngine } from "./onnx-engine.js";
import { OnnxRuntime } from "./onnx-runtime.js";
import type { OpenModel } from "./programs.js";
import type { Channel } from "./protocol.js";

/** A config.json is a few KiB; this bounds a hostile one. */
const MAX_CONFIG_BYTES = 4 << 20;

/** Reads geometry and weights, with the adapter applied. `quantise`: the blocks' matrices are brought to four bits first. */
export async function openCheckpoint(
  folder: FileFolder,
  adapter?: FileFolder,
  quantise: Quantisation | null = null,
): Promise<OpenModel> {
  if (!(await folder.has("config.json")))
    throw new InputError(`${folder.name}: no config.json; expected a Hugging Face checkpoint folder`);
  const file = await folder.open("config.json");
  const said = parseConfig(await readJson(file, MAX_CONFIG_BYTES), file.name);
  const tensors = namedTensors(said, await openWeightFiles(folder, CHECKPOINT_WEIGHTS));
  const config = await withOwnHead(said, tensors);
  const weights = await loadWeights(config, tensors, folder.name, quantise);
  if (!adapter) return { config, weights, adapter: new Map() };
  return mergeAdapter(withAdapter({ config, weights }, await loadAdapter(adapter, config)));
}

export interface EngineOptions {
  readonly name: string;
  readonly threads: number;
  readonly device?: string;
}

/** An engine over an opened model; `channel` is where its sessions live. */
export function onnxEngine(opened: OpenModel, channel: Channel, options: EngineOptions): OnnxEngine {
  const device = options.device ?? "cpu";
  const runtime = new OnnxRuntime(channel, { threads: options.threads, device });
  const { dModel, layers, vocabulary } = opened.config;
  return new OnnxEngine(
    { name: options.name, dModel, layers, vocabulary, dtype: "f32", engine: `onnx/${device}` },
    opened,
    runtime,
  );
}
