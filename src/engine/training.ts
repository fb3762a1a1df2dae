/** Training as both engines offer it: a weight and the optimiser's state stay with the engine, losses come back. */

/** One training sequence: the loss is the mean of −log p over the tokens from index `from` (≥ 1) on. */
export interface TrainingSequence {
  readonly ids: Int32Array;
  readonly from: number;
  /** Token ids after `from` that carry no loss are marked 0; all count where missing. Length of `ids`. */
  readonly lossMask?: Uint8Array;
}

/** How sequences share the loss: every token alike, or every sequence alike. */
export type LossMean = "tokens" | "sequences";

/** AdamW (Loshchilov & Hutter 2019); `engine/onnx/adamw.ts` is the formula. */
export interface AdamWSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Step number from 1, for the bias correction. */
  readonly step: number;
  /** Gradients are scaled down together to at most this norm; Infinity leaves them. */
  readonly maxNorm: number;
}

/** Weights and optimiser state, to go on from later. */
export interface TrainerState {
  readonly step: number;
  /** Name → values; for each weight also "<name>.m" and "<name>.v". */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

export interface Trainer {
  /** Steps taken, those of the state that it went on from included. */
  readonly step: number;
  /** Names of the trained weights, sorted. */
  readonly parameters: readonly string[];
  /**
   * One optimiser step; returns the loss before it and the gradients' norm before clipping. `rate` multiplies the learning
   * rate of a parameter.
   */
  train(
    batch: readonly TrainingSequence[],
    settings: Omit<AdamWSettings, "step">,
    mean?: LossMean,
    rate?: (name: string) => number,
  ): Promise<{ loss: number; norm: number }>;
  /** Loss of a batch without training on it. */
  loss(batch: readonly TrainingSequence[], mean?: LossMean): Promise<number>;
  /** L2 norm of the gradient of each trained weight for the sequence-mean loss; a check, not a step. */
  gradientNorms(batch: readonly TrainingSequence[]): Promise<{ loss: number; norms: Record<string, number> }>;
  /** Current values by name. */
  weights(): Promise<Map<string, Float32Array>>;
  /** Everything that is needed to go on from here. */
  state(): Promise<TrainerState>;
  /** Frees what the training took; the engine's own model is what it was before. */
  dispose(): Promise<void>;
}

/** An engine whose weights, or whose adapter's low-rank pairs ("<module>.lora_A", "<module>.lora_B"), can be trained. */
export interface TrainingEngine {
  /** A training of the weights that `isTrained` names, from their values now or from `state`. */
  trainer(isTrained: (name: string) => boolean, state?: TrainerState): Promise<Trainer>;
}

/** A linear layer of a block, which an adapter can change. */
export interface LinearModule {
  readonly name: string;
  /** What PEFT calls it. */
  readonly peftName: string;
  /** Block that it belongs to. */
  readonly layer: number;
  readonly out: number;
  readonly width: number;
}

/** A low-rank pair to start a finetuning from: W + scale · B A, A [rank, width], B [out, rank]. */
export interface StartingPair {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly rank: number;
  readonly scale: number;
}

/** A base model that adapters can be trained on. */
export interface Finetunable {
  readonly layers: number;
  /** Linear layers of the blocks. */
  readonly linears: readonly LinearModule[];
  /** The model with these pairs beside its linear layers, by module name; they are what it trains. */
  withPairs(pairs: ReadonlyMap<string, StartingPair>): Promise<TrainingEngine & { close(): Promise<void> }>;
}

/** Rows whose next token carries loss. */
export function lossRows({ ids, from, lossMask }: TrainingSequence): Int32Array {
  return Int32Array.from(ids.keys())
    .subarray(Math.max(from, 1))
    .filter((token) => !lossMask || lossMask[token])
    .map((token) => token - 1);
}

/** What each row's −log p counts, one sequence's rows after another's. */
export function lossWeights(counts: readonly number[], mean: LossMean): Float32Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Float32Array.from(
    counts.flatMap((count) =>
      new Array<number>(count).fill(mean === "tokens" ? 1 / total : 1 / (count * counts.length)),
    ),
  );
}

/** Norms are not pulled to zero, nor embeddings, most of whose rows a step does not see. */
export function decays(name: string, dimensions: number): boolean {
  return dimensions > 1 && !name.includes("embed_tokens");
}
