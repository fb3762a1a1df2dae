/** Iterated attribution as text: each step with what was tried, then the condition and its test. */

import type { ResultHypothesis } from "../../audit/answer/result.js";
import type { Claim } from "../../audit/answer/statement.js";
import type { NamedStep } from "../../audit/iterated-attribution.js";
import { LEAST_P, strongestFirst } from "../../report/iterated-section.js";
import { claimText, hypothesisText } from "../audit/audit-text.js";
import { type Used, usedText } from "../model/used.js";
import { bytes, duration, oneLine, rateText, table } from "../terminal/text.js";

/** Concepts shown for a step; the JSON has all. */
const SHOWN = 8;

interface IteratedReport {
  readonly layer: number;
  readonly timing: { readonly setupSeconds: number; readonly secondsPerStep: number; readonly peakMemoryBytes: number };
  readonly steps: readonly Omit<NamedStep, "attribution">[];
  readonly condition: ResultHypothesis | null;
  readonly claim: Claim | null;
  readonly reached: boolean;
  readonly ended: string;
  readonly used: Used;
}

export function iteratedText({ layer, timing, steps, condition, claim, reached, ended, used }: IteratedReport): string {
  return [
    `iterated-attribution at layer ${layer}: ${reached ? "found a condition" : "stopped"} after ${steps.length} attributions: ${ended}`,
    ...steps.map(stepText),
    condition ? hypothesisText(condition) : "no concept raises the action beyond chance: no condition",
    ...claimText(claim),
    `set-up ${duration(timing.setupSeconds)}, ${timing.secondsPerStep.toPrecision(3)} s a step, peak memory ${bytes(timing.peakMemoryBytes)}`,
    usedText(used),
  ].join("\n\n");
}

function stepText(
  { held, prompts, baseline, tried, added, rate, logprob }: IteratedReport["steps"][number],
  index: number,
): string {
  const strongest = strongestFirst(tried).slice(0, SHOWN);
  const nats = (value: number | null) => (value === null ? "–" : value.toFixed(2));
  const rows = strongest.map((one) => [
    `${one.latents.join(", ")}${String(one.latents) === String(added) ? " *" : ""}`,
    rateText(one.rate),
    nats(one.logprob),
    one.pValue === null ? "–" : one.pValue < LEAST_P ? `< ${LEAST_P}` : one.pValue.toPrecision(2),
    oneLine(one.label, 50),
  ]);
  const holding =
    held.length === 0 ? "ordinary prompts" : `prompts that hold ${held.map((part) => part.join(", ")).join(" and ")}`;
  return [
    `step ${index + 1}: attribution over ${prompts} ${holding}; without a further concept said on ${rateText(baseline.rate)}, log-probability ${nats(baseline.logprob)}`,
    table(["concept", "said on", "logprob", "p", "label"], rows, [2, 3]).replace(/^/gm, "  "),
    added === null
      ? "  none of them raises it beyond chance"
      : `  joined: ${added.join(", ")}; now said on ${rateText(rate)}, log-probability ${nats(logprob)}`,
  ].join("\n");
}
