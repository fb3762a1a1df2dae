/** `find`: directions that make the model say the action, and the SAE latents that they are made of. */
import { Argument, Command } from "commander";
import { towardsAction } from "../../audit/action.js";
import { InputError } from "../../formats/input-error.js";
import { checkInput } from "../../methods/check-input.js";
import { layerChangeOf } from "../../methods/layer-change.js";
import type { FoundVector, Method, MethodResult } from "../../methods/method.js";
import { findMethod, methods } from "../../methods/registry.js";
import { type Timing, timedObjective } from "../../methods/timing.js";
import type { LatentUnits } from "../../sae/units.js";
import { namesAction, openAction } from "../action.js";
import { type ActionMatchFlags, actionMatchOptions } from "../action-options.js";
import { findPrompts } from "../find-prompts.js";
import type { Io } from "../io.js";
import { measureUnits } from "../latent-units.js";
import { chooseLayer } from "../layer.js";
import { openModel } from "../open-model.js";
import { type OpenedSae, openSaeFor, requireSae } from "../open-sae.js";
import {
  type ModelFlags,
  modelOptions,
  outputPath,
  type PromptFlags,
  promptOptions,
  type SaeFlags,
  saeOptions,
  wholeNumber,
} from "../options.js";
import { watchMemory } from "../peak-memory.js";
import { CORPUS_SET, loadPrompts, renderAll, requireMaskedTokens } from "../prompts.js";
import { methodOptions, type SearchFlags, searchOptions } from "../search-options.js";
import { meanResidualNorm, type Steered, SteeringTrial } from "../steered.js";
import { writeDirections } from "../steering-file.js";
import { bytes, duration, oneLine, rateText, table } from "../text.js";
import { usedSettings, usedText } from "../used.js";

const DEFAULT_TOP = 20;
const DEFAULT_SAMPLES = 3;

interface FindFlags extends ModelFlags, PromptFlags, SaeFlags, ActionMatchFlags, SearchFlags {
  readonly corpus?: string;
  readonly evalPrompts?: string;
  readonly train?: number;
  readonly top: number;
  readonly samples: number;
  readonly save?: string;
}

export function findCommand(io: Io): Command {
  const command = new Command("find")
    .description("directions that elicit the action, or change a later layer most, read as SAE latents")
    .addArgument(new Argument("<method>", "how to look for them").choices(methods.map(({ name }) => name)))
    .addHelpText("after", `\nMethods:\n${methods.map(({ name, summary }) => `  ${name}: ${summary}`).join("\n")}`)
    .option("--corpus <file>", "prompts to measure latents on: their typical activation, and which are dead")
    .option("--eval-prompts <file>", "prompts to try the vectors on")
    .option("--train <n>", "optimise over the first n prompts alone", wholeNumber(1))
    .option("--top <n>", "latents listed for each vector", wholeNumber(1), DEFAULT_TOP)
    .option("--samples <n>", "replies shown for each vector", wholeNumber(0), DEFAULT_SAMPLES)
    .option("--save <file>", "write the vectors as safetensors", outputPath);
  return searchOptions(saeOptions(actionMatchOptions(promptOptions(modelOptions(command))))).action(
    (name: string, flags: FindFlags) => {
      const positionsGiven = command.getOptionValueSource("positions") !== "default";
      return find(io, findMethod(name), withPositions(flags, positionsGiven));
    },
  );
}

/** The published code steers every token, those of the reply too. */
function withPositions(flags: FindFlags, given: boolean): FindFlags {
  if (flags.variant !== "published") return flags;
  if (given && flags.positions !== "all")
    throw new InputError(
      `--positions ${flags.positions}: --variant published steers every token; leave one of the two out`,
    );
  return { ...flags, positions: "all" };
}

async function find(io: Io, method: Method, flags: FindFlags): Promise<void> {
  const memory = watchMemory();
  const started = performance.now();
  const model = await openModel(flags, flags);
  const opened =
    method.sae === "required" ? await requireSae(model, flags.sae, method.name) : await openSaeFor(model, flags.sae);
  const layer = chooseLayer(flags.layer, opened?.sae.info, model.engine.model);
  const options = methodOptions(method, flags);
  checkInput(method, { options, sae: opened?.sae });
  const { dModel, layers } = model.engine.model;
  const measure = method.objective === "layer-change" ? layerChangeOf(options, layer, layers) : undefined;
  if (method.sae !== "required" && (flags.vectors ?? 1) > dModel)
    throw new InputError(`--vectors ${flags.vectors}: at most ${dModel} (the model's width) can be orthogonal`);
  // A layer's change needs no action; where one is given, the vectors are tried on it.
  const named = measure && !namesAction(flags) ? undefined : await openAction(model, flags);
  const action = named?.action ?? null;
  const { training, trial, heldOut } = await findPrompts(flags, model);
  const { sequences: prompts, date } = renderAll(model, training, flags);
  requireMaskedTokens(prompts, training, flags.positions);
  const sequences = action && !measure ? towardsAction(prompts, action) : prompts;

  const corpus = flags.corpus ?? (model.isPocket ? CORPUS_SET : undefined);
  const needsUnits = method.options.includes("units") && flags.units !== "raw";
  const unitPrompts =
    corpus === undefined
      ? needsUnits
        ? prompts
        : undefined
      : renderAll(model, await loadPrompts(corpus), flags).sequences;
  const units = opened && unitPrompts ? await measureUnits(io, model, opened.sae, unitPrompts, layer) : undefined;
  const call = { signal: io.signal, onProgress: io.progress("preparing") };
  const prepared = measure
    ? await model.engine.layerChangeObjective(sequences, layer, measure, call)
    : await model.engine.steeringObjective(sequences, layer, call);
  const timing: Timing = { evaluations: 0, seconds: 0, radiusSeconds: 0 };
  const setupSeconds = (performance.now() - started) / 1000;

  const optimises = method.options.includes("steps");
  const elicitation = async (vector: Float32Array) => {
    const steering = { layer, vector };
    const outcomes = (await action?.outcomes(model.engine, prompts, { steering, signal: io.signal })) ?? [];
    return outcomes.filter(({ fired }) => fired).length / prompts.length;
  };
  const result = await method.run({
    objective: timedObjective(prepared, timing),
    dModel: model.engine.model.dModel,
    sae: opened?.sae,
    typicalActivation: units?.typical,
    options,
    elicitation: optimises && !measure ? elicitation : undefined,
    onProgress: io.progress(method.name),
    signal: io.signal,
  });
  await prepared.dispose();
  if (result.vectors.some(({ vector }) => vector.some(Number.isNaN)))
    throw new InputError(
      `${method.name}: the search left the range of numbers; give a smaller --lr, --lambda, --radius or --p`,
    );
  if (flags.save !== undefined)
    await writeDirections(
      flags.save,
      result.vectors.map(({ vector }) => vector),
      { layer, model: model.name, method: method.name },
    );

  const tried = renderAll(model, trial, flags).sequences;
  const trialPrompts = tried.map((sequence, i) => ({
    sequence,
    text: trial[i]?.findLast(({ role }) => role === "user")?.content ?? "",
  }));
  const steering = new SteeringTrial(model, trialPrompts, action, flags.samples, io.signal);
  // A gradient points away from the action and has no size of its own: it is tried backwards, as large as the residual stream.
  const size = optimises ? 0 : await meanResidualNorm(model, tried, layer, io.signal);
  const vectors = [];
  for (const found of result.vectors) {
    const scale = optimises ? 1 : -size / (found.norm || 1);
    const steered = await steering.run({
      layer,
      vector: found.vector,
      scale,
      afterPrompt: flags.variant === "published",
    });
    vectors.push(
      presentVector(found, opened, corpus === undefined ? undefined : units, flags.top, { ...steered, heldOut }),
    );
  }
  const used = usedSettings(
    model,
    { ...flags, date },
    {
      ...(named?.used ?? { action: null, actionEnds: false }),
      prompts: training.length,
      sae: opened?.name ?? null,
      corpus: corpus ?? null,
      seed: method.options.includes("seed") ? flags.seed : null,
    },
  );
  const report = {
    method: method.name,
    layer,
    hyperparameters: {
      ...result.hyperparameters,
      ...(needsUnits && opened ? { unitsFrom: corpus ?? "the prompts optimised over" } : {}),
    },
    timing: {
      setupSeconds: setupSeconds + timing.radiusSeconds,
      secondsPerStep: timing.seconds / Math.max(1, timing.evaluations),
      evaluations: timing.evaluations,
      peakMemoryBytes: memory.stop(),
    },
    vectors,
    score: method.score,
    used,
  };
  io.result(
    flags.json,
    () => report,
    () => findText(report),
  );
}

interface PresentedVector {
  readonly index: number;
  readonly norm: number;
  readonly loss: { readonly initial: number; readonly final: number };
  readonly steps: number;
  readonly lambda: number | null;
  readonly elicits: boolean | null;
  readonly latents: readonly {
    readonly id: number;
    readonly score: number;
    readonly label: string | null;
    /** Whether it never fired on the corpus; null where no corpus was read. */
    readonly dead: boolean | null;
  }[];
  readonly steered: Steered & { readonly heldOut: boolean };
}

function presentVector(
  { index, norm, loss, steps, lambda, elicits, scores, z }: FoundVector,
  opened: OpenedSae | undefined,
  units: LatentUnits | undefined,
  top: number,
  steered: PresentedVector["steered"],
): PresentedVector {
  // A vector of SAE space holds few latents; the rest of its scores are zeros that rank nothing.
  const order = z === null ? Array.from(scores?.keys() ?? []) : [...z.ids];
  order.sort((a, b) => scores![b]! - scores![a]! || a - b);
  const latents = order.slice(0, top).map((id) => ({
    id,
    score: scores![id]!,
    label: opened?.label(id) ?? null,
    dead: units ? units.dead[id] === 1 : null,
  }));
  return { index, norm, loss, steps, lambda, elicits, latents, steered };
}

interface FindReport {
  readonly method: string;
  readonly layer: number;
  readonly hyperparameters: MethodResult["hyperparameters"];
  readonly timing: {
    readonly setupSeconds: number;
    readonly secondsPerStep: number;
    readonly evaluations: number;
    readonly peakMemoryBytes: number;
  };
  readonly vectors: readonly PresentedVector[];
  readonly used: Parameters<typeof usedText>[0];
}

function findText({ method, layer, hyperparameters, timing, vectors, used }: FindReport): string {
  const blocks = vectors.map(({ index, norm, loss, steps, latents, steered }) => {
    const lines = [
      `vector ${index}: norm ${norm.toPrecision(4)}, loss ${loss.initial.toFixed(4)} → ${loss.final.toFixed(4)} in ${steps} steps`,
    ];
    if (steered.actionRate)
      lines.push(
        `  said on ${rateText(steered.actionRate)} of ${steered.heldOut ? "held-out" : "the same"} prompts (added ×${Number(steered.scale.toPrecision(4))})`,
      );
    if (latents.length > 0)
      lines.push(
        table(
          ["latent", "score", "label"],
          latents.map(({ id, score, label, dead }) => [
            String(id),
            score.toPrecision(4),
            oneLine(`${label ?? ""}${dead ? " (dead)" : ""}`, 70),
          ]),
          [0, 1],
        ).replace(/^/gm, "  "),
      );
    for (const sample of steered.samples)
      lines.push(
        `  ${oneLine(sample.prompt, 80)}\n    unsteered → ${oneLine(sample.unsteered)}\n    steered   → ${oneLine(sample.steered)}`,
      );
    return lines.join("\n");
  });
  const settings = Object.entries(hyperparameters).map(([key, value]) => `${key} ${value}`);
  const { setupSeconds, secondsPerStep, peakMemoryBytes } = timing;
  return [
    `${method} at layer ${layer}${settings.length > 0 ? `: ${settings.join(", ")}` : ""}`,
    ...blocks,
    `set-up ${duration(setupSeconds)}, ${secondsPerStep.toPrecision(3)} s a step, peak memory ${bytes(peakMemoryBytes)}`,
    usedText(used),
  ].join("\n\n");
}
