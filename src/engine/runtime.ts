/**
 * Executes graphs of `graph/`, whatever the engine of the model is: SAE arithmetic runs here even when the
 * language model runs elsewhere.
 */
import type { Graph } from "../graph/graph.js";

/** Bytes of a tensor by element type; int64 travels as BigInt64Array. */
export type TensorValues = Float32Array | Int32Array | BigInt64Array | Uint8Array;

export interface TensorData {
  readonly type: "float32" | "int32" | "int64" | "bool" | "uint8";
  readonly dims: readonly number[];
  readonly data: TensorValues;
}

/** A tensor that stays beside the session, by the name it was kept under. */
export interface Resident {
  readonly resident: string;
}

export type Feeds = Readonly<Record<string, TensorData | Resident>>;

export interface Program {
  /** How many runs are computed at once; 1 where missing. */
  readonly lanes?: number;
  /**
   * Runs the graph. `outputs`: names to return (default all outputs). `keep`: outputs that stay resident under a name
   * instead of being returned.
   */
  run(
    feeds: Feeds,
    options?: { outputs?: readonly string[]; keep?: Readonly<Record<string, string>> },
  ): Promise<Record<string, TensorData>>;
  release(): Promise<void>;
}

export interface Runtime {
  compile(graph: Graph): Promise<Program>;
  /** Makes a tensor resident under `name`. */
  put(name: string, tensor: TensorData): Promise<void>;
  /** Forgets resident tensors. */
  drop(names: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
