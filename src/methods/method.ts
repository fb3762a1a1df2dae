/**
 * What every method takes and gives. d = width of the residual stream, m = latents of the SAE.
 */
import type { LayerChangeObjective, SteeringObjective } from "../engine/engine.js";
import type { Sae } from "../sae/sae.js";

/** What an objective measures; the caller prepares the kind that `Method.objective` names. */
export type ObjectiveKind = "cross-entropy" | "layer-change";

/** How an objective is minimised: Adam (the post), or proximal gradient steps with a line search (`proximal.ts`). */
export type Optimizer = "adam" | "proximal";

/** Every option of every method; a method reads the ones it lists in `options`, and the rest must not be given. */
export interface MethodOptions {
  /** Cap on optimiser steps for each vector, a λ path included. */
  readonly steps?: number;
  /** How many mutually orthogonal vectors. */
  readonly vectors?: number;
  /** Weight of the norm penalty. Not given: found by a path. */
  readonly lambda?: number;
  /** Fixed norm of θ, in residual units; in SAE space a penalty stands beside it. */
  readonly radius?: number;
  /** Adam's learning rate, in units of the optimised coordinates. */
  readonly learningRate?: number;
  /** Seed of random starts. */
  readonly seed?: number;
  /** Let latents be negative too. */
  readonly signed?: boolean;
  /** Coordinates of z: each latent's typical activation, or raw activations. */
  readonly units?: "typical" | "raw";
  /** Which rows of the SAE read a residual vector. */
  readonly readBy?: "encoder" | "decoder";
  /** Score with decoder rows of unit norm instead of as the SAE's own library holds them. */
  readonly unitNorm?: boolean;
  /** Adam where not given. */
  readonly optimizer?: Optimizer;
  /** Stop a run after so many steps without progress; not given: never. */
  readonly patience?: number;
  /** The post's formulas, or the published code's arithmetic. */
  readonly variant?: "post" | "published";
  /** Power of each norm in a layer's change; shapes the objective (`layer-change.ts`). */
  readonly p?: number;
  /** Root over the sum of a prompt's powers; shapes the objective. */
  readonly q?: number;
  /** Block whose output is compared; shapes the objective. */
  readonly targetLayer?: number;
}

/** One step's line in the log. */
export interface StepLog {
  /** Evaluations made before this one: 0 is the start. */
  readonly step: number;
  /** The objective without its penalty: nats for cross-entropy, minus the change for a layer's change. */
  readonly loss: number;
  /** λ · penalty. */
  readonly penalty: number;
  /** λ in force. */
  readonly lambda: number;
  /** ‖θ‖₂, residual units. */
  readonly norm: number;
  /** Non-zero coordinates of what is optimised: of z in SAE space, of θ elsewhere. */
  readonly nonZero: number;
}

/** Non-zero latents of a found vector, ids ascending. */
export interface SparseVector {
  readonly ids: Int32Array;
  /** Raw activation units: θ = Σ values · decoder rows (times `MethodInput.unitLengths`), less what orthogonality removed. */
  readonly values: Float32Array;
  /** The same in units of each latent's typical activation; equal to `values` where raw units were asked for. */
  readonly inUnits: Float32Array;
}

export interface FoundVector {
  /** 0, 1, … in the order found. */
  readonly index: number;
  /** θ [d], residual units: what is added to the residual stream. */
  readonly vector: Float32Array;
  /** The latents, where the method works in SAE space. */
  readonly z: SparseVector | null;
  /** ‖θ‖₂ */
  readonly norm: number;
  /** Objective without penalty at `vector`, and before: unsteered (θ = 0), or at the random start of a layer's change. */
  readonly loss: { readonly initial: number; readonly final: number };
  /** Evaluations after the start. */
  readonly steps: number;
  /** λ that produced the vector, null where there was no penalty. */
  readonly lambda: number | null;
  /** Whether the vector elicits the action by the method's criterion; null where that is not asked. */
  readonly elicits: boolean | null;
  readonly log: readonly StepLog[];
  /** Score of every latent [m], largest = most suspect (of a signed coordinate its size; the sign is `z`'s); null without an SAE. What it means: the method's `score`. */
  readonly scores: Float32Array | null;
}

/** Judges a vector by behaviour: the greedy action rate, 0 … 1, under θ [d]. */
export type ElicitationRate = (theta: Float32Array) => Promise<number>;

export interface MethodInput {
  readonly objective: SteeringObjective | LayerChangeObjective;
  /** d, width of the residual stream. */
  readonly dModel: number;
  readonly sae?: Sae | undefined;
  /** Typical activation of each latent [m], all positive (`sae/units.ts`); needed for `units: "typical"`. */
  readonly typicalActivation?: Float32Array | undefined;
  /** Decoder rows that one unit of each latent adds [m] (`Sae.unitLengths`), on the rows that are steered; 1 where not given. */
  readonly unitLengths?: Float32Array | undefined;
  readonly options?: MethodOptions | undefined;
  /** Random starts to use in place of drawn ones, [d] for each vector: another program's run can be repeated. */
  readonly starts?: readonly Float32Array[] | undefined;
  /** Where given, decides which λ of a path elicits. */
  readonly elicitation?: ElicitationRate | undefined;
  /** Objective evaluations done and their cap; a search for the radius comes first and counts for itself. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Every evaluation, as it is made. */
  readonly onStep?: ((vector: number, entry: StepLog) => void) | undefined;
  /** Aborting rejects with the signal's reason after the evaluation under way. */
  readonly signal?: AbortSignal | undefined;
}

export interface MethodResult {
  readonly vectors: readonly FoundVector[];
  /** Every value that shaped the result, defaults and found ones included. */
  readonly hyperparameters: Readonly<Record<string, number | string | boolean | null>>;
}

export interface Method {
  readonly name: string;
  /** One sentence for help and reports. */
  readonly summary: string;
  /** What `scores` means, for reports. */
  readonly score: string;
  /** Objective that `run` expects. */
  readonly objective: ObjectiveKind;
  /** Whether an SAE is needed, or only used to read the vectors. */
  readonly sae: "required" | "optional";
  /** Options that mean something to this method. */
  readonly options: readonly (keyof MethodOptions)[];
  /**
   * `scores` of any directions [k, d], [k, m], where the score is a product with the SAE's rows: how a random direction is
   * scored, as a control. Absent where a score is a coordinate that only a search gives.
   */
  scoreDirections?(sae: Sae, directions: Float32Array, options: MethodOptions): Promise<Float32Array>;
  /** Throws InputError on options outside their range, an option that is not the method's, or a missing SAE. */
  run(input: MethodInput): Promise<MethodResult>;
}
