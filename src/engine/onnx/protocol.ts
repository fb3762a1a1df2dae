/** What travels between the main thread and the worker that owns the sessions. */
import type { TensorData } from "../runtime.js";
import type { AdamWSettings } from "../training.js";

/** How a session is set up. */
export interface SessionSettings {
  readonly threads: number;
  /** Folder for external data; "/" makes every file of the machine addressable by its real path. */
  readonly externalFolder?: string;
  /** Weights stay memory-mapped: no pre-packing, no graph optimisation, no arena. */
  readonly lean: boolean;
  readonly device: string;
  /** Runs may go to any lane: nothing that a run makes is needed by another. */
  readonly apart: boolean;
}

/** One resident parameter to update from its resident gradient. */
export interface ParameterUpdate {
  readonly name: string;
  readonly gradient: string;
  readonly decay: boolean;
  /** Multiplies the learning rate. */
  readonly rate: number;
}

export type Request =
  | { readonly op: "create"; readonly session: number; readonly model: Uint8Array; readonly settings: SessionSettings }
  | {
      readonly op: "run";
      readonly session: number;
      readonly feeds: Readonly<Record<string, TensorData | { readonly resident: string }>>;
      readonly outputs: readonly string[];
      readonly keep: Readonly<Record<string, string>>;
    }
  | { readonly op: "release"; readonly session: number }
  | { readonly op: "put"; readonly name: string; readonly tensor: TensorData }
  | { readonly op: "take"; readonly names: readonly string[] }
  | { readonly op: "drop"; readonly names: readonly string[] }
  | {
      /** AdamW over resident tensors. State is resident too, under "<name>.m" and "<name>.v". */
      readonly op: "adamw";
      readonly parameters: readonly ParameterUpdate[];
      readonly settings: AdamWSettings;
    };

/** Answer to "run" and "take": tensors by name. To "adamw": the gradients' norm before clipping. */
export type Answer = { readonly tensors?: Record<string, TensorData>; readonly norm?: number };

/** Sends a request to wherever the sessions live and resolves with its answer. */
export interface Channel {
  /** How many requests may be computed at once; 1 where missing. */
  readonly lanes?: number;
  call(request: Request): Promise<Answer>;
  close(): Promise<void>;
}
