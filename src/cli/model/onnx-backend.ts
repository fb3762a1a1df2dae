/** ONNX Runtime as what a command computes on. */
import { onnxFinetunable } from "../../engine/onnx/finetunable.js";
import { laneChannel } from "../../engine/onnx/lanes.js";
import { openNodeChannel } from "../../engine/onnx/node-channel.js";
import { OnnxEngine } from "../../engine/onnx/onnx-engine.js";
import { onnxEngine, openCheckpoint } from "../../engine/onnx/open.js";
import type { OpenBackend } from "./backend.js";

/** Lanes of a small model's programs on processors; more divide batches further than they gain. */
const LANES = 2;

export const openOnnxBackend: OpenBackend = async (folder, adapter, name, { threads, device }, quantize) => {
  const opened = await openCheckpoint(folder, adapter, quantize ?? null);
  const options = { name, threads, device };
  const engine = onnxEngine(
    opened,
    laneChannel(openNodeChannel, device === "cpu" ? Math.min(threads, LANES) : 1),
    options,
  );
  return {
    engine,
    runtime: engine.runtime,
    heads: opened.config.heads,
    parameters: [...opened.weights.values()].reduce(
      (count, { shape }) => count + shape.reduce((product, n) => product * n, 1),
      0,
    ),
    endIds: opened.config.endIds,
    arithmetic: "",
    // It computes in the suspect's runtime.
    clean: async (other, _isBase, cleanName) => {
      const checkpoint = await openCheckpoint(other);
      const { dModel, layers, vocabulary } = checkpoint.config;
      return new OnnxEngine(
        { ...engine.model, dModel, layers, vocabulary, name: cleanName },
        checkpoint,
        engine.runtime,
      );
    },
    finetunable: async () => {
      await engine.close(); // a training has sessions of its own
      return onnxFinetunable(opened, openNodeChannel, options);
    },
    peakMemory: async () => 0, // its threads are part of this process
  };
};
