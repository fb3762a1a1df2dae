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

  /** How many runs of programs that stand apart are computed at once. */
  get lanes(): number {
    return this.channel.lanes ?? 1;
  }

  /**
   * Writes the graph as ONNX and creates its session. Graphs that map weight files run lean (see SessionSettings). `apart`: runs
   * depend on their feeds alone, so several are computed at once where there are lanes, each with its share of the
   * threads; large models, which are the mapped ones, keep all threads to one run.
   */
  async compile(graph: Graph, { apart = false }: { apart?: boolean } = {}): Promise<Program> {
    const session = this.sessions++;
    const mapped = [...graph.initializers.values()].some((values) => "file" in values);
    const split = apart && !mapped && this.lanes > 1;
    const settings: SessionSettings = {
      threads: split ? Math.max(1, Math.floor(this.options.threads / this.lanes)) : this.options.threads,
      device: this.options.device ?? "cpu",
      lean: mapped,
      apart: split,
      ...(mapped ? { externalFolder: "/" } : {}),
    };
    await this.channel.call({ op: "create", session, model: writeOnnx(graph), settings });
    const inputs = new Set(neededInputs(graph));
    const names = [...graph.outputs.keys()];
    return {
      lanes: split ? this.lanes : 1,
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
