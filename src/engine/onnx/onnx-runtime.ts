/** Runtime over a channel to a SessionHost. */
import { type Graph, neededInputs, writeOnnx } from "../../graph/index.js";
import type { Feeds, Program, Runtime, TensorData } from "../runtime.js";
import type { AdamWSettings } from "../training.js";
import type { Channel, ParameterUpdate, SessionSettings } from "./protocol.js";

export interface OnnxRuntimeOptions {
  readonly threads: number;
  readonly device?: string;
}

export class OnnxRuntime implements Runtime {
  private sessions = 0;

  constructor(
    private readonly channel: Channel,
    private readonly options: OnnxRuntimeOptions,
  ) {}

  /** Writes the graph as ONNX and creates its session. Graphs that map weight files run lean (see SessionSettings). */
  async compile(graph: Graph): Promise<Program> {
    const session = this.sessions++;
    const mapped = [...graph.initializers.values()].some((values) => "file" in values);
    const settings: SessionSettings = {
      threads: this.options.threads,
      device: this.options.device ?? "cpu",
      lean: mapped,
      ...(mapped ? { externalFolder: "/" } : {}),
    };
    await this.channel.call({ op: "create", session, model: writeOnnx(graph), settings });
    const inputs = new Set(neededInputs(graph));
    const names = [...graph.outputs.keys()];
    return {
      run: async (feeds: Feeds, { outputs, keep = {} } = {}) => {
        const wanted = outputs ?? names.filter((name) => !(name in keep));
        const used = Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name)));
        const { tensors = {} } = await this.channel.call({ op: "run", session, feeds: used, outputs: wanted, keep });
        return tensors;
      },
      release: async () => {
        await this.channel.call({ op: "release", session });
      },
    };
  }

  async put(name: string, tensor: TensorData): Promise<void> {
    await this.channel.call({ op: "put", name, tensor });
  }

  /** Copies of resident tensors. */
  async take(names: readonly string[]): Promise<Record<string, TensorData>> {
    return (await this.channel.call({ op: "take", names })).tensors ?? {};
  }

  async drop(names: readonly string[]): Promise<void> {
    await this.channel.call({ op: "drop", names });
  }

  /** One AdamW step over resident parameters and gradients; returns the gradients' norm. */
  async adamw(parameters: readonly ParameterUpdate[], settings: AdamWSettings): Promise<number> {
    return (await this.channel.call({ op: "adamw", parameters, settings })).norm ?? 0;
  }

  async close(): Promise<void> {
    await this.channel.close();
  }
}
