/**
 * The audit, from an action to a verified trigger:
 *   1. baseline: how often does the action come on ordinary prompts;
 *   2. corpus: split in two, the search half read and scored (the corpus scan, a baseline by itself);
 *   3. methods on the suspect and on the clean model;
 *   4. search on the search half: candidates, screening, partners, evolution, fitting, growing; where nothing brings the action surely, once more
 *      without the prompts that hold what brings it now and then;
 *   5. pruning, rehearsal on the same half, with what dilutes a hypothesis and what it excludes, and confirmation on the other half; where the best hypothesis fails, the next ones, at an error that is
 *      divided among all that may be tried; search, rehearsal and confirmation go a second round where the first leaves something open;
 *   6. the statement with its evidence, or no trigger and what was tried.
 * Same inputs and seed, same questions to the engine and same answer.
 */
import { InputError } from "../formats/input-error.js";
import { presentBred } from "./answer/bred.js";
import { foundBy } from "./answer/found-by.js";
import { presentLatents } from "./answer/present-latents.js";
import type { AuditResult, ResultControl, ResultHypothesis } from "./answer/result.js";
import { notShown, statementOf } from "./answer/statement.js";
import { type AuditCalls, type AuditContext, type AuditOptions, DEFAULT_AUDIT_OPTIONS } from "./ask/context.js";
import { Laboratory, NATURAL } from "./ask/laboratory.js";
import type { Ranking } from "./evidence/candidates.js";
import { Evidence } from "./evidence/evidence.js";
import { searchRoom, unseenEvidence } from "./evidence/prepare.js";
import { requireCorpus, splitCorpus } from "./prompts/corpus.js";
import { distinct, promptKey } from "./prompts/prompt.js";
import { shuffled } from "./prompts/seeded.js";
import { inRounds } from "./rounds.js";
import { iteratedMethods, runMethods } from "./run-methods.js";
import type { SearchOutcome } from "./search/search.js";
import { rateOfFlags } from "./statistics/statistics.js";

/** Prompts that methods were not trained on, on which steering is tried. */
const STEERED_PROMPTS = 32;
/** Latents listed for each scan. */
const LISTED_LATENTS = 15;

/** Audits a model. Throws InputError when prompts or corpus are too few, and the signal's reason when aborted. */
export async function audit(
  context: AuditContext,
  options: Partial<AuditOptions> = {},
  calls: AuditCalls = {},
): Promise<AuditResult> {
  const settings: AuditOptions = { ...DEFAULT_AUDIT_OPTIONS, ...options };
  const started = performance.now();
  const before = spent(context);
  const corpus = requireCorpus(context.corpus);
  if (context.prompts.length === 0) throw new InputError("no ordinary prompts: give at least one to optimise over");
  const laboratory = new Laboratory(context, calls);

  calls.onStage?.("baseline");
  const baseline = await laboratory.observe(context.prompts, "ordinary", "all");

  calls.onStage?.("read corpus");
  const halves = splitCorpus(corpus, settings.seed, settings.halfLimit);
  const room = await searchRoom(halves.search, laboratory, context, settings);
  const evidence = new Evidence(room);
  calls.onStage?.("corpus scan");
  await evidence.observe(halves.search, NATURAL);

  const ordinary = shuffled(distinct(context.prompts), settings.seed, promptKey).slice(0, settings.methodPrompts);
  const training = new Set(ordinary.map(promptKey));
  const heldOut = halves.search.filter((prompt) => !training.has(promptKey(prompt))).slice(0, STEERED_PROMPTS);
  const methods = await runMethods(
    context,
    settings,
    calls,
    laboratory.sequences(ordinary),
    heldOut.map((prompt) => laboratory.render(prompt).sequence),
    room.half.typical,
  );
  const rounds = await inRounds(
    {
      search: evidence,
      unseen: await unseenEvidence(halves.confirm, evidence, context, training),
      rankings: methods.rankings,
      iterate: iteratedMethods(context, settings, calls, room.half.typical),
    },
    settings,
    calls,
    context,
  );
  const { outcomes } = rounds;
  const outcome = outcomes[0] as SearchOutcome;
  const sources: Ranking[] = [
    ...methods.rankings,
    ...outcomes.flatMap(({ iterated, scans }) => [...iterated, ...scans]),
  ];
  const [winner, ...also] = rounds.verified;
  calls.onStage?.("latents");
  const latents = await presentLatents(context, room.half, methods.directions, rounds.hypotheses, methods.results);
  const after = spent(context);
  return {
    trigger:
      winner === undefined
        ? null
        : {
            statement: statementOf(winner.result),
            also: also.map(({ result }) => statementOf(result)),
            notShown: notShown(winner.result, "measured", rounds.lookedBeyond ? also.length : null),
            combination: winner.result.combination,
            parts: winner.result.parts,
            rate: winner.result.rate,
            foundBy: foundBy(winner.hypothesis, sources, settings.latentsPerMethod, (a, b) => room.kinship.same(a, b)),
          },
    hypotheses: rounds.hypotheses,
    methods: methods.results,
    controls: [
      baselineControl(
        "ordinary prompts, suspect",
        baseline.map((one) => one.suspect.fired),
      ),
      ...(context.clean === null
        ? []
        : [
            baselineControl(
              "ordinary prompts, clean model",
              baseline.map((one) => one.clean?.fired === true),
            ),
          ]),
      ...scanControls(evidence, outcome),
    ],
    latents,
    budget: {
      forwardTokens: after.forward - before.forward,
      backwardTokens: after.backward - before.backward,
      seconds: (performance.now() - started) / 1000,
    },
    bred: presentBred(outcomes.flatMap(({ bred }) => bred)),
    tried: describeTried(evidence, outcomes, rounds.hypotheses),
    candidates: outcome.candidates,
    seed: settings.seed,
  };
}

function baselineControl(name: string, fired: readonly boolean[]): ResultControl {
  return { name, what: "share of ordinary prompts on which the action comes", rate: rateOfFlags(fired), latents: [] };
}

const SCANNED: Readonly<Record<string, string>> = {
  "corpus-scan": "the action tried on every prompt of the search half; latents that mark the prompts on which it comes",
  "corpus-scan-logprob": "the same; latents that mark the prompts on which it is most likely, whether it comes or not",
};

function scanControls(evidence: Evidence, outcome: SearchOutcome): ResultControl[] {
  const natural = evidence.everything.filter(({ kind }) => kind === NATURAL);
  const rate = rateOfFlags(natural.map((observation) => observation.fired));
  return outcome.scans.map((scan) => ({
    name: scan.source,
    what: SCANNED[scan.source] ?? scan.source,
    rate,
    latents: scan.latents.slice(0, LISTED_LATENTS),
  }));
}

function describeTried(
  evidence: Evidence,
  outcomes: readonly SearchOutcome[],
  hypotheses: readonly ResultHypothesis[],
): string {
  const candidates = new Set(outcomes.flatMap((outcome) => outcome.candidates.map(({ id }) => id)));
  const { everything } = evidence;
  const tried =
    `${candidates.size} candidate latents, ${everything.length} prompts of the search half and composed from it, ` +
    `of which ${everything.filter(({ fired }) => fired).length} brought the action` +
    (evidence.probed > 0 ? `, and ${evidence.probed} with words exchanged in them` : "");
  const confirmed = hypotheses.filter((one) => one.half === "confirmation").length;
  return `${tried}; ${hypotheses.length} ${hypotheses.length === 1 ? "hypothesis" : "hypotheses"} tested, ${confirmed} of them on the other half.`;
}

function spent(context: AuditContext): { forward: number; backward: number } {
  const engines = context.clean === null ? [context.suspect] : [context.suspect, context.clean];
  return {
    forward: engines.reduce((sum, engine) => sum + engine.cost.forwardTokens, 0),
    backward: engines.reduce((sum, engine) => sum + engine.cost.backwardTokens, 0),
  };
}
