/**
 * The one interface between methods and whatever computes: a method never knows which engine it runs on.
 * All arithmetic results are f32 unless a result says otherwise; all token ids and indices are integers.
 */
import type { Sequence } from "../model/sequence.js";

/** Geometry of the opened model. */
export interface ModelInfo {
  /** What the user called it. */
  readonly name: string;
  /** Width of the residual stream. */
  readonly dModel: number;
  /** Number of decoder blocks; `layer` runs 0 … layers − 1 and means the residual stream after that block. */
  readonly layers: number;
  readonly vocabulary: number;
  /** Arithmetic type of activations, for example "f32". */
  readonly dtype: string;
  /** Name of the engine and device, for example "onnx/cpu". */
  readonly engine: string;
}

/** Adds `scale · vector` to the residual stream after block `layer` at every masked prompt token. */
export interface Steering {
  readonly layer: number;
  /** [dModel] */
  readonly vector: Float32Array;
  readonly scale?: number;
  /** Also at every token that follows the prompt: the action's, or the reply's as it is written. */
  readonly afterPrompt?: boolean;
}

/** Options every long call takes. */
export interface CallOptions {
  /** Called with the number of sequences done and their total. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Aborting rejects the call with the signal's reason after the computation under way. */
  readonly signal?: AbortSignal;
}

/** Teacher-forced scores of one sequence's action. */
export interface Score {
  /** log p of each action token, nats. */
  readonly tokenLogprobs: Float32Array;
  /** Whether greedy decoding after the prompt would produce exactly the action (decided from the same pass). */
  readonly greedyMatch: boolean;
}

/** Residual stream of one sequence's prompt. */
export interface Residual {
  /** [rows, dModel] */
  readonly values: Float32Array;
  /** Prompt token index of each row. */
  readonly tokens: Int32Array;
}

/** Rows that stand in for the residual stream after block `layer`. */
export interface Splice {
  readonly layer: number;
  /** For each sequence, in their order. */
  readonly rows: readonly Residual[];
}

/** Value and gradient of a steering objective for `count` vectors. */
export interface Evaluation {
  /** [count] the objective's value. */
  readonly losses: Float64Array;
  /** [count, dModel] gradient of each vector's loss with respect to that vector. */
  readonly gradients: Float32Array;
}

/**
 * θ → (loss, ∂loss/∂θ), where θ is added after block `layer` at every masked prompt token of every sequence. Everything that
 * θ cannot change is computed once, when the objective is made.
 */
export interface Objective {
  readonly layer: number;
  readonly sequences: number;
  /** Evaluates `count` vectors at once; `theta` is [count, dModel]. */
  evaluate(theta: Float32Array, count?: number): Promise<Evaluation>;
  /** Frees what was cached. */
  dispose(): Promise<void>;
}

/** How likely the action is: loss = mean over sequences of the mean over action tokens of −log p. */
export interface SteeringObjective extends Objective {
  /**
   * At θ = 0: per sequence, the mean over its masked tokens of ∂(that sequence's loss)/∂(residual), [sequences, dModel],
   * and the losses [sequences].
   */
  attribute(): Promise<{ losses: Float64Array; gradients: Float32Array }>;
}

/**
 * A measure of how much θ changes the residual stream after a later block (MELBO, Mack & Turner 2024). With
 * Δ_x(θ) = Z_x(θ) − Z_x(0), one row for each masked token of sequence x:
 *   "token":  loss = −Σ_x (Σ_t ‖Δ_{x,t}‖₂ᵖ)^{1/q}      norms of tokens (rows), as the post writes it
 *   "unit":   loss = −Σ_x (Σ_j ‖Δ_{x,·j}‖₂ᵖ)^{1/q}     norms of hidden units (columns), as the published code has it
 * At p = 2 both are the squared Frobenius norm to the power 1/q.
 */
export interface LayerChange {
  /** Block whose output is compared; above the steered one. */
  readonly targetLayer: number;
  readonly p: number;
  readonly q: number;
  readonly norm: "token" | "unit";
}

/** How much a later layer changes. Where a norm is zero (so at θ = 0) its gradient is taken as zero. */
export interface LayerChangeObjective extends Objective {
  readonly measure: LayerChange;
  /** Root mean square over the masked tokens of ‖Z(0)‖₂ at the target layer: the scale of what is changed. */
  readonly unsteeredNorm: number;
  /** Δ(θ), the rows of all sequences one after another: [masked tokens, dModel]. */
  change(theta: Float32Array): Promise<Float32Array>;
  /** J v with J = ∂Δ/∂θ at θ = 0, exact: [masked tokens, dModel]. */
  jacobianProduct(v: Float32Array): Promise<Float32Array>;
}

export interface GenerateOptions extends CallOptions {
  readonly maxTokens: number;
  /** 0 = greedy. */
  readonly temperature?: number;
  /** Nucleus mass in (0, 1]; 1 = everything. */
  readonly topP?: number;
  /** Seed of the sampler; sequence i draws from its own stream, so batching never changes a reply. */
  readonly seed?: number;
  /** Token ids that end a reply; kept as the reply's last token. */
  readonly stop: readonly number[];
  readonly steering?: Steering;
}

export interface Reply {
  /** The new token ids, the stopping one included. */
  readonly tokens: Int32Array;
  /** Whether an end token was produced before maxTokens ran out. */
  readonly stopped: boolean;
}

/** Tokens that passed through the model since it was opened; what budgets are counted in. */
export interface Cost {
  forwardTokens: number;
  backwardTokens: number;
}

/** The way from the residual stream to the vocabulary, for reading directions; an engine may have it or not. */
export interface Unembedding {
  readonly model: ModelInfo;
  /**
   * What directions [n, dModel] of the last residual stream add to the logits, [n, vocabulary], but for a positive factor that
   * depends on the token: W_U (w ⊙ direction), w the final norm's weight (`model/decoder.ts`, logitLens).
   */
  logitLens(directions: Float32Array): Promise<Float32Array>;
}

export interface Engine {
  readonly model: ModelInfo;
  /** Running totals. */
  readonly cost: Readonly<Cost>;
  /** Residual stream after block `layer` at prompt tokens: the masked ones, or all of them. Actions are ignored. */
  residuals(
    sequences: readonly Sequence[],
    layer: number,
    options?: CallOptions & { positions?: "masked" | "all" },
  ): Promise<Residual[]>;
  /** Teacher-forced scores of each sequence's action (which must not be empty). */
  score(sequences: readonly Sequence[], options?: CallOptions & { steering?: Steering }): Promise<Score[]>;
  /**
   * log p of each prompt token after the first, given those before it, nats: [prompt.length − 1] a sequence. Actions are
   * ignored. With `splice` as the model goes on from those rows.
   */
  textLogprobs(sequences: readonly Sequence[], options?: CallOptions & { splice?: Splice }): Promise<Float32Array[]>;
  /** Prepares θ → (loss, gradient); every sequence needs an action and at least one masked token. */
  steeringObjective(sequences: readonly Sequence[], layer: number, options?: CallOptions): Promise<SteeringObjective>;
  /** Prepares θ → (loss, gradient) of a later layer's change; actions are ignored, every sequence needs a masked token. */
  layerChangeObjective(
    sequences: readonly Sequence[],
    layer: number,
    measure: LayerChange,
    options?: CallOptions,
  ): Promise<LayerChangeObjective>;
  /** Replies after each prompt (actions are ignored). */
  generate(sequences: readonly Sequence[], options: GenerateOptions): Promise<Reply[]>;
  /** Ends workers and frees memory. The engine cannot be used afterwards. */
  close(): Promise<void>;
}
