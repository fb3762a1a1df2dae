/** Puts hypotheses to the confirmation half one after the other, in the order of their rehearsals, until one holds. */

import { presentHypothesis } from "./answer/present.js";
import type { ResultHypothesis } from "./answer/result.js";
import type { AuditCalls, AuditContext, AuditOptions } from "./ask/context.js";
import type { Hypothesis } from "./concepts/detector.js";
import { confirm } from "./confirm/confirm.js";
import type { Evidence } from "./evidence/evidence.js";
import { inOrder, type Rehearsed, rehearseOne } from "./rehearse/rehearse.js";
import { surestAlternative } from "./rehearse/simplify.js";

export interface TurnsOutcome {
  /** Confirmed or refused on the confirmation half in this order, then those that failed in rehearsal. */
  readonly hypotheses: readonly ResultHypothesis[];
  /** The verified one and its result, or null. */
  readonly verified: { readonly hypothesis: Hypothesis; readonly result: ResultHypothesis } | null;
}

/** Confirms on `unseen` what was rehearsed on `search`, until one holds or the tries are used up. */
export async function confirmInTurn(
  search: Evidence,
  unseen: Evidence,
  rehearsed: readonly Rehearsed[],
  options: AuditOptions,
  calls: AuditCalls,
  context: Pick<AuditContext, "label">,
): Promise<TurnsOutcome> {
  const order = inOrder(rehearsed);
  calls.onStage?.("confirm");
  const results: ResultHypothesis[] = [];
  let verified: TurnsOutcome["verified"] = null;
  for (let tries = 0; tries < options.confirmTries; tries++) {
    const next = order.shift();
    if (next === undefined) break;
    const { hypothesis, plan } = next;
    const confirmation = await confirm(unseen, hypothesis, { ...plan, looks: options.confirmLooks });
    const result = await presentHypothesis(unseen.room, confirmation, plan, "confirmation", context.label);
    results.push(result);
    if (confirmation.verified) {
      verified = { hypothesis, result };
      break;
    }
    // One weak alternative refuses all. Which one is tried alone then, at the cost of a further try, the rehearsal has settled.
    const alone = tries + 1 < options.confirmTries ? surestAlternative(next.rehearsal) : null;
    const entry = alone && (await rehearseOne(search, alone, options));
    if (entry?.rehearsal.verified) order.unshift(entry);
  }
  for (const { rehearsal, plan } of rehearsed) {
    if (!rehearsal.verified)
      results.push(await presentHypothesis(search.room, rehearsal, plan, "search", context.label));
  }
  return { hypotheses: results, verified };
}
