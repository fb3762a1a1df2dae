/** `find`: directions that make the model say the action, and the SAE latents that they are made of. */
import { Argument, Command, Option } from "commander";
import type { Engine, SteeringObjective } from "../../engine/engine.js";
import { InputError } from "../../formats/input-error.js";
import { checkInput } from "../../methods/check-input.js";
import type { Method, MethodOptions } from "../../methods/method.js";
import { findMethod, methods } from "../../methods/registry.js";
import { type Timing, timedObjective } from "../../methods/timing.js";
import { readVectors } from "../../methods/vector-reading.js";
import type { Sequence } from "../../model/sequence.js";
import { findPage } from "../../report/find-page.js";
import { CARD_SIZES } from "../../sae/latent-card.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { actionTokens, withAction } from "../action.js";
import { loadParaphrases, runControls } from "../find-controls.js";
import { findPrompts } from "../find-prompts.js";
import { findText, type VectorJson, vectorJson } from "../find-report.js";
import type { Io } from "../io.js";
import { readLatentCorpus } from "../latent-corpus.js";
import { chooseLayer } from "../layer.js";
import { openCleanModel, openModel } from "../open-model.js";
import { openSaeFor, requireSae } from "../open-sae.js";
import {
  type ActionFlags,
  actionOptions,
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
import { packageVersion } from "../package-files.js";
import { watchMemory } from "../peak-memory.js";
import { CORPUS_SET, loadPrompts, renderAll, requireMaskedTokens } from "../prompts.js";
import { meanResidualNorm, SteeringTrial } from "../steered.js";
import { writeDirections } from "../steering-file.js";
import { usedSettings } from "../used.js";

const DEFAULT_TOP = 20;
const DEFAULT_SAMPLES = 3;

interface FindFlags extends ModelFlags, PromptFlags, SaeFlags, ActionFlags {
  readonly corpus?: string;
  readonly evalPrompts?: string;
  readonly train?: number;
  readonly top: number;
  readonly samples: number;
  readonly contexts: number;
  readonly base?: string;
  readonly controls: boolean;
  readonly actionParaphrases?: string;
  readonly html?: string;
  readonly save?: string;
  readonly steps?: number;
  readonly vectors?: number;
  readonly lambda?: number;
  readonly radius?: number;
  readonly lr?: number;
  readonly signed?: boolean;
  readonly units?: "typical" | "raw";
  readonly readBy?: "encoder" | "decoder";
  readonly unitNorm?: boolean;
  readonly patience?: number;
}

export function findCommand(io: Io): Command {
  const command = new Command("find")
    .description("directions that elicit the action, read as SAE latents")
    .addArgument(new Argument("<method>", "how to look for them").choices(methods.map(({ name }) => name)))
    .addHelpText("after", `\nMethods:\n${methods.map(({ name, summary }) => `  ${name}: ${summary}`).join("\n")}`)
    .option("--corpus <file>", "prompts to measure latents on: their typical activation, and which are dead")
    .option("--eval-prompts <file>", "prompts to try the vectors on")
    .option("--train <n>", "optimise over the first n prompts alone", wholeNumber(1))
    .option("--steps <n>", "cap on updates for each vector, a path of λ included", wholeNumber(1))
    .option("--vectors <n>", "how many mutually orthogonal vectors", wholeNumber(1))
    .option("--lambda <x>", "weight of the penalty; default: found by a path", nonNegativeNumber)
    .option("--radius <x>", "fixed norm of the vector instead of a penalty", positiveNumber)
    .option("--lr <x>", "learning rate", positiveNumber)
    .option("--signed", "latents may be negative too")
    .addOption(new Option("--units <which>", "coordinates of latents").choices(["typical", "raw"]))
    .addOption(new Option("--read-by <which>", "what reads a vector as latents").choices(["encoder", "decoder"]))
    .option("--unit-norm", "score with decoder rows of norm 1")
    .option("--patience <n>", "stop after so many steps without progress", wholeNumber(1))
    .option("--top <n>", "latents listed for each vector", wholeNumber(1), DEFAULT_TOP)
    .option("--samples <n>", "replies shown for each vector", wholeNumber(0), DEFAULT_SAMPLES)
    .option("--contexts <n>", "contexts shown for each latent", wholeNumber(0), CARD_SIZES.contexts)
    .option("--base <model>", "the clean model of a full finetune, for the control")
    .option("--action-paraphrases <file>", "the action in other words, one a line: another control")
    .option("--no-controls", "leave out the same search on the clean model, and random directions")
    .option("--html <file>", "write what was found as one page", outputPath)
    .option("--save <file>", "write the vectors as safetensors", outputPath);
  return saeOptions(actionOptions(promptOptions(modelOptions(command)))).action((name: string, flags: FindFlags) =>
    find(io, findMethod(name), flags),
  );
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
  const { dModel } = model.engine.model;
  if (method.sae !== "required" && (flags.vectors ?? 1) > dModel)
    throw new InputError(`--vectors ${flags.vectors}: at most ${dModel} (the model's width) can be orthogonal`);
  const action = actionTokens(model, flags);
  checkControlFlags(flags, opened !== undefined);
  const paraphrases = await loadParaphrases(model, flags.actionParaphrases, flags.actionEnds);
  // A --base that does not fit must not be found out after the search; without it the clean model is opened when it is needed.
  const base = flags.base === undefined ? null : await openCleanModel(model, flags.base);
  const { training, trial, heldOut } = await findPrompts(flags, model);
  const { sequences: prompts, date } = renderAll(model, training, flags);
  requireMaskedTokens(prompts, training, flags.positions);
  const sequences = withAction(prompts, action);

  const corpus = flags.corpus ?? (model.isPocket ? CORPUS_SET : undefined);
  const needsUnits = method.options.includes("units") && flags.units !== "raw";
  const corpusPrompts = corpus === undefined ? undefined : await loadPrompts(corpus);
  const read = corpusPrompts ?? (needsUnits ? training : undefined);
  const reading =
    opened && read ? await readLatentCorpus(io, model, opened.sae, renderAll(model, read, flags), layer) : undefined;
  const prepare = (engine: Engine, on: readonly Sequence[]) =>
    engine.steeringObjective(on, layer, { signal: io.signal, onProgress: io.progress("preparing") });
  const prepared = await prepare(model.engine, sequences);
  const timing: Timing = { evaluations: 0, seconds: 0 };
  const setupSeconds = (performance.now() - started) / 1000;

  const optimises = method.options.includes("steps");
  const search = async (engine: Engine, on: readonly Sequence[], objective: SteeringObjective, name: string) => {
    const elicitation = async (vector: Float32Array) => {
      const scores = await engine.score(on, { steering: { layer, vector }, signal: io.signal });
      return scores.filter(({ greedyMatch }) => greedyMatch).length / scores.length;
    };
    const result = await method.run({
      objective,
      dModel,
      sae: opened?.sae,
      typicalActivation: reading?.units.typical,
      options,
      elicitation: optimises ? elicitation : undefined,
      onProgress: io.progress(name),
      signal: io.signal,
    });
    await objective.dispose();
    const finite = (values: Float32Array | null) => values === null || values.every(Number.isFinite);
    if (!result.vectors.every(({ vector, scores }) => finite(vector) && finite(scores)))
      throw new InputError(`${name}: the search left the range of numbers; give a smaller --lr, --lambda or --radius`);
    return result;
  };
  const result = await search(model.engine, sequences, timedObjective(prepared, timing), method.name);
  if (flags.save !== undefined)
    await writeDirections(
      flags.save,
      result.vectors.map(({ vector }) => vector),
      { layer, model: model.name, method: method.name },
    );

  const tried = renderAll(model, trial, flags).sequences;
  const trialPrompts = withAction(tried, action).map((sequence, i) => ({
    sequence,
    text: trial[i]?.findLast(({ role }) => role === "user")?.content ?? "",
  }));
  const steering = new SteeringTrial(model, trialPrompts, flags.samples, io.signal);
  // A gradient points away from the action and has no size of its own: it is tried backwards, as large as the residual stream.
  const size = optimises ? 0 : await meanResidualNorm(model, tried, layer, io.signal);
  const steered: VectorJson["steered"][] = [];
  for (const found of result.vectors) {
    const scale = optimises ? 1 : -size / (found.norm || 1);
    steered.push({ ...(await steering.run({ layer, vector: found.vector, scale })), heldOut });
  }
  const peakMemoryBytes = memory.stop();

  // What follows reads the vectors; the method's own time and memory are counted by now.
  const controls =
    opened && flags.controls
      ? await runControls({
          method,
          options,
          model,
          clean: base ?? (await openCleanModel(model, undefined)),
          sae: opened.sae,
          vectors: result.vectors,
          gradients: !optimises,
          prompts,
          action,
          paraphrases,
          seed: flags.seed,
          search: async (engine, on, name) => search(engine, on, await prepare(engine, on), `${method.name}, ${name}`),
        })
      : [];
  const readings = opened
    ? await readVectors({
        sae: opened.sae,
        label: opened.label,
        corpus: corpus === undefined ? undefined : reading,
        vocabulary: { unembedding: model.engine, tokenText: (id) => model.tokenizer.tokenText(id) },
        vectors: result.vectors,
        gradients: !optimises,
        controls,
        top: flags.top,
        sizes: { ...CARD_SIZES, contexts: flags.contexts },
      })
    : [];
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
    hyperparameters: {
      ...result.hyperparameters,
      ...(needsUnits && opened ? { unitsFrom: corpus ?? "the prompts optimised over" } : {}),
    },
    timing: {
      setupSeconds,
      secondsPerStep: timing.seconds / Math.max(1, timing.evaluations),
      evaluations: timing.evaluations,
      peakMemoryBytes,
    },
    vectors: result.vectors.map((found, i) => vectorJson(found, steered[i]!, readings[i], dModel)),
    controls: controls.map(({ name, what }) => ({ name, what })),
    score: method.score,
    used,
  };
  if (flags.html !== undefined) await writeFileAtomic(flags.html, findPage(report, `antecedent ${packageVersion()}`));
  io.result(
    flags.json,
    () => report,
    () => findText(report),
  );
}

/** Controls score latents: their flags mean nothing where there is no SAE, or where controls are left out. */
function checkControlFlags({ controls, base, actionParaphrases }: FindFlags, hasSae: boolean): void {
  const flag = base !== undefined ? "--base" : actionParaphrases !== undefined ? "--action-paraphrases" : undefined;
  if (flag === undefined) return;
  if (!controls) throw new InputError(`${flag}: is for a control; leave out --no-controls`);
  if (!hasSae) throw new InputError(`${flag}: is for a control, which scores latents; give their SAE with --sae`);
}

/** The flags that were given, as the method's options; the method refuses those that are not its own. */
function methodOptions(method: Method, flags: FindFlags): MethodOptions {
  const given: MethodOptions = {
    ...(flags.steps === undefined ? {} : { steps: flags.steps }),
    ...(flags.vectors === undefined ? {} : { vectors: flags.vectors }),
    ...(flags.lambda === undefined ? {} : { lambda: flags.lambda }),
    ...(flags.radius === undefined ? {} : { radius: flags.radius }),
    ...(flags.lr === undefined ? {} : { learningRate: flags.lr }),
    ...(flags.signed === undefined ? {} : { signed: flags.signed }),
    ...(flags.units === undefined ? {} : { units: flags.units }),
    ...(flags.readBy === undefined ? {} : { readBy: flags.readBy }),
    ...(flags.unitNorm === undefined ? {} : { unitNorm: flags.unitNorm }),
    ...(flags.patience === undefined ? {} : { patience: flags.patience }),
  };
  return method.options.includes("seed") ? { ...given, seed: flags.seed } : given;
}
