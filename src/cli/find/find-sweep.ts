/** The layer where none is given: a short run of the method at several, each judged on other prompts. */
import { type Rate, rateOfFlags } from "../../audit/statistics/statistics.js";
import { chooseTrial, type LayerTrial, SWEEP_STEPS } from "../../methods/layer-sweep.js";
import type { Sequence } from "../../model/sequence.js";
import type { Io } from "../terminal/io.js";
import { rateText, table } from "../terminal/text.js";
import type { FindPrompts } from "./find-prompts.js";
import { prepareObjective, runMethod } from "./find-search.js";
import type { FindSetup } from "./find-setup.js";
import { meanResidualNorm } from "./steered.js";

/** One row of the sweep, as results show it. */
export type TriedLayer = LayerTrial & { readonly rate: Rate; readonly chosen: boolean };

/** Fewer training prompts than this are not split to judge a sweep. */
const SPLIT_FROM = 6;
/** Share of the training prompts that then judges. */
const JUDGING = 1 / 3;

/**
 * Runs the method shortly at each layer over the training prompts, judges each vector on half of the trial prompts, and marks the
 * layer to keep. Where the trial prompts are the training prompts, a third of these is set aside to judge. `left`: trial
 * prompts that chose nothing, to try the vectors on.
 */
export async function sweepLayers(
  io: Io,
  setup: FindSetup,
  layers: readonly number[],
): Promise<{
  readonly layer: number;
  readonly tried: readonly TriedLayer[];
  readonly left: Pick<FindPrompts, "trial" | "heldOut">;
}> {
  const { model, method } = setup;
  const { engine } = model;
  const action = setup.action?.action ?? null;
  const { training, judging, left } = apart(setup);
  const options = { ...setup.options, steps: Math.min(setup.options.steps ?? SWEEP_STEPS, SWEEP_STEPS), vectors: 1 };
  const trials: (LayerTrial & { readonly rate: Rate })[] = [];
  for (const layer of layers) {
    const search = { method, options, layer, action };
    const objective = await prepareObjective(io, engine, training, search);
    const { vectors } = await runMethod(io, engine, training, objective, search, `trying layer ${layer}`);
    const { vector, elicits, loss, norm, steps } = vectors[0]!;
    const steering = { layer, vector };
    const outcomes = (await action?.outcomes(engine, judging, { steering, signal: io.signal })) ?? [];
    trials.push({
      layer,
      elicits: elicits === true,
      loss,
      norm,
      relativeNorm: norm / (await meanResidualNorm(model, training, layer, io.signal)),
      steps,
      rate: rateOfFlags(outcomes.map(({ fired }) => fired)),
    });
  }
  const { layer } = chooseTrial(trials);
  return { layer, tried: trials.map((trial) => ({ ...trial, chosen: trial.layer === layer })), left };
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

function apart({ training, trial, heldOut }: FindPrompts): {
  readonly training: readonly Sequence[];
  readonly judging: readonly Sequence[];
  readonly left: Pick<FindPrompts, "trial" | "heldOut">;
} {
  const { sequences } = training;
  if (heldOut) {
    // A single prompt cannot do both: then nothing is held out.
    if (trial.sequences.length === 1)
      return { training: sequences, judging: trial.sequences, left: { trial, heldOut: false } };
    // By turns, as a file may be sorted.
    const judges = (_: unknown, i: number) => i % 2 === 1;
    const tells = (_: unknown, i: number) => i % 2 === 0;
    const rest = { conversations: trial.conversations.filter(tells), sequences: trial.sequences.filter(tells) };
    return { training: sequences, judging: trial.sequences.filter(judges), left: { trial: rest, heldOut } };
  }
  const left = { trial, heldOut };
  if (sequences.length < SPLIT_FROM) return { training: sequences, judging: trial.sequences, left };
  const cut = sequences.length - Math.ceil(JUDGING * sequences.length);
  return { training: sequences.slice(0, cut), judging: sequences.slice(cut), left };
}
