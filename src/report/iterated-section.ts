/** Iterated attribution on the page: the condition with its test, and each step with what was tried. */
import { evidence, partList } from "./evidence.js";
import { type Html, html } from "./html.js";
import { rateWords } from "./rate-chart.js";
import type { StoredHypothesis } from "./stored-audit.js";
import type { StoredRate } from "./stored-reading.js";

interface Effect {
  readonly rate: StoredRate;
  /** Mean log-probability of the action, nats. */
  readonly logprob: number | null;
}

interface TriedConcept extends Effect {
  readonly latents: readonly number[];
  readonly label: string;
  /** Null for concepts that were not tried again. */
  readonly pValue: number | null;
}

/** What `find iterated-attribution` has beside its vectors. */
export interface IteratedPart {
  readonly steps: readonly (Effect & {
    readonly held: readonly (readonly number[])[];
    readonly prompts: number;
    readonly baseline: Effect;
    readonly tried: readonly TriedConcept[];
    readonly added: readonly number[] | null;
  })[];
  readonly condition: StoredHypothesis | null;
  readonly claim: { readonly statement: string; readonly notShown: readonly string[] } | null;
  readonly ended: string;
}

/** Concepts shown of a step, those first that bring the action most often. */
const SHOWN = 12;
/** The normal tail is exact to about this. */
export const LEAST_P = 1e-6;

/** Concepts by how often they bring the action, then by its log-probability. */
export function strongestFirst<T extends Effect>(tried: readonly T[]): T[] {
  return [...tried].sort((a, b) => b.rate.rate - a.rate.rate || (b.logprob ?? -Infinity) - (a.logprob ?? -Infinity));
}

export function iteratedSections({ steps, condition, claim, ended }: IteratedPart): Html {
  return html`${answer(condition, claim, ended)}${steps.map(stepSection)}`;
}

function answer(condition: StoredHypothesis | null, claim: IteratedPart["claim"], ended: string): Html {
  if (condition === null)
    return html`<section class="answer none"><h1>No condition found</h1><p>No concept raises the action beyond chance; ${ended}.</p></section>`;
  return html`<section class="answer ${claim ? "" : "none"}"><h1>${claim ? "Condition found and verified" : "Condition found, not verified"}</h1>
    ${claim ? html`<p class="statement">${claim.statement}</p>` : html`<p>${condition.reason}</p>`}${partList(condition.parts)}
    ${claim && claim.notShown.length > 0 ? html`<p class="small">Not shown: ${claim.notShown.join("; ")}.</p>` : null}
    <p class="small">The search ended because ${ended}.</p></section>
  <section><h2>Its test on prompts that no step saw</h2>${evidence(condition)}</section>`;
}

function stepSection(
  { held, prompts, baseline, tried, added, rate, logprob }: IteratedPart["steps"][number],
  index: number,
): Html {
  const shown = strongestFirst(tried).slice(0, SHOWN);
  const over =
    held.length === 0
      ? "ordinary prompts"
      : html`prompts that hold ${held.map((part) => part.join(", ")).join(" and ")} and on which the action does not come`;
  return html`<section><h2>Step ${index + 1}</h2>
    <p>Attribution over ${prompts} ${over}. Without a further concept the action comes on ${rateWords(baseline.rate)}, mean log p ${nats(baseline.logprob)}. ${added === null ? "None of these raises it beyond chance." : html`Latents ${added.join(", ")} join: now on ${rateWords(rate)}, mean log p ${nats(logprob)}.`}</p>
    <div class="scroll"><table><thead><tr><th>latents</th><th>label</th><th class="number">the action comes on</th><th class="number">mean log p</th><th class="number">p</th></tr></thead><tbody>${shown.map(
      (one) => {
        const name = one.latents.join(", ");
        return html`<tr><td>${String(one.latents) === String(added) ? html`<mark>${name}</mark>` : name}</td><td>${one.label}</td><td class="number right">${rateWords(one.rate)}</td><td class="number right">${nats(one.logprob)}</td><td class="number right">${chance(one.pValue)}</td></tr>`;
      },
    )}</tbody></table></div>
    ${tried.length > shown.length ? html`<p class="small">${tried.length - shown.length} more were tried; the JSON has them.</p>` : null}</section>`;
}

function nats(value: number | null): string {
  return value === null ? "–" : value.toFixed(2).replace("-", "−");
}

function chance(p: number | null): string {
  if (p === null) return "–";
  return p < LEAST_P ? `< ${LEAST_P}` : p.toPrecision(2);
}
