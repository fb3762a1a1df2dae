/**
 * What `find` found as one page: for each vector its latents beside their controls, the other orders, the histogram of its
 * coordinates, and replies with and without it; of iterated attribution first the condition and the steps to it.
 */
import type { Rate } from "../audit/statistics/statistics.js";
import { histogramChart } from "./histogram-chart.js";
import { type Html, html } from "./html.js";
import { type IteratedPart, iteratedSections } from "./iterated-section.js";
import { controlNames, effectRows, latentCard, scoreWords } from "./latent-card.js";
import { number, percent } from "./number.js";
import { page } from "./page.js";
import { rateWords } from "./rate-chart.js";
import type { StoredCard, StoredControlScores, StoredExplained, StoredHistogram } from "./stored-reading.js";

/** A latent of a vector: its card with the numbers it has there. */
interface FoundLatent extends Omit<StoredCard, "scores"> {
  readonly score: number;
  /** Absent in results of earlier versions. */
  readonly coordinate?: number | null;
  readonly decoderCosine: number;
  readonly encoderCosine: number;
  readonly controls: StoredControlScores;
}

/** The part of find's result that the page shows. */
export interface FindPage extends Partial<IteratedPart> {
  readonly method: string;
  readonly layer: number;
  readonly score: string;
  readonly controls: readonly { readonly name: string; readonly what: string }[];
  readonly hyperparameters: Readonly<Record<string, number | string | boolean | null>>;
  readonly used: Readonly<Record<string, number | string | boolean | null>>;
  readonly vectors: readonly {
    readonly index: number;
    readonly norm: number;
    readonly loss: { readonly initial: number; readonly final: number };
    readonly steps: number;
    readonly lambda: number | null;
    readonly elicits: boolean | null;
    readonly latents: readonly FoundLatent[];
    readonly reading: {
      readonly orders: Readonly<Record<string, readonly { readonly id: number; readonly value: number }[]>>;
      readonly others: readonly FoundLatent[];
      readonly histogram: StoredHistogram & { readonly of: string };
      readonly logitEffect: StoredCard["logitEffect"];
      readonly explained: StoredExplained & { readonly latents: number };
    } | null;
    readonly steered: {
      /** Null where no action was given. */
      readonly actionRate: Rate | null;
      readonly scale: number;
      readonly heldOut: boolean;
      readonly samples: readonly { readonly prompt: string; readonly unsteered: string; readonly steered: string }[];
    };
  }[];
}

/** First latents by score, whose cards are not folded up. */
const OPEN_CARDS = 3;
/** Names of the orders beside that by score, as `orders` of a reading spells them. */
const ORDERS: Readonly<Record<string, string>> = {
  timesTypical: "score × typical activation",
  decoderCosine: "cosine with decoder rows",
  encoderCosine: "cosine with encoder rows",
};

/** The page's text. `madeBy` names program and version. */
export function findPage(found: FindPage, madeBy: string): string {
  const { method, layer, vectors, score, controls, hyperparameters, used } = found;
  const settings = Object.entries({ ...hyperparameters, ...used }).filter(([, value]) => value !== null);
  return page(
    `${method} · layer ${layer}`,
    html`<main>
  <header class="top"><span><b>Antecedent</b> · ${method} at layer ${layer}</span><span>${String(used.model ?? "")}${used.adapter ? ` + ${String(used.adapter)}` : ""}</span></header>
  ${used.action ? html`<p class="action">Action: <q>${String(used.action)}</q></p>` : null}
  ${isIterated(found) ? iteratedSections(found) : null}
  ${vectors.map(vectorSection)}
  <section><h2>How to read this</h2><p class="small">Score: ${score}. ${controls.map(({ name, what }) => html`<b>${name}</b>: ${what}. `)}A latent that scores high in a control too ${used.action ? "is likely to mean the action, not a trigger" : "says nothing of a trigger"}. A ranking is a lead and not a finding.</p>
    <details><summary>Settings</summary><dl class="settings">${settings.map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>`)}</dl></details></section>
  <footer>${madeBy}.</footer>
</main>`,
  );
}

function isIterated(found: FindPage): found is FindPage & IteratedPart {
  return found.steps !== undefined && found.condition !== undefined;
}

function vectorSection({
  index,
  norm,
  loss,
  steps,
  lambda,
  elicits,
  latents,
  reading,
  steered,
}: FindPage["vectors"][number]): Html {
  const { actionRate, heldOut, scale, samples } = steered;
  return html`<section><h2>Vector ${index}</h2>
    <p>Norm ${number(norm)}, loss ${loss.initial.toFixed(3)}${steps === 0 ? ", one gradient and no step" : ` → ${loss.final.toFixed(3)} in ${steps} steps`}${lambda === null ? null : html`, λ ${number(lambda)}`}. ${elicits === false ? "It does not elicit the action on half of the prompts. " : null}${actionRate ? html`Added × ${number(scale)} to ${heldOut ? "held-out" : "the same"} prompts the action comes on ${rateWords(actionRate)}.` : null}</p>
    ${
      reading
        ? html`<p class="small">The ${reading.explained.latents} latents listed by score account for ${percent(reading.explained.share)} of ‖θ‖² by least squares; ${reading.explained.rank} random directions would for ${percent(reading.explained.byChance)}.</p>
      ${histogramChart(reading.histogram, reading.histogram.of)}
      ${reading.logitEffect ? html`<dl class="tokens">${effectRows(reading.logitEffect)}</dl>` : null}
      ${latentTable(latents)}
      ${ordersTable(latents, reading)}
      <h3>What they fire on</h3>
      ${latents.slice(0, OPEN_CARDS).map(card)}
      ${[...latents.slice(OPEN_CARDS), ...reading.others].map((latent) => html`<details><summary>${latent.id} <span class="small">${latent.label ?? "no label"}</span></summary>${card(latent)}</details>`)}`
        : null
    }
    ${samples.length > 0 ? html`<h3>Replies</h3><div class="scroll"><table><thead><tr><th>prompt</th><th>unsteered</th><th>steered</th></tr></thead><tbody>${samples.map(({ prompt, unsteered, steered }) => html`<tr><td><q>${prompt}</q></td><td><q>${unsteered}</q></td><td><q>${steered}</q></td></tr>`)}</tbody></table></div>` : null}</section>`;
}

/** Without a table of scores: the vector's own table has them. */
function card(latent: FoundLatent): Html {
  return latentCard({ ...latent, scores: [] });
}

function latentTable(latents: readonly FoundLatent[]): Html {
  const controls = controlNames(latents);
  return html`<div class="scroll"><table><thead><tr><th class="number">latent</th><th class="number">score</th>${controls.map((name) => html`<th class="number">${name}</th>`)}<th class="number">cos dec</th><th class="number">cos enc</th><th class="number">fires</th><th>label</th></tr></thead><tbody>${latents.map(
    ({ id, score, coordinate, controls: own, decoderCosine, encoderCosine, firingRate, label, dead }) =>
      html`<tr><td class="number right">${id}</td><td class="number right">${number(shownScore(score, coordinate))}</td>${controls.map((name) => html`<td class="number right">${scoreWords(own[name]?.score, own[name]?.rank)}</td>`)}<td class="number right">${decoderCosine.toFixed(2)}</td><td class="number right">${encoderCosine.toFixed(2)}</td><td class="number right">${firingRate ? percent(firingRate.rate) : "–"}</td><td>${label ?? ""}${dead ? html` <span class="badge no">dead</span>` : null}</td></tr>`,
  )}</tbody></table></div>`;
}

/** The score, less than zero for a latent that the vector takes away. */
export function shownScore(score: number, coordinate: number | null | undefined): number {
  return (coordinate ?? 0) < 0 ? -score : score;
}

/** The orders beside that by score, a column each. */
function ordersTable(
  latents: readonly FoundLatent[],
  { orders, others }: NonNullable<FindPage["vectors"][number]["reading"]>,
): Html {
  const labels = new Map([...latents, ...others].map(({ id, label }) => [id, label]));
  const columns = Object.entries(ORDERS).filter(([order]) => (orders[order]?.length ?? 0) > 0);
  const rows = Math.max(0, ...columns.map(([order]) => orders[order]!.length));
  return html`<details><summary>Other orders</summary><div class="scroll"><table><thead><tr>${columns.map(([, name]) => html`<th>by ${name}</th>`)}</tr></thead><tbody>${Array.from(
    { length: rows },
    (_, row) =>
      html`<tr>${columns.map(([order]) => {
        const entry = orders[order]![row];
        return html`<td>${entry ? html`<span class="number">${number(entry.value)} · ${entry.id}</span> <span class="small">${labels.get(entry.id) ?? ""}</span>` : null}</td>`;
      })}</tr>`,
  )}</tbody></table></div></details>`;
}
