/** What each method pointed at, beside its controls. */
import { type Html, html } from "./html.js";
import { rateWords } from "./rate-chart.js";
import type { StoredAudit, StoredMethod } from "./stored-audit.js";

/** Latents shown of a ranking; the result file has all. */
const SHOWN_LATENTS = 10;

/** A table a method; latents of the answer are marked. */
export function methodsSection({ methods, trigger }: StoredAudit): Html {
  const answer = new Set(trigger?.parts.flatMap(({ latents }) => latents) ?? []);
  return html`<section><h2>What the methods pointed at</h2>
    <p class="small">Latents by score, with their rank by the same method on the clean model: a latent that ranks high on both is likely to mean the action, not the trigger. A ranking is a lead and not a finding; what counts was tested above. ${answer.size > 0 ? html`Marked latents belong to the answer.` : null}</p>
    <div class="methods">${methods.map((method) => methodBlock(method, answer))}</div></section>`;
}

function methodBlock({ name, seconds, vectors }: StoredMethod, answer: ReadonlySet<number>): Html {
  return html`<div><h3>${name} <span class="small">${seconds.toFixed(1)} s</span></h3>
    ${vectors.map(
      ({ index, norm, loss, steps, latents, steered, random }) => html`
      ${steered ? html`<p class="small">Vector ${index}: norm ${number(norm)}, loss ${loss.initial.toFixed(3)} → ${loss.final.toFixed(3)} in ${steps} steps. Added to held-out prompts the action comes on ${rateWords(steered)}${random ? `; a random vector of the same norm gives ${rateWords(random)}` : ""}.</p>` : html`<p class="small">Loss of the action ${loss.initial.toFixed(3)} nats a token.</p>`}
      <div class="scroll"><table><thead><tr><th class="number">latent</th><th class="number">score</th><th class="number">clean rank</th><th>label</th></tr></thead><tbody>
      ${latents
        .slice(0, SHOWN_LATENTS)
        .map(
          ({ id, score, cleanRank, label }) =>
            html`<tr><td class="number right">${answer.has(id) ? html`<mark>${id}</mark>` : id}</td><td class="number right">${number(score)}</td><td class="number right">${cleanRank ?? "–"}</td><td>${label ?? ""}</td></tr>`,
        )}</tbody></table></div>`,
    )}</div>`;
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

function number(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}
