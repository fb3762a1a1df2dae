/**
 * Owns ONNX Runtime sessions and resident tensors; runs inside a worker because `run` blocks its thread. The ONNX
 * Runtime module is passed in: onnxruntime-node here, onnxruntime-web in a browser.
 */
import type { InferenceSession, Tensor } from "onnxruntime-common";
import type { TensorData } from "../runtime.js";
import { adamw } from "./adamw.js";
import type { Answer, Request, SessionSettings } from "./protocol.js";

export interface OrtModule {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (type: Tensor.Type, data: TensorData["data"], dims: readonly number[]) => Tensor;
}

export class SessionHost {
  private readonly sessions = new Map<number, InferenceSession>();
  private readonly resident = new Map<string, TensorData>();

  constructor(private readonly ort: OrtModule) {}

  /** Carries out one request. */
  async handle(request: Request): Promise<Answer> {
    switch (request.op) {
      case "create":
        this.sessions.set(
          request.session,
          await this.ort.InferenceSession.create(request.model, sessionOptions(request.settings)),
        );
        return {};
      case "run":
        return { tensors: await this.run(request) };
      case "release":
        await this.sessions.get(request.session)?.release();
        this.sessions.delete(request.session);
        return {};
      case "put":
        this.resident.set(request.name, request.tensor);
        return {};
      case "take":
        return { tensors: Object.fromEntries(request.names.map((name) => [name, this.tensor(name)])) };
      case "drop":
        for (const name of request.names) this.resident.delete(name);
        return {};
      case "adamw":
        return {
          norm: adamw(
            request.parameters,
            request.settings,
            (name) => this.values(name),
            (name, length) => this.state(name, length),
          ),
        };
    }
  }

  private async run({
    session: id,
    feeds,
    outputs,
    keep,
  }: Request & { op: "run" }): Promise<Record<string, TensorData>> {
    const session = this.sessions.get(id);
    if (!session) throw new Error(`no session ${id}`);
    const inputs: Record<string, Tensor> = {};
    for (const [name, feed] of Object.entries(feeds)) {
      const { type, data, dims } = "resident" in feed ? this.tensor(feed.resident) : feed;
      inputs[name] = new this.ort.Tensor(type, data, dims);
    }
    const results = await session.run(inputs, [...outputs, ...Object.keys(keep)]);
    const answer: Record<string, TensorData> = {};
    for (const [name, tensor] of Object.entries(results)) {
      const value = { type: tensor.type, dims: tensor.dims, data: tensor.data } as TensorData;
      const kept = keep[name];
      if (kept !== undefined) this.resident.set(kept, value);
      else answer[name] = value;
    }
    return answer;
  }

  private tensor(name: string): TensorData {
    const tensor = this.resident.get(name);
    if (!tensor) throw new Error(`no resident tensor ${name}`);
    return tensor;
  }

  private values(name: string): Float32Array {
    return this.tensor(name).data as Float32Array;
  }

  private state(name: string, length: number): Float32Array {
    const known = this.resident.get(name);
    if (known) return known.data as Float32Array;
    const data = new Float32Array(length);
    this.resident.set(name, { type: "float32", dims: [length], data });
    return data;
  }
}

/**
 * Values under `extra` must be strings: onnxruntime-node ignores others. Threads that wait without spinning cost nothing
 * measurable on an idle machine, and a second busy program no longer slows everything threefold.
 */
function sessionOptions(settings: SessionSettings): InferenceSession.SessionOptions {
  const session: Record<string, string> = { "intra_op.allow_spinning": "0" };
  if (settings.externalFolder) session.model_external_initializers_file_folder_path = settings.externalFolder;
  if (settings.lean) session.disable_prepacking = "1";
  return {
    executionProviders: [settings.device],
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: settings.lean ? "disabled" : "all",
    enableCpuMemArena: !settings.lean,
    enableMemPattern: false, // shapes differ between runs
    logSeverityLevel: 4, // errors are thrown; the runtime's own lines would only stand beside the message
    extra: { session },
  };
}
