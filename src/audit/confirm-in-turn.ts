/** Puts hypotheses to the confirmation half one after the other, in the order of their rehearsals, until one holds. */

import { presentHypothesis } from "./answer/present.js";
import type { ResultHypothesis } from "./answer/result.js";
import type { AuditCalls, AuditContext, AuditOptions } from "./ask/context.js";
import type { Hypothesis } from "./concepts/detector.js";
import { confirm } from "./confirm/confirm.js";
import type { Evidence } from "./evidence/evidence.js";
import { inOrder, type Rehearsed, rehearseOne } from "./rehearse/rehearse.js";
import { surestAlternative } from "./rehearse/simplify.js";

/** A hypothesis that met the confirmation half, and what came of it. */
export interface Tried {
  readonly hypothesis: Hypothesis;
  readonly result: ResultHypothesis;
}

/** Confirms on `unseen` what was rehearsed on `search`, until one holds, which is the last then, or `tries` are used up. */
export async function confirmInTurn(
  search: Evidence,
  unseen: Evidence,
  rehearsed: readonly Rehearsed[],
  tries: number,
  options: AuditOptions,
  calls: AuditCalls,
  context: Pick<AuditContext, "label">,
): Promise<Tried[]> {
  const order = inOrder(rehearsed);
  calls.onStage?.("confirm");
  const tried: Tried[] = [];
  while (tried.length < tries) {
    const next = order.shift();
    if (next === undefined) break;
    const { hypothesis, plan } = next;
    const confirmation = await confirm(unseen, hypothesis, { ...plan, looks: options.confirmLooks });
    const result = await presentHypothesis(unseen.room, confirmation, plan, "confirmation", context.label);
    tried.push({ hypothesis, result });
    if (confirmation.verified) break;
    // One weak alternative refuses all. Which one is tried alone then, at the cost of a further try, the rehearsal has settled.
    const alone = tried.length < tries ? surestAlternative(next.rehearsal) : null;
    const entry = alone && (await rehearseOne(search, alone, options));
    if (entry?.rehearsal.verified) order.unshift(entry);
  }
  return tried;
}
