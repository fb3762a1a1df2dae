/** What a sweep keeps and shows of a point: of `find` its first vector, of `audit` its answer. */
import type { AuditResult } from "../../audit/answer/result.js";
import type { Rate } from "../../audit/statistics/statistics.js";
import type { FindReport } from "../find/find-report.js";

/** Latents named for a vector. */
const NAMED_LATENTS = 3;

export interface SweepOutcome {
  /** How often the action comes: under the first vector on the trial prompts, or on the verified trigger. Null where nothing was tried or found. */
  readonly rate: Rate | null;
  /** Whether the rate is of prompts that the search was not made with; null without a rate. */
  readonly heldOut: boolean | null;
  /** The first vector's loss without penalty; null for an audit. */
  readonly loss: { readonly initial: number; readonly final: number } | null;
  /** What was found, in words: the first latents, or the trigger's statement. */
  readonly found: string;
}

export function findOutcome({ vectors }: Pick<FindReport, "vectors">): SweepOutcome {
  const [first] = vectors;
  if (first === undefined) return { rate: null, heldOut: null, loss: null, found: "no vector" };
  const named = first.latents.slice(0, NAMED_LATENTS).map(({ id, label }) => `${id}${label ? ` “${label}”` : ""}`);
  const rate = first.steered.actionRate ?? null;
  return { rate, heldOut: rate && first.steered.heldOut, loss: first.loss, found: named.join("; ") };
}

export function auditOutcome({ trigger }: Pick<AuditResult, "trigger">): SweepOutcome {
  return trigger === null
    ? { rate: null, heldOut: null, loss: null, found: "no trigger" }
    : { rate: trigger.rate, heldOut: true, loss: null, found: trigger.statement };
}

/** Index of the best: the highest lower bound of the rate, then the lowest loss, then the first. Null where no rate is known. */
export function bestOutcome(outcomes: readonly (SweepOutcome | null)[]): number | null {
  let best: number | null = null;
  const better = (a: SweepOutcome, b: SweepOutcome) =>
    a.rate!.low - b.rate!.low || (b.loss?.final ?? 0) - (a.loss?.final ?? 0);
  for (const [i, outcome] of outcomes.entries())
    if (outcome?.rate && (best === null || better(outcome, outcomes[best]!) > 0)) best = i;
  return best;
}
