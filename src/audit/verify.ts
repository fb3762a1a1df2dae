/**
 * `verify`: tests a hypothesis that a person brings, with the machinery of the audit and none of its search.
 */

import { InputError } from "../formats/input-error.js";
import { presentHypothesis } from "./answer/present.js";
import type { ResultHypothesis } from "./answer/result.js";
import { type AuditCalls, type AuditContext, type AuditOptions, DEFAULT_AUDIT_OPTIONS } from "./ask/context.js";
import { Laboratory, NATURAL } from "./ask/laboratory.js";
import { type Hypothesis, makePart, normalise, type Part } from "./concepts/detector.js";
import { confirm } from "./confirm/confirm.js";
import { planTest } from "./confirm/plan.js";
import { Evidence } from "./evidence/evidence.js";
import { searchRoom, unseenEvidence } from "./evidence/prepare.js";
import { requireCorpus, splitCorpus } from "./prompts/corpus.js";

/**
 * Reads `--part` texts: "12,99" is a concept that must be present, "!7" one that must be absent. Throws InputError with
 * the offending text, named by `flag`, when an id is not an integer in [0, latents).
 */
export function parsePart(text: string, latents: number, flag = "part"): Part {
  const negated = text.trimStart().startsWith("!");
  const ids = text.replace(/^\s*!/u, "").split(",");
  const parsed = ids.map((id) => (/^\s*\d+\s*$/u.test(id) ? Number(id) : Number.NaN));
  if (parsed.some((id) => !(id >= 0 && id < latents))) {
    const such = flag.endsWith("part") ? "12,99 or !7" : "12,99";
    throw new InputError(`${flag} "${text}": give latent ids from 0 to ${latents - 1}, such as ${such}`);
  }
  return makePart(parsed, negated);
}

/** What a person asks `verify`. */
export interface Asked {
  readonly parts: readonly Part[];
  /** One part is enough; else all must hold. */
  readonly any: boolean;
  /** Concepts beside which nothing is asked, as an audit may find them (`askedWithout`). */
  readonly without?: readonly Part[];
}

/** Tests what was asked. Returns one element of the audit's hypotheses. */
export async function verify(
  context: AuditContext,
  { parts, any, without: named = [] }: Asked,
  options: Partial<AuditOptions> = {},
  calls: AuditCalls = {},
): Promise<ResultHypothesis> {
  const settings = { ...DEFAULT_AUDIT_OPTIONS, ...options };
  const hypothesis: Hypothesis = normalise(parts, any);
  if (!hypothesis.parts.some((part) => !part.negated)) {
    throw new InputError("a hypothesis needs at least one part that must be present");
  }
  const twice = hypothesis.parts.flatMap((part) => part.latents).find((latent, i, all) => all.indexOf(latent) !== i);
  if (twice !== undefined && hypothesis.combination !== "any") {
    throw new InputError(`latent ${twice} is in two parts that must both hold; name it in one`);
  }
  const without = [...new Map(named.map((part) => [String(part.latents), part])).values()];
  if (without.some(({ negated }) => negated)) {
    throw new InputError("what nothing is asked beside is named by its latents, such as 12,99; it takes no !");
  }
  const own = new Set(hypothesis.parts.flatMap((part) => part.latents));
  const both = without.flatMap((part) => part.latents).find((latent) => own.has(latent));
  if (both !== undefined) {
    throw new InputError(`latent ${both} is in a part, and what the parts are not asked beside cannot hold it`);
  }
  const laboratory = new Laboratory(context, calls);
  const halves = splitCorpus(requireCorpus(context.corpus), settings.seed, settings.halfLimit);
  calls.onStage?.("read");
  const room = await searchRoom(halves.search, laboratory, context, settings);
  const search = new Evidence(room);
  calls.onStage?.("corpus scan");
  await search.observe(halves.search, NATURAL);
  calls.onStage?.("confirm");
  const unseen = await unseenEvidence(halves.confirm, search, context);
  // One hypothesis was named beforehand, so the whole error is its own.
  const plan = await planTest(search, hypothesis, settings.confirmSize, settings.familyError, without);
  const confirmation = await confirm(unseen, hypothesis, { ...plan, looks: settings.confirmLooks });
  return presentHypothesis(unseen.room, confirmation, plan, "confirmation", context.label);
}
