/**
 * Iterated attribution as a whole: the corpus is split; the condition is found on one half (`iterate.ts`), rid there of what later
 * steps made needless (`prune.ts`: a first concept may be a faint reading of one that joins later), and tested on the other
 * half, as `verify` tests a hypothesis that a person brings.
 */
import { InputError } from "../formats/input-error.js";
import type { Sequence } from "../model/sequence.js";
import type { CorpusReading } from "../sae/corpus-reading.js";
import { presentHypothesis, presentPart } from "./answer/present.js";
import type { ResultHypothesis } from "./answer/result.js";
import { type AuditCalls, type AuditContext, type AuditOptions, DEFAULT_AUDIT_OPTIONS } from "./ask/context.js";
import { Laboratory, NATURAL } from "./ask/laboratory.js";
import type { FoundDirection } from "./ask/methods.js";
import { makePart } from "./concepts/detector.js";
import { confirm } from "./confirm/confirm.js";
import { planTest } from "./confirm/plan.js";
import { Evidence } from "./evidence/evidence.js";
import { searchRoom, unseenEvidence } from "./evidence/prepare.js";
import {
  type Attribute,
  DEFAULT_ITERATION,
  type IterationOptions,
  type IterationStep,
  iterateAttribution,
} from "./iterate.js";
import { requireCorpus, splitCorpus } from "./prompts/corpus.js";
import { distinct, promptKey } from "./prompts/prompt.js";
import { rankingsOf } from "./run-methods.js";
import { prune } from "./search/prune.js";

/** A step with its concepts named. */
export interface NamedStep extends Omit<IterationStep<FoundDirection>, "tried"> {
  readonly tried: readonly (IterationStep<FoundDirection>["tried"][number] & {
    readonly label: string;
    readonly words: readonly string[];
  })[];
}

export interface IteratedResult {
  readonly steps: readonly NamedStep[];
  /** The last step's condition without needless concepts, tested on the half of the corpus that the steps never saw; null where there is none. */
  readonly condition: ResultHypothesis | null;
  readonly reached: boolean;
  readonly ended: string;
  /** The prompts with the action that each attribution was taken over. */
  readonly attributed: readonly (readonly Sequence[])[];
  /** The search half, to read latents on. */
  readonly reading: CorpusReading;
}

/**
 * Iterates with the first gradient method of the context. Throws InputError where there is none, or too few prompts, and the
 * signal's reason when aborted.
 */
export async function iteratedAttribution(
  context: AuditContext,
  iteration: Partial<IterationOptions> = {},
  options: Partial<AuditOptions> = {},
  calls: AuditCalls = {},
): Promise<IteratedResult> {
  const settings = { ...DEFAULT_AUDIT_OPTIONS, ...options };
  const method = context.methods.find((one) => one.oneGradient);
  if (method === undefined) throw new InputError("iterated attribution needs a method that takes one gradient");
  if (context.prompts.length === 0) throw new InputError("no ordinary prompts: give at least one to attribute over");
  const laboratory = new Laboratory(context, calls);
  const halves = splitCorpus(requireCorpus(context.corpus), settings.seed, settings.halfLimit);
  calls.onStage?.("read corpus");
  const room = await searchRoom(halves.search, laboratory, context, settings);
  const evidence = new Evidence(room);
  const call = { action: context.action, layer: context.layer, typical: room.half.typical, seed: settings.seed };
  const attributed: (readonly Sequence[])[] = [];
  const attribute: Attribute<FoundDirection> = async (prompts) => {
    const sequences = laboratory.sequences(prompts);
    attributed.push(sequences);
    const [found] = await method.run(context.suspect, sequences, {
      ...call,
      ...(calls.signal === undefined ? {} : { signal: calls.signal }),
    });
    if (found === undefined) throw new Error(`${method.name} found no direction`);
    return { attribution: found, rankings: rankingsOf(method.name, found) };
  };
  const { steps, hypothesis, reached, ended } = await iterateAttribution(
    evidence,
    distinct(context.prompts),
    attribute,
    { ...DEFAULT_ITERATION, ...iteration },
    calls,
  );
  let condition: ResultHypothesis | null = null;
  if (hypothesis !== null) {
    calls.onStage?.("prune");
    const needed = await prune(evidence, hypothesis);
    // How people's own prompts hold the condition is learned from the search half's.
    calls.onStage?.("corpus scan");
    await evidence.observe(halves.search, NATURAL);
    calls.onStage?.("confirm");
    const unseen = await unseenEvidence(halves.confirm, evidence, context, new Set(context.prompts.map(promptKey)));
    const plan = await planTest(evidence, needed, settings.confirmSize, settings.familyError);
    const confirmation = await confirm(unseen, needed, { ...plan, looks: settings.confirmLooks });
    condition = await presentHypothesis(unseen.room, confirmation, plan, "confirmation", context.label);
  }
  const named = steps.map((step) => ({
    ...step,
    tried: step.tried.map((one) => {
      const { label, words } = presentPart(room, makePart(one.latents), context.label);
      return { ...one, label, words };
    }),
  }));
  return { steps: named, condition, reached, ended, attributed, reading: room.half.reading() };
}
