/**
 * Trains an SAE with BatchTopK (Bussmann, Leask, Nanda 2024) and turns it into a JumpReLU SAE, as SAELens does.
 *
 *   x ← s · row,  s = √d / mean ‖row‖        (undone in the result)
 *   p  = (x − b_dec) W_enc + b_enc           [B, m]
 *   f  = p where p is among the k·B largest positive entries of the batch, else 0
 *   x̂  = f W_dec + b_dec
 *   loss = mean over the batch of ‖x − x̂‖² + AUXILIARY · mean ‖(x − x̂) − ê‖²
 *
 * ê is what latents that have not fired for a while make of the error (the k_aux largest of them a row, Gao et al. 2024);
 * it revives them. Decoder rows have norm 1: the gradient along a row is taken out, and rows are rescaled after each step.
 *
 * 1. W_dec's rows start as random data rows less their mean, normalised; W_enc = W_decᵀ; b_dec = mean. (Random directions
 *    explain more variance and merge topics; measured in the pocket world.)
 * 2. Batches: a new seeded order of all rows each epoch. The order depends on seed and epoch alone, so a run resumes exactly.
 * 3. Only x W_enc is dense: it runs in the runtime. Everything after the selection touches k latents a row and is done here.
 * 4. Adam; the learning rate falls to 0 over the last fifth of the steps.
 * 5. Threshold of the JumpReLU = mean over batches of the smallest selected value; one number for all latents.
 */
import type { Runtime } from "../engine/runtime.js";
import { InputError } from "../formats/input-error.js";
import { add, Graph, linear, relu } from "../graph/index.js";
import { Random } from "../random/random.js";
import { Adam, type AdamState } from "./adam.js";
import { selectLargest } from "./batch-topk.js";
import { openDenseSae } from "./dense-sae.js";
import { type SaeQuality, saeQuality } from "./quality.js";
import type { SaeInfo } from "./sae.js";
import { auxiliaryGradients, normaliseRows, reconstructionGradients, removeAlongRows } from "./training-gradients.js";
import { PARAMETER_NAMES, type TrainingParameters, type TrainingState } from "./training-state.js";
import type { SaeWeights } from "./weights.js";

export interface SaeTrainingOptions {
  readonly latents?: number;
  /** Mean number of active latents a row. */
  readonly k?: number;
  readonly learningRate?: number;
  /** Rows a batch. */
  readonly batch?: number;
  readonly steps?: number;
  readonly seed?: number;
}

/** Found in the pocket world (d 128): topics get latents of their own, explained variance 0.90. */
export const SAE_TRAINING_DEFAULTS: Required<SaeTrainingOptions> = {
  latents: 1024,
  k: 6,
  learningRate: 2e-3,
  batch: 512,
  steps: 2200,
  seed: 42,
};

export interface SaeTrainingLog {
  readonly step: number;
  /** Mean ‖x − x̂‖² over mean ‖x − mean‖²: the share of variance not explained, on the batch. */
  readonly unexplained: number;
  /** Latents that have not fired for `DEAD_AFTER` steps. */
  readonly dead: number;
}

export interface SaeTrainingInput {
  /** [n, d] residual rows. */
  readonly rows: Float32Array;
  readonly dModel: number;
  readonly runtime: Runtime;
  /** What the result is called, and the hook it reads, for example "blocks.2.hook_resid_post" with layer 2. */
  readonly describe: { readonly name: string; readonly layer: number };
  readonly options?: SaeTrainingOptions;
  readonly resume?: TrainingState;
  readonly onStep?: (entry: SaeTrainingLog, total: number) => void;
  /** Every `checkpointSeconds`, and on abort; the state's arrays change afterwards, so write them before returning. */
  readonly onCheckpoint?: (state: TrainingState) => void | Promise<void>;
  /** At most this much work is lost when the process is killed; default `CHECKPOINT_SECONDS`. */
  readonly checkpointSeconds?: number;
  readonly signal?: AbortSignal;
}

export interface TrainedSae {
  readonly weights: SaeWeights<Float32Array>;
  readonly quality: SaeQuality;
  readonly log: readonly SaeTrainingLog[];
  readonly options: Required<SaeTrainingOptions>;
}

/** Share of the steps over which the learning rate falls to zero. */
const DECAY_SHARE = 0.2;
/** Steps without firing after which a latent counts as dead and joins the auxiliary loss (128,000 rows at batch 512). */
const DEAD_AFTER = 250;
/** A checkpoint a few times a minute. */
const CHECKPOINT_SECONDS = 20;
/** Rows that the threshold and the quality are measured on: as many as Llama Scope used. */
const MEASURED_ROWS = 32_768;
/** Noise on first decoder rows, residual units: a data row that equals the mean would have no direction. */
const JITTER = 1e-8;

/** Trains; deterministic for the same rows, options and runtime. Throws InputError when there are too few rows. */
export async function trainSae(input: SaeTrainingInput): Promise<TrainedSae> {
  const { rows, dModel: d, runtime } = input;
  const options = { ...SAE_TRAINING_DEFAULTS, ...input.options };
  const { latents: m, batch: B, steps } = options;
  const n = rows.length / d;
  if (n < Math.max(m, B)) {
    throw new InputError(`${n} activation rows are too few to train ${m} latents with batches of ${B}; use more text`);
  }
  const { scale, mean } = statistics(rows, d);
  const state = input.resume ?? initialState(rows, d, scale, mean, options);
  const { parameters, lastFired } = state;
  const optimisers = Object.fromEntries(
    PARAMETER_NAMES.map((name) => [
      name,
      new Adam(parameters[name].length, { learningRate: options.learningRate }, state.adam[name]),
    ]),
  ) as Record<keyof TrainingParameters, Adam>;
  const gradients = Object.fromEntries(
    PARAMETER_NAMES.map((name) => [name, new Float32Array(parameters[name].length)]),
  ) as unknown as TrainingParameters;

  const program = await runtime.compile(encoderGraph(d, m));
  const preactivations = async (x: Float32Array): Promise<Float32Array> => {
    const { p } = await program.run({
      x: { type: "float32", dims: [x.length / d, d], data: x },
      encoder: { type: "float32", dims: [m, d], data: parameters.encoder },
      bias: { type: "float32", dims: [m], data: parameters.encoderBias },
    });
    return p!.data as Float32Array;
  };

  const log: SaeTrainingLog[] = [];
  const order = epochOrder(n, options.seed);
  let threshold = 0;
  let written = performance.now();
  for (let step = state.step; step < steps; step++) {
    input.signal?.throwIfAborted();
    const x = centredBatch(rows, d, scale, parameters.decoderBias, B, (i) => order(step * B + i)); // x − b_dec [B, d]
    const p = await preactivations(x); // [B, m], max(p, 0)
    const selected = selectLargest(p, B, Math.round(options.k * B), threshold);
    threshold = selected.threshold;
    for (const id of selected.ids) lastFired[id] = step;
    for (const name of PARAMETER_NAMES) gradients[name].fill(0);
    const error = reconstructionGradients(x, selected, parameters, gradients, d); // x̂ − x [B, d]
    const dead: number[] = [];
    for (let j = 0; j < m; j++) if (step - lastFired[j]! >= DEAD_AFTER) dead.push(j);
    if (dead.length > 0) auxiliaryGradients(x, p, error, dead, parameters, gradients, d, m);
    removeAlongRows(gradients.decoder, parameters.decoder, d);
    const rate = Math.min(1, (steps - step) / Math.max(1, DECAY_SHARE * steps));
    for (const name of PARAMETER_NAMES) optimisers[name].step(parameters[name], gradients[name], undefined, rate);
    normaliseRows(parameters.decoder, d);

    const entry = {
      step: step + 1,
      unexplained: unexplained(error, x, parameters.decoderBias, mean, scale, d),
      dead: dead.length,
    };
    log.push(entry);
    input.onStep?.(entry, steps);
    const due = performance.now() - written >= 1000 * (input.checkpointSeconds ?? CHECKPOINT_SECONDS);
    if (input.onCheckpoint !== undefined && (due || step + 1 === steps || input.signal?.aborted)) {
      const adam = Object.fromEntries(PARAMETER_NAMES.map((name) => [name, optimisers[name].state()])) as Record<
        keyof TrainingParameters,
        AdamState
      >;
      await input.onCheckpoint({ step: step + 1, parameters, adam, lastFired });
      written = performance.now();
    }
  }

  const measured = Math.min(n, MEASURED_ROWS);
  const sample = epochOrder(n, options.seed);
  let thresholds = 0;
  let batches = 0;
  for (let at = 0; at + B <= measured; at += B, batches++) {
    const p = await preactivations(centredBatch(rows, d, scale, parameters.decoderBias, B, (i) => sample(at + i)));
    thresholds += selectLargest(p, B, Math.round(options.k * B), threshold).threshold;
  }
  await program.release();
  const info: SaeInfo = {
    name: input.describe.name,
    format: "saelens",
    architecture: "jumprelu",
    dModel: d,
    latents: m,
    layer: input.describe.layer,
    hook: `blocks.${input.describe.layer}.hook_resid_post`,
  };
  const weights = inRowUnits(parameters, thresholds / batches, scale, info);
  const evaluated = new Float32Array(measured * d);
  for (let i = 0; i < measured; i++) evaluated.set(rows.subarray(sample(i) * d, (sample(i) + 1) * d), i * d);
  const sae = await openDenseSae(
    { ...weights, encoder: weights.encoder.slice(), decoder: weights.decoder.slice() },
    runtime,
  );
  const quality = saeQuality(weights, await sae.encode(evaluated), evaluated);
  await sae.close();
  return { weights, quality, log, options };
}

/** max(x W_enc + b_enc, 0) with the encoder fed as [m, d]. */
function encoderGraph(d: number, m: number): Graph {
  const graph = new Graph();
  const x = graph.input("x", "float32", ["N", d]);
  const encoder = graph.input("encoder", "float32", [m, d]);
  const bias = graph.input("bias", "float32", [m]);
  graph.output("p", relu(add(linear(x, encoder), bias)));
  return graph;
}

/** s = √d / mean ‖row‖ and the mean row. */
function statistics(rows: Float32Array, d: number): { scale: number; mean: Float64Array } {
  const n = rows.length / d;
  const mean = new Float64Array(d);
  let norms = 0;
  for (let at = 0; at < rows.length; at += d) {
    let squares = 0;
    for (let i = 0; i < d; i++) {
      const value = rows[at + i]!;
      mean[i] = mean[i]! + value / n;
      squares += value * value;
    }
    norms += Math.sqrt(squares);
  }
  if (!(norms > 0 && Number.isFinite(norms))) throw new InputError("the activation rows are all zero or not finite");
  return { scale: (Math.sqrt(d) * n) / norms, mean };
}

function initialState(
  rows: Float32Array,
  d: number,
  scale: number,
  mean: Float64Array,
  { latents: m, seed }: Required<SaeTrainingOptions>,
): TrainingState {
  const n = rows.length / d;
  const random = new Random(seed);
  const decoder = new Float32Array(m * d);
  for (let j = 0; j < m; j++) {
    const row = random.integer(n);
    for (let i = 0; i < d; i++) decoder[j * d + i] = rows[row * d + i]! - mean[i]! + JITTER * random.normal();
  }
  normaliseRows(decoder, d);
  const parameters = {
    encoder: decoder.slice(),
    encoderBias: new Float32Array(m),
    decoder,
    decoderBias: Float32Array.from(mean, (x) => x * scale),
  };
  const adam = Object.fromEntries(
    PARAMETER_NAMES.map((name) => {
      const { length } = parameters[name];
      return [name, { step: 0, first: new Float32Array(length), second: new Float32Array(length) }];
    }),
  ) as unknown as TrainingState["adam"];
  return { step: 0, parameters, adam, lastFired: new Int32Array(m) };
}

/** Sample i of an endless stream of epochs over n rows; every epoch has its own seeded order. */
function epochOrder(n: number, seed: number): (sample: number) => number {
  let epoch = -1;
  const order = new Uint32Array(n);
  return (sample) => {
    const wanted = Math.floor(sample / n);
    if (wanted !== epoch) {
      epoch = wanted;
      const random = new Random(seed, `epoch ${epoch}`);
      for (let i = 0; i < n; i++) order[i] = i;
      for (let i = n - 1; i > 0; i--) {
        const j = random.integer(i + 1);
        const swap = order[i]!;
        order[i] = order[j]!;
        order[j] = swap;
      }
    }
    return order[sample - wanted * n]!;
  };
}

/** s · row − b_dec for B rows, [B, d]. */
function centredBatch(
  rows: Float32Array,
  d: number,
  scale: number,
  decoderBias: Float32Array,
  B: number,
  pick: (i: number) => number,
): Float32Array {
  const x = new Float32Array(B * d);
  for (let r = 0; r < B; r++) {
    const from = pick(r) * d;
    for (let i = 0; i < d; i++) x[r * d + i] = scale * rows[from + i]! - decoderBias[i]!;
  }
  return x;
}

function unexplained(
  error: Float32Array,
  x: Float32Array,
  decoderBias: Float32Array,
  mean: Float64Array,
  scale: number,
  d: number,
): number {
  let errors = 0;
  let variance = 0;
  for (let at = 0; at < x.length; at += d) {
    for (let i = 0; i < d; i++) {
      errors += error[at + i]! ** 2;
      variance += (x[at + i]! + decoderBias[i]! - scale * mean[i]!) ** 2;
    }
  }
  return errors / variance;
}

/**
 * From normalised rows to rows as they are: with x = s·row, latents, thresholds and biases shrink by s, matrices stay:
 * (s·row − b_dec) W_enc + b_enc = s ((row − b_dec/s) W_enc + b_enc/s).
 */
function inRowUnits(
  parameters: TrainingParameters,
  threshold: number,
  scale: number,
  info: SaeInfo,
): SaeWeights<Float32Array> {
  const { dModel: d, latents: m } = info;
  const encoder = new Float32Array(d * m);
  for (let j = 0; j < m; j++) for (let i = 0; i < d; i++) encoder[i * m + j] = parameters.encoder[j * d + i]!;
  return {
    info,
    encoder,
    encoderBias: parameters.encoderBias.map((x) => x / scale),
    decoder: parameters.decoder,
    decoderBias: parameters.decoderBias.map((x) => x / scale),
    activation: { kind: "jumprelu", threshold: new Float32Array(m).fill(threshold / scale) },
    subtractDecoderBias: true,
    normalisation: "none",
  };
}
