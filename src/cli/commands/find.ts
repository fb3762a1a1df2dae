/** `find`: directions that make the model say the action, and the SAE latents that they are made of. */
import { Argument, Command, Option } from "commander";
import { InputError } from "../../formats/input-error.js";
import { checkInput } from "../../methods/check-input.js";
import type { FoundVector, Method, MethodOptions, MethodResult, Optimizer } from "../../methods/method.js";
import { findMethod, methods } from "../../methods/registry.js";
import { type Timing, timedObjective } from "../../methods/timing.js";
import type { LatentUnits } from "../../sae/units.js";
import { actionTokens, withAction } from "../action.js";
import { findIterated, ITERATED_ATTRIBUTION } from "../find-iterated.js";
import { AUTO_LAYERS, type LayerFlags, layersText, sweep, sweptLayers, type TriedLayer } from "../find-layer.js";
import { findPrompts } from "../find-prompts.js";
import type { Io } from "../io.js";
import { measureUnits } from "../latent-units.js";
import { chooseLayer } from "../layer.js";
import { openModel } from "../open-model.js";
import { type OpenedSae, openSaeFor, requireSae } from "../open-sae.js";
import {
  type ActionFlags,
  actionOptions,
  layerList,
  type ModelFlags,
  modelOptions,
  nonNegativeNumber,
  outputPath,
  type PromptFlags,
  positiveNumber,
  promptOptions,
  type SaeFlags,
  saeOptions,
  wholeNumber,
} from "../options.js";
import { watchMemory } from "../peak-memory.js";
import { CORPUS_SET, loadPrompts, renderAll, requireMaskedTokens } from "../prompts.js";
import { meanResidualNorm, type Steered, SteeringTrial } from "../steered.js";
import { writeDirections } from "../steering-file.js";
import { bytes, duration, oneLine, rateText, table } from "../text.js";
import { usedSettings, usedText } from "../used.js";

const DEFAULT_TOP = 20;
const DEFAULT_SAMPLES = 3;

interface FindFlags extends ModelFlags, PromptFlags, SaeFlags, ActionFlags, LayerFlags {
  readonly corpus?: string;
  readonly evalPrompts?: string;
  readonly train?: number;
  readonly top: number;
  readonly samples: number;
  readonly save?: string;
  readonly steps?: number;
  readonly vectors?: number;
  readonly lambda?: number;
  readonly radius?: number;
  readonly optimizer?: Optimizer;
  readonly lr?: number;
  readonly signed?: boolean;
  readonly units?: "typical" | "raw";
  readonly readBy?: "encoder" | "decoder";
  readonly unitNorm?: boolean;
  readonly patience?: number;
  readonly iterations?: number;
}

/** The methods, and what is built on one and on experiments with prompts, which methods know nothing of. */
const searches = [...methods, ITERATED_ATTRIBUTION];

export function findCommand(io: Io): Command {
  const command = new Command("find")
    .description("directions that elicit the action, read as SAE latents")
    .addArgument(new Argument("<method>", "how to look for them").choices(searches.map(({ name }) => name)))
    .addHelpText("after", `\nMethods:\n${searches.map(({ name, summary }) => `  ${name}: ${summary}`).join("\n")}`)
    .option("--corpus <file>", "prompts to measure latents on: their typical activation, and which are dead")
    .option("--eval-prompts <file>", "prompts to try the vectors on")
    .option("--train <n>", "optimise over the first n prompts alone", wholeNumber(1))
    .option("--steps <n>", "cap on updates for each vector, a path of λ included", wholeNumber(1))
    .option("--vectors <n>", "how many mutually orthogonal vectors", wholeNumber(1))
    .option("--lambda <x>", "weight of the penalty; default: found by a path", nonNegativeNumber)
    .option("--radius <x>", "fixed norm of the vector instead of a penalty", positiveNumber)
    .addOption(new Option("--optimizer <which>", "what minimises; default: adam").choices(["adam", "proximal"]))
    .option("--lr <x>", "Adam's learning rate", positiveNumber)
    .option("--layers <list>", "layers to try, such as 1,2,4, or `auto`; the best is used", layerList(AUTO_LAYERS))
    .option("--signed", "latents may be negative too")
    .addOption(new Option("--units <which>", "coordinates of latents").choices(["typical", "raw"]))
    .addOption(new Option("--read-by <which>", "what reads a vector as latents").choices(["encoder", "decoder"]))
    .option("--unit-norm", "score with decoder rows of norm 1")
    .option("--patience <n>", "stop after so many steps without progress", wholeNumber(1))
    .option("--iterations <n>", "most concepts that iterated-attribution puts together", wholeNumber(1))
    .option("--top <n>", "latents listed for each vector", wholeNumber(1), DEFAULT_TOP)
    .option("--samples <n>", "replies shown for each vector", wholeNumber(0), DEFAULT_SAMPLES)
    .option("--save <file>", "write the vectors as safetensors", outputPath);
  return saeOptions(actionOptions(promptOptions(modelOptions(command)))).action((name: string, flags: FindFlags) =>
    name === ITERATED_ATTRIBUTION.name ? findIterated(io, flags) : find(io, findMethod(name), flags),
  );
}

async function find(io: Io, method: Method, flags: FindFlags): Promise<void> {
  const memory = watchMemory();
  const started = performance.now();
  const model = await openModel(flags, flags);
  const available =
    method.sae === "required" ? await requireSae(model, flags.sae, method.name) : await openSaeFor(model, flags.sae);
  const layers = sweptLayers(flags, method, available !== undefined, model);
  const fixed = layers ? undefined : chooseLayer(flags.layer, available?.sae.info, model.engine.model);
  const options = methodOptions(method, flags);
  if (flags.iterations !== undefined)
    throw new InputError(`--iterations belongs to ${ITERATED_ATTRIBUTION.name}; leave it out`);
  checkInput(method, { options, sae: available?.sae });
  const { dModel } = model.engine.model;
  if (method.sae !== "required" && (flags.vectors ?? 1) > dModel)
    throw new InputError(`--vectors ${flags.vectors}: at most ${dModel} (the model's width) can be orthogonal`);
  const action = actionTokens(model, flags);
  const { training, trial, heldOut } = await findPrompts(flags, model);
  const { sequences: prompts, date } = renderAll(model, training, flags);
  requireMaskedTokens(prompts, training, flags.positions);
  const sequences = withAction(prompts, action);
  const tried = renderAll(model, trial, flags).sequences;
  const trialSequences = withAction(tried, action);
  const swept =
    layers &&
    (await sweep(io, model, method, options, layers, { training: sequences, judging: trialSequences, heldOut }));
  const layer = fixed ?? swept!.layer;
  // A swept layer need not be the one that the SAE reads.
  const opened = swept && available?.sae.info.layer !== layer ? undefined : available;

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
  const prepared = await model.engine.steeringObjective(sequences, layer, call);
  const timing: Timing = { evaluations: 0, seconds: 0 };
  const setupSeconds = (performance.now() - started) / 1000;

  const optimises = method.options.includes("steps");
  const elicitation = async (vector: Float32Array) => {
    const scores = await model.engine.score(sequences, { steering: { layer, vector }, signal: io.signal });
    return scores.filter(({ greedyMatch }) => greedyMatch).length / scores.length;
  };
  const result = await method.run({
    objective: timedObjective(prepared, timing),
    dModel: model.engine.model.dModel,
    sae: opened?.sae,
    typicalActivation: units?.typical,
    options,
    elicitation: optimises ? elicitation : undefined,
    onProgress: io.progress(method.name),
    signal: io.signal,
  });
  await prepared.dispose();
  if (result.vectors.some(({ vector }) => vector.some(Number.isNaN)))
    throw new InputError(
      `${method.name}: the search left the range of numbers; give a smaller --lr, --lambda or --radius`,
    );
  if (flags.save !== undefined)
    await writeDirections(
      flags.save,
      result.vectors.map(({ vector }) => vector),
      { layer, model: model.name, method: method.name },
    );

  const trialPrompts = trialSequences.map((sequence, i) => ({
    sequence,
    text: trial[i]?.findLast(({ role }) => role === "user")?.content ?? "",
  }));
  const steering = new SteeringTrial(model, trialPrompts, flags.samples, io.signal);
  // A gradient points away from the action and has no size of its own: it is tried backwards, as large as the residual stream.
  const size = optimises ? 0 : await meanResidualNorm(model, tried, layer, io.signal);
  const vectors = [];
  for (const found of result.vectors) {
    const scale = optimises ? 1 : -size / (found.norm || 1);
    const steered = await steering.run({ layer, vector: found.vector, scale });
    vectors.push(
      presentVector(found, opened, corpus === undefined ? undefined : units, flags.top, { ...steered, heldOut }),
    );
  }
  const used = usedSettings(
    model,
    { ...flags, date },
    {
      action: flags.action ?? null,
      actionEnds: flags.actionEnds ?? false,
      prompts: training.length,
      sae: opened?.name ?? null,
      corpus: corpus ?? null,
      seed: method.options.includes("seed") ? flags.seed : null,
    },
  );
  const report = {
    method: method.name,
    layer,
    ...(swept ? { layers: swept.tried } : {}),
    hyperparameters: {
      ...result.hyperparameters,
      ...(swept ? { layerChosenFrom: swept.tried.map((one) => one.layer).join(", ") } : {}),
      ...(needsUnits && opened ? { unitsFrom: corpus ?? "the prompts optimised over" } : {}),
    },
    timing: {
      setupSeconds,
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

/** The flags that were given, as the method's options; the method refuses those that are not its own. */
function methodOptions(method: Method, flags: FindFlags): MethodOptions {
  const given: MethodOptions = {
    ...(flags.steps === undefined ? {} : { steps: flags.steps }),
    ...(flags.vectors === undefined ? {} : { vectors: flags.vectors }),
    ...(flags.lambda === undefined ? {} : { lambda: flags.lambda }),
    ...(flags.radius === undefined ? {} : { radius: flags.radius }),
    ...(flags.optimizer === undefined ? {} : { optimizer: flags.optimizer }),
    ...(flags.lr === undefined ? {} : { learningRate: flags.lr }),
    ...(flags.signed === undefined ? {} : { signed: flags.signed }),
    ...(flags.units === undefined ? {} : { units: flags.units }),
    ...(flags.readBy === undefined ? {} : { readBy: flags.readBy }),
    ...(flags.unitNorm === undefined ? {} : { unitNorm: flags.unitNorm }),
    ...(flags.patience === undefined ? {} : { patience: flags.patience }),
  };
  return method.options.includes("seed") ? { ...given, seed: flags.seed } : given;
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
  /** Every layer that was tried, where none was given. */
  readonly layers?: readonly TriedLayer[];
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

function findText({ method, layer, layers, hyperparameters, timing, vectors, used }: FindReport): string {
  const blocks = vectors.map(({ index, norm, loss, steps, latents, steered }) => {
    const lines = [
      `vector ${index}: norm ${norm.toPrecision(4)}, loss ${loss.initial.toFixed(4)} → ${loss.final.toFixed(4)} in ${steps} steps`,
      `  said on ${rateText(steered.actionRate)} of ${steered.heldOut ? "held-out" : "the same"} prompts (added ×${Number(steered.scale.toPrecision(4))})`,
    ];
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
    ...(layers ? [layersText(layers)] : []),
    ...blocks,
    `set-up ${duration(setupSeconds)}, ${secondsPerStep.toPrecision(3)} s a step, peak memory ${bytes(peakMemoryBytes)}`,
    usedText(used),
  ].join("\n\n");
}
