/** A runtime in the test's own thread. */
import * as ort from "onnxruntime-node";
import { type OrtModule, SessionHost } from "../engine/onnx/host.js";
import { OnnxRuntime } from "../engine/onnx/onnx-runtime.js";
import type { Runtime } from "../engine/runtime.js";

export function testRuntime(): Runtime {
  const host = new SessionHost(ort as unknown as OrtModule);
  return new OnnxRuntime({ call: (request) => host.handle(request), close: async () => {} }, { threads: 1 });
}
