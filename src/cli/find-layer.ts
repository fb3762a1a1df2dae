/** Where `find` steers: a layer that is given, the SAE's, or the best of several. */
import { type Rate, rateOfFlags } from "../audit/statistics.js";
import { InputError } from "../formats/input-error.js";
import { chooseTrial, type LayerTrial, layersToTry, SWEEP_STEPS } from "../methods/layer-sweep.js";
import type { Method, MethodOptions } from "../methods/method.js";
import type { Sequence } from "../model/sequence.js";
import type { Io } from "./io.js";
import { checkLayer } from "./layer.js";
import type { OpenedModel } from "./open-model.js";
import { meanResidualNorm } from "./steered.js";
import { rateText, table } from "./text.js";

/** Layers chosen by the program. */
export const AUTO_LAYERS = "auto";

export interface LayerFlags {
  readonly layer?: number;
  readonly layers?: readonly number[] | typeof AUTO_LAYERS;
  readonly sae?: string;
}

/** One row of the sweep, as results show it. */
export type TriedLayer = LayerTrial & { readonly rate: Rate; readonly chosen: boolean };

/** Fewer training prompts than this are not split to judge a sweep. */
const SPLIT_FROM = 6;
/** Share of the training prompts that then judges. */
const JUDGING = 1 / 3;

/**
 * The layers of a sweep: --layers, or the default ones where neither --layer nor an SAE says where. Undefined: no sweep.
 * InputError where the flags contradict each other or the method, or name a layer that the model lacks.
 */
export function sweptLayers(
  flags: LayerFlags,
  method: Method,
  hasSae: boolean,
  model: OpenedModel,
): readonly number[] | undefined {
  const info = model.engine.model;
  if (flags.layers === undefined) {
    const searches = method.objective === "cross-entropy" && method.options.includes("steps");
    return flags.layer === undefined && !hasSae && searches ? layersToTry(info.layers) : undefined;
  }
  if (flags.layer !== undefined) throw new InputError("--layer and --layers: give one of them");
  if (method.sae === "required")
    throw new InputError(`--layers: ${method.name} works at the layer that its SAE reads; leave the flag out`);
  if (method.objective !== "cross-entropy")
    throw new InputError(`--layers: layers are compared by how often the action comes; ${method.name} has none`);
  if (flags.sae !== undefined)
    throw new InputError(`--layers: ${flags.sae} reads one layer only; leave --sae out, or give --layer`);
  if (flags.layers === AUTO_LAYERS) return layersToTry(info.layers);
  for (const layer of flags.layers) checkLayer(layer, info, "--layers");
  return flags.layers;
}

/**
 * Runs the method shortly at each layer over `training`, judges each vector on `judging`, and marks the one to keep. Where the
 * judging prompts are the training prompts, a third of these is set aside to judge.
 */
export async function sweep(
  io: Io,
  model: OpenedModel,
  method: Method,
  options: MethodOptions,
  layers: readonly number[],
  prompts: { readonly training: readonly Sequence[]; readonly judging: readonly Sequence[]; readonly heldOut: boolean },
): Promise<{ readonly layer: number; readonly tried: readonly TriedLayer[] }> {
  const { training, judging } = apart(prompts);
  const { engine } = model;
  const fired = async (sequences: readonly Sequence[], layer: number, vector: Float32Array) =>
    (await engine.score(sequences, { steering: { layer, vector }, signal: io.signal })).map((one) => one.greedyMatch);
  const steps = Math.min(options.steps ?? SWEEP_STEPS, SWEEP_STEPS);
  const trials: (LayerTrial & { readonly rate: Rate })[] = [];
  for (const layer of layers) {
    const objective = await engine.steeringObjective(training, layer, { signal: io.signal });
    const { vectors } = await method.run({
      objective,
      dModel: engine.model.dModel,
      options: { ...options, steps, vectors: 1 },
      elicitation: async (vector) => rateOfFlags(await fired(training, layer, vector)).rate,
      onProgress: io.progress(`trying layer ${layer}`),
      signal: io.signal,
    });
    await objective.dispose();
    const found = vectors[0]!;
    trials.push({
      layer,
      elicits: found.elicits === true,
      loss: found.loss,
      norm: found.norm,
      relativeNorm: found.norm / (await meanResidualNorm(model, training, layer, io.signal)),
      steps: found.steps,
      rate: rateOfFlags(await fired(judging, layer, found.vector)),
    });
  }
  const { layer } = chooseTrial(trials);
  return { layer, tried: trials.map((trial) => ({ ...trial, chosen: trial.layer === layer })) };
}

/** The sweep as a table. */
export function layersText(tried: readonly TriedLayer[]): string {
  return table(
    ["layer", "elicits", "said on other prompts", "norm ÷ residual", "loss"],
    tried.map(({ layer, elicits, rate, relativeNorm, loss, chosen }) => [
      `${layer}${chosen ? " *" : ""}`,
      elicits ? "yes" : "no",
      rateText(rate),
      relativeNorm.toPrecision(3),
      `${loss.initial.toFixed(4)} → ${loss.final.toFixed(4)}`,
    ]),
    [3],
  );
}

function apart({ training, judging, heldOut }: Parameters<typeof sweep>[5]): {
  training: readonly Sequence[];
  judging: readonly Sequence[];
} {
  if (heldOut || training.length < SPLIT_FROM) return { training, judging };
  const cut = training.length - Math.ceil(JUDGING * training.length);
  return { training: training.slice(0, cut), judging: training.slice(cut) };
}
