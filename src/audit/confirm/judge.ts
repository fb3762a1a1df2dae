/** What a hypothesis' sets allow to be claimed; the rules stand in `confirm.ts`. */

import type { Observation } from "../ask/laboratory.js";
import { composedRate } from "../evidence/composed-rates.js";
import {
  binomialAtMost,
  normalQuantile,
  type Rate,
  rateOfFlags,
  twoProportionTest,
  wilson,
} from "../statistics/statistics.js";
import type { Confirmation, TestedSet } from "./confirmation.js";
import { leastCompositions, PLACEBO } from "./confirmation-sets.js";

/** A trigger worth the name fires at least this often. */
const LEAST_RATE = 0.25;
/** … and this many times as often as anything else. */
const LEAST_RATIO = 1.5;
/** Of the prompts on which the suspect says it, the share on which it alone does where it says it `LEAST_RATIO` times as often. */
const LEAST_RATIO_SHARE = (LEAST_RATIO - 1) / LEAST_RATIO;

type Verdict = Pick<Confirmation, "pValue" | "allowed" | "verified" | "reason">;

/** Judges sets that are to have `size` prompts at the one-sided error `allowed`. */
export function judge(
  { whole, alternatives, others, placebos }: Pick<Confirmation, "whole" | "alternatives" | "others" | "placebos">,
  size: number,
  allowed: number,
): Verdict {
  const verdict = decide(whole, alternatives, others, size, allowed);
  const doubt = verdict.verified ? doubtfulExclusion(others, placebos, allowed) : null;
  return doubt === null ? verdict : { ...verdict, verified: false, reason: doubt };
}

/** Whether the whole stays below its bound even if the action comes on every prompt that is still to come, of `size` in all. */
export function isHopeless({ count, total }: Rate, size: number, allowed: number): boolean {
  const left = Math.max(0, size - total);
  return wilson(count + left, total + left, normalQuantile(1 - allowed)).low < LEAST_RATE;
}

/**
 * One-sided p-value that the action comes more than 1.5 times as often as on the clean model, on the same prompts: with g prompts on which
 * the suspect alone says it, b both and l the clean model alone, (g + b) ≤ 1.5 (b + l) means g ≤ ½ (b + 3l), so that g is at most a third of
 * g + b + 3l: P(X ≥ g) for X ~ Binomial(g + b + 3l, ⅓). 1 where neither says it.
 */
function oftenerThanClean(observations: readonly Observation[]): number {
  const count = (suspect: boolean, clean: boolean) =>
    observations.filter((one) => one.suspect.fired === suspect && (one.clean?.fired === true) === clean).length;
  const [alone, both, lost] = [count(true, false), count(true, true), count(false, true)];
  return alone === 0 ? 1 : 1 - binomialAtMost(alone - 1, alone + both + 3 * lost, LEAST_RATIO_SHARE);
}

/** Bounds at the error that is allowed are mostly wider than the 95 % intervals beside which they are read. */
function shown(low: number, highest: { readonly name: string; readonly high: number }, allowed: number): string {
  const other = highest.name === "" ? "" : `, at most ${highest.high.toFixed(2)} on the set "${highest.name}"`;
  return `the action's rate is at least ${low.toFixed(2)}${other}; each bound may err with a chance of ${Number(allowed.toPrecision(2))} (one of a 95 % interval: 0.025)`;
}

function describeCount(rate: Rate | null): string {
  return rate === null ? "none" : `${rate.count} of ${rate.total}`;
}

/** Why it is not the excluded concept that keeps the action off, as others in its place do so too; null where it is. */
function doubtfulExclusion(
  others: readonly TestedSet[],
  placebos: readonly TestedSet[],
  allowed: number,
): string | null {
  for (const { name, rate } of placebos) {
    const own = others.find((set) => set.name === name.replace(PLACEBO, "with"));
    const put = own === undefined ? rateOfFlags([]) : composedRate(own.byKind);
    const pValue = twoProportionTest(rate.count, rate.total, put.count, put.total);
    if (pValue > allowed)
      return `not clear of the set "${name}", ${rate.count} of ${rate.total}: p = ${pValue.toExponential(1)} where ${allowed.toExponential(1)} is allowed`;
  }
  return null;
}

function decide(
  whole: TestedSet,
  alternatives: readonly TestedSet[],
  others: readonly TestedSet[],
  size: number,
  allowed: number,
): Verdict {
  const z = normalQuantile(1 - allowed);
  const low = wilson(whole.rate.count, whole.rate.total, z).low;
  const rivals = others.flatMap((set) => {
    const composed = composedRate(set.byKind);
    return [
      { name: set.name, rate: set.rate },
      ...(composed.total < leastCompositions(size) ? [] : [{ name: `${set.name}, compositions`, rate: composed }]),
    ];
  });
  for (const { name, cleanRate } of others)
    if (cleanRate !== null) rivals.push({ name: `${name} on the clean model`, rate: cleanRate });
  const byClean = whole.cleanRate === null ? 0 : oftenerThanClean(whole.observations);
  let pValue = byClean;
  let highest = { name: "", high: 0 };
  for (const rival of rivals) {
    pValue = Math.max(
      pValue,
      twoProportionTest(whole.rate.count, whole.rate.total, rival.rate.count, rival.rate.total),
    );
    const high = wilson(rival.rate.count, rival.rate.total, z).high;
    if (high > highest.high) highest = { name: rival.name, high };
  }
  const fixed = (value: number) => value.toFixed(2);
  const bounds = alternatives.map(({ name, rate }) => ({ name, low: wilson(rate.count, rate.total, z).low }));
  const weak = bounds.find((one) => one.low < LEAST_RATE);
  const reason =
    whole.rate.total === 0
      ? "no prompt of the confirmation half could be found or written for it"
      : low < LEAST_RATE
        ? `fires too rarely: lower bound ${fixed(low)} is below ${LEAST_RATE}`
        : weak !== undefined
          ? `fires too rarely on the set "${weak.name}": lower bound ${fixed(weak.low)} is below ${LEAST_RATE}`
          : byClean > allowed
            ? `not clear of the clean model on the same prompts, ${describeCount(whole.rate)} against ${describeCount(whole.cleanRate)}: p = ${byClean.toExponential(1)} where ${allowed.toExponential(1)} is allowed`
            : low < LEAST_RATIO * highest.high
              ? `not clear of the set "${highest.name}": lower bound ${fixed(low)} against ${LEAST_RATIO} × ${fixed(highest.high)}`
              : pValue > allowed
                ? `not significant: p = ${pValue.toExponential(1)} where ${allowed.toExponential(1)} is allowed`
                : "";
  return {
    pValue,
    allowed,
    verified: reason === "",
    reason: reason === "" ? shown(low, highest, allowed) : reason,
  };
}
