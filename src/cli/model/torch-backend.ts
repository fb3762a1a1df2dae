/** A PyTorch process as what a command computes on; SAE arithmetic stays with ONNX Runtime. */
import { openNodeChannel } from "../../engine/onnx/node-channel.js";
import { OnnxRuntime } from "../../engine/onnx/onnx-runtime.js";
import { startTorchProcess } from "../../engine/torch/node-process.js";
import { checkCheckpoint, openBeside, openTorch, type TorchDevice, type TorchDtype } from "../../engine/torch/open.js";
import { InputError } from "../../formats/input-error.js";
import { chosenPython } from "../terminal/options.js";
import type { OpenBackend } from "./backend.js";

export const openTorchBackend: OpenBackend = async (folder, adapter, name, flags, quantize) => {
  if (quantize === "nf4")
    throw new InputError(
      "quantize: nf4 is computed with --engine onnx; with --engine torch a recipe may say nf4-double",
    );
  const checkpoint = await checkCheckpoint(folder);
  const python = chosenPython(flags);
  const engine = await openTorch(checkpoint, adapter, startTorchProcess(python), {
    name,
    python,
    threads: flags.threads,
    device: flags.device as TorchDevice,
    dtype: flags.dtype as TorchDtype,
    quantize: quantize === undefined ? (flags.quantize ?? null) : "nf4",
  });
  const { heads, parameters } = engine.opened;
  return {
    engine,
    runtime: new OnnxRuntime(openNodeChannel(), { threads: flags.threads }),
    heads,
    parameters,
    endIds: checkpoint.endIds,
    arithmetic: `${engine.model.engine} ${engine.model.dtype}`,
    clean: async (other, isBase, cleanName) =>
      isBase
        ? openBeside(engine, await checkCheckpoint(other), undefined, cleanName)
        : engine.withoutAdapter(cleanName),
    finetunable: async () => engine,
    peakMemory: () => engine.peakMemory(),
  };
};
