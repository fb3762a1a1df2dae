/**
 * The seam between the audit and the steering methods: a method goes in by name and comes out as directions whose
 * latents are scored. The caller binds this to the registry of methods.
 */
import type { Engine } from "../../engine/engine.js";
import type { Sequence } from "../../model/sequence.js";
import type { Sae } from "../../sae/sae.js";
import type { Action } from "./action.js";

export interface MethodCall {
  /** What the sequences work towards, and by which a direction is judged. */
  readonly action: Action;
  readonly layer: number;
  /** [latents] typical activation of each latent on ordinary text, all positive (`sae/units.ts`). */
  readonly typical: Float32Array;
  readonly seed: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** One direction that a method found. */
export interface FoundDirection {
  /** [dModel], to be added with scale 1; of a method that takes one gradient, that gradient. */
  readonly vector: Float32Array;
  /** [latents] larger = more for the action. */
  readonly scores: Float32Array;
  /** [latents] what scores are times to be worth each latent as it usually fires; null where they are in such units already. */
  readonly typical: Float32Array | null;
  readonly loss: { readonly initial: number; readonly final: number };
  readonly steps: number;
}

export interface MethodRunner {
  readonly name: string;
  /** Whether it takes one gradient and no steps: then it is asked again on prompts that hold half a trigger. */
  readonly oneGradient?: boolean;
  /** The method's score of any directions, where it has one: `Method.scoreDirections` with the runner's options. */
  readonly scoreDirections?: (sae: Sae, directions: Float32Array) => Promise<Float32Array>;
  /** Runs on ordinary prompts with the action in every sequence. Deterministic for a seed. */
  run(engine: Engine, sequences: readonly Sequence[], call: MethodCall): Promise<readonly FoundDirection[]>;
}
