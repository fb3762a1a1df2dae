/**
 * Trains an SAE, with BatchTopK or with thresholds that it learns (JumpReLU). Either way the result is a JumpReLU SAE.
 *
 *   x ← s · row,  s = √d / mean ‖row‖        (undone in the result)
 *   p  = (x − b_dec) W_enc + b_enc           [B, m]
 *   f  = p where the latent is active, else 0   (batch-topk.ts, jump-relu.ts)
 *   x̂  = f W_dec + b_dec
 *   loss = mean over the batch of ‖x − x̂‖² + AUXILIARY · mean ‖(x − x̂) − ê‖²   (jump-relu.ts adds a penalty)
 *
 * ê is what latents that have not fired for a while make of the error (the k_aux largest of them a row, Gao et al. 2024);
 * it revives them. Decoder rows have norm 1: the gradient along a row is taken out, and rows are rescaled after each step.
 *
 * 1. W_dec's rows start as random data rows less their mean, normalised; W_enc = W_decᵀ; b_dec = mean. (Random directions
 *    explain more variance and merge topics; measured in the pocket world.)
 * 2. Batches: a new seeded order of all rows each pass (row-source.ts), so that a run resumes exactly. Rows that are computed as they
 *    are needed (row-stream.ts) give scale, mean and first rows from the first part of them.
 * 3. Only x W_enc is dense: it runs in the runtime. Everything after the selection touches k latents a row and is done here.
 * 4. Adam; the learning rate falls to 0 over the last fifth of the steps.
 * 5. Thresholds: those learned, or for BatchTopK one that is measured at the end.
 */
import type { Runtime } from "../engine/runtime.js";
import { InputError } from "../formats/input-error.js";
import { add, Graph, linear, relu } from "../graph/index.js";
import { Adam } from "./adam.js";
import { BatchTopK } from "./batch-topk.js";
import { openDenseSae } from "./dense-sae.js";
import { JumpRelu, type JumpReluSettings } from "./jump-relu.js";
import { type SaeQuality, saeQuality } from "./quality.js";
import { memoryRows, type RowSource } from "./row-source.js";
import type { SaeInfo } from "./sae.js";
import type { Sparsity } from "./sparsity.js";
import { auxiliaryGradients, normaliseRows, reconstructionGradients, removeAlongRows } from "./training-gradients.js";
import { initialState, statistics } from "./training-start.js";
import { type ParameterName, parameterEntries, type TrainingParameters, type TrainingState } from "./training-state.js";
import type { SaeWeights } from "./weights.js";

export const SAE_ARCHITECTURES = ["batchtopk", "jumprelu"] as const;
export type SaeArchitecture = (typeof SAE_ARCHITECTURES)[number];

export interface SaeTrainingOptions {
  /** Default: batchtopk. */
  readonly architecture?: SaeArchitecture;
  readonly latents?: number;
  /** Mean number of active latents a row. */
  readonly k?: number;
  readonly learningRate?: number;
  /** Rows a batch. */
  readonly batch?: number;
  readonly steps?: number;
  readonly seed?: number;
  /** Of jumprelu. */
  readonly jumpRelu?: Partial<JumpReluSettings>;
}

/** Found in the pocket world (d 128): topics get latents of their own, explained variance 0.90. */
export const SAE_TRAINING_DEFAULTS = {
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
  /** [n, d] residual rows, or where they come from. */
  readonly rows: Float32Array | RowSource;
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
  readonly options: SaeTrainingOptions & typeof SAE_TRAINING_DEFAULTS;
}

/** Share of the steps over which the learning rate falls to zero. */
const DECAY_SHARE = 0.2;
/** Steps without firing after which a latent counts as dead and joins the auxiliary loss (128,000 rows at batch 512). */
const DEAD_AFTER = 250;
/** A checkpoint a few times a minute. */
const CHECKPOINT_SECONDS = 20;
/** Rows that the threshold and the quality are measured on: as many as Llama Scope used. */
const MEASURED_ROWS = 32_768;

/** Trains; deterministic for the same rows, options and runtime. Throws InputError when there are too few rows. */
export async function trainSae(input: SaeTrainingInput): Promise<TrainedSae> {
  const { dModel: d, runtime } = input;
  const options = { ...SAE_TRAINING_DEFAULTS, ...input.options };
  const { latents: m, batch: B, steps } = options;
  const rows = input.rows instanceof Float32Array ? memoryRows(input.rows, d, options.seed) : input.rows;
  const n = rows.count;
  if (n < Math.max(m, B)) {
    throw new InputError(`${n} activation rows are too few to train ${m} latents with batches of ${B}; use more text`);
  }
  const first = await rows.first();
  const { scale, mean } = statistics(first, d);
  const state = input.resume ?? initialState(first, d, scale, mean, options);
  const { parameters, lastFired } = state;
  const optimisers = Object.fromEntries(
    parameterEntries(parameters).map(([name, { length }]) => [
      name,
      new Adam(length, { learningRate: options.learningRate }, state.adam[name]),
    ]),
  ) as Record<ParameterName, Adam>;
  const gradients = Object.fromEntries(
    parameterEntries(parameters).map(([name, { length }]) => [name, new Float32Array(length)]),
  ) as unknown as TrainingParameters;
  const sparsity: Sparsity =
    options.architecture === "jumprelu"
      ? new JumpRelu(parameters, options, options.jumpRelu)
      : new BatchTopK(m, options.k);

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
  const batch = async (from: number) => centred(await rows.samples(from, B), scale, parameters.decoderBias);
  let written = performance.now();
  for (let step = state.step; step < steps; step++) {
    input.signal?.throwIfAborted();
    const x = await batch(step * B); // x − b_dec [B, d]
    const p = await preactivations(x); // [B, m], max(p, 0)
    const selected = sparsity.select(p, B, step);
    for (const id of selected.ids) lastFired[id] = step;
    for (const [, values] of parameterEntries(gradients)) values.fill(0);
    const error = reconstructionGradients(x, selected, parameters, gradients, d); // x̂ − x [B, d]
    sparsity.addGradients(error, gradients, step);
    const dead: number[] = [];
    for (let j = 0; j < m; j++) if (step - lastFired[j]! >= DEAD_AFTER) dead.push(j);
    if (dead.length > 0) auxiliaryGradients(x, p, error, dead, parameters, gradients, d, m);
    removeAlongRows(gradients.decoder, parameters.decoder, d);
    const rate = Math.min(1, (steps - step) / Math.max(1, DECAY_SHARE * steps));
    for (const [name, values] of parameterEntries(parameters))
      optimisers[name].step(values, gradients[name]!, undefined, rate);
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
      const adam = Object.fromEntries(parameterEntries(parameters).map(([name]) => [name, optimisers[name].state()]));
      await input.onCheckpoint({ step: step + 1, parameters, adam, lastFired });
      written = performance.now();
    }
  }

  const measured = Math.min(n, MEASURED_ROWS);
  for (let at = 0; at + B <= measured; at += B) sparsity.measure(await preactivations(await batch(at)), B);
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
  const weights = inRowUnits(parameters, sparsity.thresholds(), scale, info);
  const evaluated = await rows.samples(0, measured);
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

/** s · row − b_dec for rows [B, d], in place. */
function centred(rows: Float32Array, scale: number, decoderBias: Float32Array): Float32Array {
  const d = decoderBias.length;
  for (let at = 0; at < rows.length; at += d)
    for (let i = 0; i < d; i++) rows[at + i] = scale * rows[at + i]! - decoderBias[i]!;
  return rows;
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
  thresholds: Float32Array,
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
    activation: { kind: "jumprelu", threshold: thresholds.map((x) => x / scale) },
    subtractDecoderBias: true,
    normalisation: "none",
  };
}
