/** `find iterated-attribution`: attribution again and again, over prompts that hold what was found before. */

import { claimOf } from "../../audit/answer/statement.js";
import type { AuditContext } from "../../audit/ask/context.js";
import { methodRunner } from "../../audit/ask/method-runner.js";
import type { FoundDirection, MethodRunner } from "../../audit/ask/methods.js";
import { DEFAULT_ITERATION } from "../../audit/iterate.js";
import { type IteratedResult, iteratedAttribution } from "../../audit/iterated-attribution.js";
import type { Engine } from "../../engine/engine.js";
import { InputError } from "../../formats/input-error.js";
import type { FoundVector } from "../../methods/method.js";
import { norm } from "../../methods/orthogonality.js";
import { saeAttribution } from "../../methods/sae-attribution.js";
import { type Timing, timedObjective } from "../../methods/timing.js";
import { readVectors } from "../../methods/vector-reading.js";
import { findPage } from "../../report/find-page.js";
import { CARD_SIZES } from "../../sae/latent-card.js";
import { readRows } from "../../sae/readings.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { setUpAudit } from "../audit/audit-setup.js";
import type { OpenedModel } from "../model/open-model.js";
import { watchMemory } from "../model/peak-memory.js";
import { writeDirections } from "../model/steering-file.js";
import { CORPUS_SET } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import { packageVersion } from "../terminal/package-files.js";
import { stageCalls } from "../terminal/stage-calls.js";
import { checkControlFlags, runControls } from "./find-controls.js";
import { findPrompts } from "./find-prompts.js";
import { vectorJson } from "./find-report.js";
import type { FindFlags } from "./find-setup.js";
import { tryVectors } from "./find-trial.js";
import { iteratedText } from "./iterated-text.js";
import { hasNoFlag } from "./search-options.js";

export const ITERATED_ATTRIBUTION = {
  name: "iterated-attribution",
  summary: "sae-attribution, its best concept written into the prompts if that raises the action, and again",
};

/** Flags of `find` that mean nothing here. */
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
  "targetLayer",
  "p",
  "q",
  "actionParaphrases",
] as const satisfies readonly (keyof FindFlags)[];

export async function findIterated(io: Io, flags: FindFlags): Promise<void> {
  const memory = watchMemory();
  const started = performance.now();
  const { name } = ITERATED_ATTRIBUTION;
  checkFlags(flags);
  const request = { ...flags, methods: [saeAttribution.name] };
  const { model, context, used } = await setUpAudit(io, request, flags, name);
  const { layer, sae, action } = context;
  const prompts = await findPrompts(flags, model);
  const { conversations } = prompts.training;
  const timing: Timing = { evaluations: 0, seconds: 0, radiusSeconds: 0 };
  const options = { unitNorm: flags.unitNorm ?? false };
  const runner = methodRunner(saeAttribution, sae, options, (objective) => timedObjective(objective, timing));
  const setupSeconds = (performance.now() - started) / 1000;

  const iteration = {
    ...DEFAULT_ITERATION,
    ...(flags.iterations === undefined ? {} : { iterations: flags.iterations }),
  };
  const result = await iteratedAttribution(
    { ...context, prompts: conversations.map((messages) => ({ messages })), methods: [runner] },
    iteration,
    { seed: flags.seed },
    stageCalls(io, "read corpus"),
  );
  const vectors = result.steps.map(({ attribution }, index) => foundVector(attribution, index));
  if (flags.save !== undefined)
    await writeDirections(
      flags.save,
      vectors.map(({ vector }) => vector),
      { layer, model: model.name, method: name },
    );
  const steered = await tryVectors(io, model, prompts, vectors, {
    layer,
    action,
    gradients: true,
    samples: flags.samples,
  });
  const peakMemoryBytes = memory.stop() + (await model.peakMemory());

  const untimed = methodRunner(saeAttribution, sae, options);
  const { controls, readings } = await read(io, model, context, untimed, result, vectors, flags);
  const report = {
    method: name,
    layer,
    hyperparameters: { ...iteration, ...options },
    timing: {
      setupSeconds,
      secondsPerStep: timing.seconds / Math.max(1, timing.evaluations),
      evaluations: timing.evaluations,
      peakMemoryBytes,
    },
    vectors: vectors.map((found, i) => vectorJson(found, steered[i]!, readings[i], sae.info.dModel)),
    controls: controls.map(({ name, what }) => ({ name, what })),
    steps: result.steps.map(({ attribution: _, ...step }) => step),
    condition: result.condition,
    claim: result.condition && claimOf(result.condition, "measured"),
    reached: result.reached,
    ended: result.ended,
    score: saeAttribution.score,
    used: {
      ...used,
      corpus: flags.corpus ?? CORPUS_SET,
      prompts: conversations.length,
      promptCount: conversations.length,
    },
  };
  if (flags.html !== undefined) await writeFileAtomic(flags.html, findPage(report, `antecedent ${packageVersion()}`));
  io.result(
    flags.json,
    () => report,
    () => iteratedText(report),
  );
}

function checkFlags(flags: FindFlags): void {
  const { name } = ITERATED_ATTRIBUTION;
  const foreign = FOREIGN.find((flag) => flags[flag] !== undefined);
  if (foreign !== undefined) throw new InputError(hasNoFlag(name, foreign, ["iterations", "unitNorm"]));
  if (flags.variant === "published") throw new InputError(`--variant published: there is no published code of ${name}`);
  if (flags.positions !== "user") throw new InputError(`${name} writes into the user's text: --positions must be user`);
  checkControlFlags(flags, saeAttribution, true);
}

function foundVector({ vector, scores, loss, steps }: FoundDirection, index: number): FoundVector {
  return { index, vector, z: null, norm: norm(vector), loss, steps, lambda: null, elicits: null, log: [], scores };
}

/** The attributions as latents, beside a random direction and the clean model's attributions over the same prompts. */
async function read(
  io: Io,
  model: OpenedModel,
  { action, sae, layer, clean, label, lens }: AuditContext,
  runner: MethodRunner,
  { attributed, reading }: IteratedResult,
  vectors: readonly FoundVector[],
  flags: FindFlags,
) {
  const attributions = async (engine: Engine) => {
    const found: FoundVector[] = [];
    for (const sequences of attributed) {
      const call = { action, layer, typical: reading.units.typical, seed: flags.seed, signal: io.signal };
      const [direction] = await runner.run(engine, sequences, call);
      found.push(foundVector(direction!, found.length));
    }
    return { vectors: found, hyperparameters: {} };
  };
  const controls = flags.controls
    ? await runControls({
        method: saeAttribution,
        options: { unitNorm: flags.unitNorm ?? false },
        model,
        sae,
        vectors,
        gradients: true,
        paraphrases: [],
        clean,
        seed: flags.seed,
        search: attributions,
      })
    : [];
  const readings = await readVectors({
    sae,
    label,
    corpus: reading,
    vocabulary: lens,
    vectors,
    gradients: true,
    unitNorm: flags.unitNorm ?? false,
    unitLengths: await sae.unitLengths(() => readRows(model.engine, attributed.flat(), layer, { signal: io.signal })),
    controls,
    top: flags.top,
    sizes: { ...CARD_SIZES, contexts: flags.contexts },
  });
  return { controls, readings };
}
