/**
 * The way of asking under which a conjunction stands out most clearly. A plan takes the compositions that bring the action most often; those may
 * bring it on a part alone, too, as a sentence with three words of a topic does where the model leaks, and such a rehearsal is refused, or
 * passes and is refused on the other half. Other compositions that bring it nearly as often are tried then.
 */
import type { Hypothesis } from "../concepts/detector.js";
import { confirm } from "../confirm/confirm.js";
import type { Confirmation } from "../confirm/confirmation.js";
import { otherWays, type TestPlan } from "../confirm/plan.js";
import { composedRate, LEAST_TRIALS } from "../evidence/composed-rates.js";
import type { Evidence } from "../evidence/evidence.js";
import { wilson } from "../statistics/statistics.js";

/** A turned set whose compositions bring the action on this share leaks … */
const LEAKING = 0.25;
/** … which matters where the whole's bring it on this share: a hypothesis that seldom fires is no better for another way of asking. */
const LEAST_WHOLE = 0.5;
/** Further plans tried. */
const MOST_PLANS = 2;

export interface Way {
  readonly plan: TestPlan;
  readonly rehearsal: Confirmation;
}

/** Rehearses by the plan, and by others where that one leaks; the clearest of them. */
export async function rehearseClearly(search: Evidence, hypothesis: Hypothesis, plan: TestPlan): Promise<Way> {
  let way: Way = { plan, rehearsal: await confirm(search, hypothesis, plan) };
  let next = otherWays(plan, []);
  for (let tried = 0; tried < MOST_PLANS && next !== null && leaks(way.rehearsal); tried++) {
    const other: Way = { plan: next, rehearsal: await confirm(search, hypothesis, next) };
    if (clearness(other.rehearsal) > clearness(way.rehearsal)) way = other;
    next = otherWays(plan, next.recipes);
  }
  return way;
}

/** The highest rate of compositions with a part turned, with bounds of one standard error; null where too few could be written. */
function leakOf({ others }: Confirmation): { rate: number; high: number } | null {
  const rates = others.map(({ byKind }) => composedRate(byKind)).filter(({ total }) => total >= LEAST_TRIALS);
  const [worst] = rates.sort((a, b) => b.rate - a.rate);
  return worst === undefined ? null : { rate: worst.rate, high: wilson(worst.count, worst.total, 1).high };
}

function leaks(rehearsal: Confirmation): boolean {
  const { combination } = rehearsal.hypothesis;
  return combination === "all" && rehearsal.whole.rate.rate >= LEAST_WHOLE && (leakOf(rehearsal)?.rate ?? 0) >= LEAKING;
}

/** How many times as often the action comes on the whole as where it leaks most, by cautious bounds; what is verified before what is not. */
function clearness(rehearsal: Confirmation): number {
  const { count, total } = rehearsal.whole.rate;
  const ratio = wilson(count, total, 1).low / (leakOf(rehearsal)?.high ?? 1);
  return rehearsal.verified ? 1000 + ratio : ratio;
}
