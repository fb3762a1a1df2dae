/** What a command computes on, whatever the engine: a model with what else is known of it. */
import type { Engine, Unembedding } from "../../engine/engine.js";
import type { Runtime } from "../../engine/runtime.js";
import type { Finetunable } from "../../engine/training.js";
import type { FileFolder } from "../../formats/byte-source.js";
import type { Quantisation } from "../../model/weights.js";
import type { ComputeFlags } from "../terminal/options.js";

export type ModelEngine = Engine & Unembedding;

export interface Backend {
  readonly engine: ModelEngine;
  /** Where SAE arithmetic runs. */
  readonly runtime: Runtime;
  readonly heads: number;
  /** How many weights the model has. */
  readonly parameters: number;
  /** Ids that end a reply, as config.json says. */
  readonly endIds: readonly number[];
  /** Goes into what answers are remembered by: those of one arithmetic are not those of another. */
  readonly arithmetic: string;
  /** Another checkpoint beside it, or without one the model without its adapter. */
  clean(folder: FileFolder, isBase: boolean, name: string): Promise<ModelEngine>;
  /** For training adapters on it; from then on it is only trained, until its engine is closed. */
  finetunable(): Promise<Finetunable>;
  /** Most memory taken in a process or device of its own since this was last asked, in bytes. */
  peakMemory(): Promise<number>;
}

/** Opens a checkpoint folder and an adapter; `quantize`: with its blocks' matrices brought to four bits, as a recipe asks. */
export type OpenBackend = (
  folder: FileFolder,
  adapter: FileFolder | undefined,
  name: string,
  flags: ComputeFlags,
  quantize?: Quantisation,
) => Promise<Backend>;
