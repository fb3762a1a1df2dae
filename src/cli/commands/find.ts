/**
 * `find`: directions that make the model say the action, or change a later layer most, and the SAE latents that they are made of.
 *   1. open and check what the flags name (`find-setup.ts`), choose the layer where none is given (`find-sweep.ts`), and read
 *      latents on a corpus (`find-corpus.ts`);
 *   2. prepare the method's objective and run the method (`find-search.ts`);
 *   3. add its vectors to other prompts (`find-trial.ts`);
 *   4. the same search where no trigger can be, and the vectors read beside it (`find-controls.ts`, `find-reading.ts`);
 *   5. report (`find-report.ts`).
 * Time and memory are those of the method: what 4 takes is not counted. `iterated-attribution` goes its own way (`find-iterated.ts`).
 */
import { resolve } from "node:path";
import { Argument, Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import type { Method } from "../../methods/method.js";
import { findMethod, methods } from "../../methods/registry.js";
import { type Timing, timedObjective } from "../../methods/timing.js";
import { findPage } from "../../report/find-page.js";
import { CARD_SIZES } from "../../sae/latent-card.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { requirePlaceOfFile } from "../../store/own-folder.js";
import { actionMatchOptions } from "../action/action-options.js";
import { readFindCorpus } from "../find/find-corpus.js";
import { findIterated, ITERATED_ATTRIBUTION } from "../find/find-iterated.js";
import { AUTO_LAYERS } from "../find/find-layer.js";
import { readFound } from "../find/find-reading.js";
import { type FindReport, findText, vectorJson } from "../find/find-report.js";
import { prepareObjective, runMethod, type Search, takesOneGradient } from "../find/find-search.js";
import { type FindFlags, type FindSetup, setUpFind } from "../find/find-setup.js";
import { sweepLayers } from "../find/find-sweep.js";
import { tryVectors } from "../find/find-trial.js";
import { searchOptions } from "../find/search-options.js";
import { watchMemory } from "../model/peak-memory.js";
import { writeDirections } from "../model/steering-file.js";
import { type Used, usedSettings } from "../model/used.js";
import type { Io } from "../terminal/io.js";
import {
  labelledSaeOptions,
  layerList,
  modelOptions,
  outputPath,
  promptOptions,
  wholeNumber,
} from "../terminal/options.js";
import { packageVersion } from "../terminal/package-files.js";

const DEFAULT_TOP = 20;
const DEFAULT_SAMPLES = 3;

/** The methods, and what is built on one and on experiments with prompts, which methods know nothing of. */
const searches = [...methods, ITERATED_ATTRIBUTION];

export function findCommand(io: Io): Command {
  const command = new Command("find")
    .description("directions that elicit the action, or change a later layer most, read as SAE latents")
    .addArgument(new Argument("<method>", "how to look for them").choices(searches.map(({ name }) => name)))
    .addHelpText("after", `\nMethods:\n${searches.map(({ name, summary }) => `  ${name}: ${summary}`).join("\n")}`)
    .option("--corpus <file>", "prompts to measure latents on: their typical activation, and which are dead")
    .option("--eval-prompts <file>", "prompts to try the vectors on")
    .option("--train <n>", "optimise over the first n prompts alone", wholeNumber(1))
    .option("--layers <list>", "layers to try, such as 1,2,4, or `auto`; the best is used", layerList(AUTO_LAYERS))
    .option("--iterations <n>", "most concepts that iterated-attribution puts together", wholeNumber(1))
    .option("--top <n>", "latents listed for each vector", wholeNumber(1), DEFAULT_TOP)
    .option("--samples <n>", "replies shown for each vector", wholeNumber(0), DEFAULT_SAMPLES)
    .option("--contexts <n>", "contexts shown for each latent", wholeNumber(0), CARD_SIZES.contexts)
    .option("--base <model>", "the clean model of a full finetune, for the control")
    .option("--action-paraphrases <file>", "the action in other words, one a line: another control")
    .option("--no-controls", "leave out the same search on the clean model, and random directions")
    .option("--html <file>", "write what was found as one page", outputPath)
    .option("--save <file>", "write the vectors as safetensors", outputPath);
  return searchOptions(labelledSaeOptions(actionMatchOptions(promptOptions(modelOptions(command))))).action(
    async (name: string, flags: FindFlags) => {
      await requirePlaces(flags);
      const positionsGiven = command.getOptionValueSource("positions") !== "default";
      const asked = withPositions(flags, positionsGiven);
      return name === ITERATED_ATTRIBUTION.name ? findIterated(io, asked) : find(io, findMethod(name), asked);
    },
  );
}

/** InputError, before anything is computed, where what was found could not be written. */
async function requirePlaces({ html, save }: FindFlags): Promise<void> {
  if (html !== undefined) await requirePlaceOfFile(html, "--html");
  if (save !== undefined) await requirePlaceOfFile(save, "--save");
  if (html !== undefined && save !== undefined && resolve(html) === resolve(save))
    throw new InputError(`--save ${save}: --html writes the same file; give two names`);
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
  const setup = await setUpFind(io, method, flags);
  const { model, options, available, where } = setup;
  const swept = "layers" in where ? await sweepLayers(io, setup, where.layers) : undefined;
  const layer = "layer" in where ? where.layer : swept!.layer;
  // A swept layer need not be the one that the SAE reads.
  const opened = swept && available?.sae.info.layer !== layer ? undefined : available;
  const corpus = await readFindCorpus(io, setup, opened, layer, flags);
  const action = setup.action?.action ?? null;
  const search: Search = { method, options, layer, action, sae: opened?.sae, typicalActivation: corpus.typical };
  const { sequences } = setup.training;
  const prepared = await prepareObjective(io, model.engine, sequences, search);
  const timing: Timing = { evaluations: 0, seconds: 0, radiusSeconds: 0 };
  const setupSeconds = (performance.now() - started) / 1000;

  const result = await runMethod(io, model.engine, sequences, timedObjective(prepared, timing), search);
  const { vectors } = result;
  if (flags.save !== undefined)
    await writeDirections(
      flags.save,
      vectors.map(({ vector }) => vector),
      { layer, model: model.name, method: method.name },
    );
  const steered = await tryVectors(io, model, swept?.left ?? setup, vectors, {
    layer,
    action,
    gradients: takesOneGradient(method),
    samples: flags.samples,
    afterPrompt: flags.variant === "published",
  });
  const peakMemoryBytes = memory.stop() + (await model.peakMemory());

  const { readings, controls } = await readFound(io, setup, opened, search, corpus, result, flags);
  const report: FindReport = {
    method: method.name,
    layer,
    ...(swept ? { layers: swept.tried } : {}),
    hyperparameters: {
      ...result.hyperparameters,
      ...(swept ? { layerChosenFrom: swept.tried.map((one) => one.layer).join(", ") } : {}),
      ...(corpus.unitsFrom === undefined ? {} : { unitsFrom: corpus.unitsFrom }),
    },
    timing: {
      setupSeconds: setupSeconds + timing.radiusSeconds,
      secondsPerStep: timing.seconds / Math.max(1, timing.evaluations),
      evaluations: timing.evaluations,
      peakMemoryBytes,
    },
    vectors: vectors.map((found, i) => vectorJson(found, steered[i]!, readings[i], model.engine.model.dModel)),
    controls: controls.map(({ name, what }) => ({ name, what })),
    score: method.score,
    used: used(setup, opened?.name ?? null, corpus.name, flags),
  };
  if (flags.html !== undefined) await writeFileAtomic(flags.html, findPage(report, `antecedent ${packageVersion()}`));
  io.result(
    flags.json,
    () => report,
    () => findText(report),
  );
}

function used(
  { model, method, action, training, date }: FindSetup,
  sae: string | null,
  corpus: string | null,
  flags: FindFlags,
) {
  const settings: Used = {
    ...(action?.used ?? { action: null, actionEnds: false }),
    prompts: training.conversations.length,
    sae,
    corpus,
    seed: method.options.includes("seed") ? flags.seed : null,
  };
  return usedSettings(model, { ...flags, date }, settings);
}
