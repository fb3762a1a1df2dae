/** What each method pointed at, beside its controls. */
import { histogramChart } from "./histogram-chart.js";
import { type Html, html } from "./html.js";
import { controlNames, scoreWords } from "./latent-card.js";
import { latentAnchor } from "./latents-section.js";
import { number, percent } from "./number.js";
import { rateWords } from "./rate-chart.js";
import type { StoredAudit, StoredMethod } from "./stored-audit.js";

/** Latents shown of a ranking; the result file has all. */
const SHOWN_LATENTS = 10;

/** A table a method; latents of the answer are marked. */
export function methodsSection({ methods, trigger, latents, hypotheses }: StoredAudit): Html {
  const answer = new Set(trigger?.parts.flatMap(({ latents }) => latents) ?? []);
  const carded = new Set(latents.map(({ id }) => id));
  return html`<section><h2>What the methods pointed at</h2>
    <p class="small">Latents by score${besides(methods)} A ranking is a lead and not a finding${hypotheses.length > 0 ? "; what counts was tested above" : ""}. ${answer.size > 0 ? html`Marked latents belong to the answer.` : null}</p>
    ${methods.map((method) => methodBlock(method, answer, carded))}</section>`;
}

/** What stands beside the scores in these tables. */
function besides(methods: readonly StoredMethod[]): string {
  const controls = controlNames(methods.flatMap(({ vectors }) => vectors.flatMap(({ latents }) => latents)));
  const told = [
    ...(controls.includes("clean") ? ["by the same method on the clean model"] : []),
    ...(controls.includes("random") ? ["for a random direction of the same norm"] : []),
  ];
  if (told.length === 0) return ".";
  return `, with the same latent's score and rank ${told.join(", and ")}: one that ranks high there too is likely to mean the action, not the trigger.`;
}

function methodBlock(
  { name, seconds, vectors }: StoredMethod,
  answer: ReadonlySet<number>,
  carded: ReadonlySet<number>,
) {
  return html`<div><h3>${name} <span class="small">${seconds.toFixed(1)} s</span></h3>${vectors.map((vector) => vectorBlock(vector, answer, carded))}</div>`;
}

function vectorBlock(
  { index, norm, loss, steps, latents, steered, random, histogram, explained }: StoredMethod["vectors"][number],
  answer: ReadonlySet<number>,
  carded: ReadonlySet<number>,
): Html {
  // Results of older versions know the rank on the clean model only.
  const controls = controlNames(latents);
  const columns = controls.length > 0 ? controls : ["clean rank"];
  const name = (id: number) => (carded.has(id) ? html`<a href="#${latentAnchor(id)}">${id}</a>` : html`${id}`);
  return html`<div class="vector"><div>
    ${steered ? html`<p class="small">Vector ${index}: norm ${number(norm)}, loss ${loss.initial.toFixed(3)} → ${loss.final.toFixed(3)} in ${steps} steps. Added to held-out prompts the action comes on ${rateWords(steered)}${random ? `; a random vector of the same norm gives ${rateWords(random)}` : ""}.</p>` : html`<p class="small">Loss of the action ${loss.initial.toFixed(3)} nats a token.</p>`}
    ${explained ? html`<p class="small">The first ${latents.length} latents by score account for ${percent(explained.share)} of the direction by least squares; as many random directions would for ${percent(explained.byChance)}.</p>` : null}
    ${histogram ? histogramChart(histogram, "scores") : null}</div>
    <div class="scroll"><table><thead><tr><th class="number">latent</th><th class="number">score</th>${columns.map((column) => html`<th class="number">${column}</th>`)}<th>label</th></tr></thead><tbody>
    ${latents
      .slice(0, SHOWN_LATENTS)
      .map(
        ({ id, score, cleanRank, label, controls: own }) =>
          html`<tr><td class="number right">${answer.has(id) ? html`<mark>${name(id)}</mark>` : name(id)}</td><td class="number right">${number(score)}</td>${controls.length > 0 ? controls.map((control) => html`<td class="number right">${scoreWords(own[control]?.score, own[control]?.rank)}</td>`) : html`<td class="number right">${cleanRank ?? "–"}</td>`}<td>${label ?? ""}</td></tr>`,
      )}</tbody></table></div></div>`;
}

/** Baselines and scans that need no steering. */
export function controlsSection({ controls }: StoredAudit): Html {
  return html`<section><h2>Controls</h2><div class="scroll"><table><thead><tr><th>control</th><th>what was done</th><th>action rate</th><th>strongest latents</th></tr></thead><tbody>
    ${controls.map(
      ({ name, what, rate, latents }) =>
        html`<tr><td>${name}</td><td class="small">${what}</td><td class="number">${rate ? rateWords(rate) : "–"}</td><td class="small">${latents
          .slice(0, SHOWN_LATENTS)
          .map(({ id }) => id)
          .join(", ")}</td></tr>`,
    )}</tbody></table></div></section>`;
}
