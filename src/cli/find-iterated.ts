/** `find iterated-attribution`: attribution again and again, over prompts that hold what was found before. */

import { DEFAULT_ITERATION } from "../audit/iterate.js";
import { type IteratedResult, iteratedAttribution } from "../audit/iterated-attribution.js";
import { methodRunner } from "../audit/method-runner.js";
import { InputError } from "../formats/input-error.js";
import { saeAttribution } from "../methods/sae-attribution.js";
import { type Timing, timedObjective } from "../methods/timing.js";
import { withAction } from "./action.js";
import { setUpAudit } from "./audit-setup.js";
import { findPrompts } from "./find-prompts.js";
import type { Io } from "./io.js";
import { iteratedText } from "./iterated-text.js";
import type { ActionFlags, ModelFlags, PromptFlags, SaeFlags } from "./options.js";
import { watchMemory } from "./peak-memory.js";
import { CORPUS_SET, renderAll } from "./prompts.js";
import { stageCalls } from "./stage-calls.js";
import { meanResidualNorm, SteeringTrial } from "./steered.js";
import { writeDirections } from "./steering-file.js";

export const ITERATED_ATTRIBUTION = {
  name: "iterated-attribution",
  summary: "sae-attribution, its best concept written into the prompts if that raises the action, and again",
};

/** Flags of `find` that mean something here. */
export interface IteratedFlags extends ModelFlags, PromptFlags, SaeFlags, ActionFlags {
  readonly corpus?: string;
  readonly evalPrompts?: string;
  readonly train?: number;
  readonly iterations?: number;
  readonly unitNorm?: boolean;
  readonly top: number;
  readonly samples: number;
  readonly save?: string;
}

/** Flags of `find` that belong to optimising methods. */
const FOREIGN = [
  "steps",
  "vectors",
  "lambda",
  "radius",
  "optimizer",
  "lr",
  "layers",
  "signed",
  "units",
  "readBy",
  "patience",
];

export async function findIterated(io: Io, flags: IteratedFlags): Promise<void> {
  const memory = watchMemory();
  const started = performance.now();
  const foreign = FOREIGN.find((flag) => (flags as unknown as Record<string, unknown>)[flag] !== undefined);
  if (foreign !== undefined)
    throw new InputError(`${ITERATED_ATTRIBUTION.name} has no option ${foreign}; it takes iterations, unitNorm`);
  if (flags.positions !== "user")
    throw new InputError(`${ITERATED_ATTRIBUTION.name} writes into the user's text: --positions must be user`);
  const request = { ...flags, methods: [saeAttribution.name] };
  const { model, context, used } = await setUpAudit(request, flags, ITERATED_ATTRIBUTION.name);
  const { training, trial, heldOut } = await findPrompts(flags, model);
  const timing: Timing = { evaluations: 0, seconds: 0 };
  const unitNorm = flags.unitNorm ?? false;
  const runner = methodRunner(saeAttribution, context.sae, { unitNorm }, (objective) =>
    timedObjective(objective, timing),
  );
  const setupSeconds = (performance.now() - started) / 1000;

  const iteration = {
    ...DEFAULT_ITERATION,
    ...(flags.iterations === undefined ? {} : { iterations: flags.iterations }),
  };
  const prompts = training.map((messages) => ({ messages }));
  const result = await iteratedAttribution(
    { ...context, prompts, methods: [runner] },
    iteration,
    { seed: flags.seed },
    stageCalls(io, "read corpus"),
  );
  const { layer } = context;
  if (flags.save !== undefined)
    await writeDirections(
      flags.save,
      result.steps.map(({ attribution }) => attribution.vector),
      { layer, model: model.name, method: ITERATED_ATTRIBUTION.name },
    );
  const tried = renderAll(model, trial, flags).sequences;
  const trialPrompts = withAction(tried, context.action).map((sequence, i) => ({
    sequence,
    text: trial[i]?.findLast(({ role }) => role === "user")?.content ?? "",
  }));
  const steering = new SteeringTrial(model, trialPrompts, flags.samples, io.signal);
  // Gradients point away from the action and have no size of their own: tried backwards, as large as the residual stream.
  const size = await meanResidualNorm(model, tried, layer, io.signal);
  const vectors = [];
  for (const [index, { attribution }] of result.steps.entries()) {
    const norm = Math.hypot(...attribution.vector);
    const steered = await steering.run({ layer, vector: attribution.vector, scale: -size / (norm || 1) });
    vectors.push({
      index,
      norm,
      loss: attribution.loss,
      steps: attribution.steps,
      lambda: null,
      elicits: null,
      latents: listed(attribution.scores, flags.top, result, context.label),
      steered: { ...steered, heldOut },
    });
  }
  const report = {
    method: ITERATED_ATTRIBUTION.name,
    layer,
    hyperparameters: { ...iteration, unitNorm },
    timing: {
      setupSeconds,
      secondsPerStep: timing.seconds / Math.max(1, timing.evaluations),
      evaluations: timing.evaluations,
      peakMemoryBytes: memory.stop(),
    },
    vectors,
    steps: result.steps.map(({ attribution: _, ...step }) => step),
    condition: result.condition,
    reached: result.reached,
    ended: result.ended,
    score: saeAttribution.score,
    used: { ...used, corpus: flags.corpus ?? CORPUS_SET, prompts: training.length, promptCount: training.length },
  };
  io.result(
    flags.json,
    () => report,
    () => iteratedText(report),
  );
}

/** The best-scored latents, as `find` lists them. */
function listed(
  scores: Float32Array,
  top: number,
  { firing }: IteratedResult,
  label: ((latent: number) => string | undefined) | undefined,
) {
  return Array.from(scores.keys())
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, top)
    .map((id) => ({ id, score: scores[id]!, label: label?.(id) ?? null, dead: firing[id] === 0 }));
}
