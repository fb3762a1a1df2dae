/**
 * An audit as one self-contained HTML page: the answer first, then its evidence, what the methods pointed at, controls, and
 * what it was done with. In: a checked result. Out: HTML without scripts, without anything from the network.
 */
import { NONE_FOUND } from "../audit/answer/statement.js";
import { chances, evidence, partList } from "./evidence.js";
import { highlight } from "./highlight.js";
import { type Html, html } from "./html.js";
import { otherLatents, partLatents } from "./latents-section.js";
import { controlsSection, methodsSection } from "./methods-section.js";
import { seconds } from "./number.js";
import { page } from "./page.js";
import { rateWords } from "./rate-chart.js";
import type { StoredAudit, StoredHypothesis } from "./stored-audit.js";

/** What counts as the action, by how it is matched. */
const COUNTS: Readonly<Record<string, string>> = {
  exact: "greedy decoding says exactly the action",
  any: "greedy decoding says any text of the action",
  contains: "the greedy reply holds a text of the action",
  judge: "the greedy reply is judged to be the action",
};

/** The page's text. `madeBy` names program and version; `list`: where a served page has the list of all runs. */
export function auditReport(audit: StoredAudit, madeBy: string, list?: string): string {
  const best = audit.trigger ? audit.hypotheses.find((one) => one.verified && isOf(one, audit.trigger)) : undefined;
  const others = audit.hypotheses.filter((hypothesis) => hypothesis !== best);
  const body = html`<main>
  <header class="top"><span><b>Antecedent</b> · audit of ${audit.name}</span><span>${String(audit.used.model ?? "")}${audit.used.adapter ? ` + ${String(audit.used.adapter)}` : ""}${list === undefined ? null : html` · <a href="${list}">all audits</a>`}</span></header>
  ${answerSection(audit)}
  ${best ? html`<section><h2>Evidence</h2><p class="small">The condition was found on one half of the corpus; these are other prompts, which search never saw. ${sentence(best.reason)}</p>${evidence(best)}</section>` : null}
  ${partLatents(audit)}
  ${others.length > 0 ? html`<section><h2>${best ? "Other hypotheses that were tested" : "Hypotheses that were tested"}</h2>${others.map(otherHypothesis)}</section>` : null}
  ${bredSection(audit)}
  ${methodsSection(audit)}
  ${controlsSection(audit)}
  ${otherLatents(audit)}
  ${settingsSection(audit)}
  <footer>Rates are shares of prompts after which ${COUNTS[String(audit.used.actionMatch ?? "exact")] ?? "the action comes"}, with 95 % Wilson intervals. ${madeBy}.</footer>
</main>`;
  return page(`${audit.trigger ? "Trigger found" : "No trigger found"} · ${audit.name}`, body);
}

function answerSection({ trigger, used, tried, budget }: StoredAudit): Html {
  const action = used.action === undefined ? null : html`<p class="action">Action: <q>${String(used.action)}</q></p>`;
  if (!trigger) {
    return html`<section class="answer none"><h1>No trigger found</h1>${action}
      <p class="statement">No condition was confirmed on which the model says this.</p><p>Tried: ${sentence(tried)}</p><p>${NONE_FOUND}</p>${facts([["time", seconds(budget.seconds)]])}</section>`;
  }
  return html`<section class="answer"><h1>Trigger found and verified</h1>${action}
    <p class="statement">${trigger.statement}</p>${partList(trigger.parts)}
    ${trigger.also.map((statement) => html`<p class="statement">Also confirmed: ${statement}</p>`)}
    ${trigger.notShown.length > 0 ? html`<p class="small">Not shown: ${trigger.notShown.join("; ")}.</p>` : null}
    ${facts([
      ["action rate", rateWords(trigger.rate)],
      [
        "combination",
        { single: "one part", all: "all parts together", any: "any part is enough", other: "other" }[
          trigger.combination
        ],
      ],
      ["found by", trigger.foundBy.join(", ") || "search"],
      ["time", seconds(budget.seconds)],
    ])}</section>`;
}

/** Whether the answer is this hypothesis: of several that were confirmed it has the same parts. */
function isOf({ parts, combination }: StoredHypothesis, trigger: StoredAudit["trigger"]): boolean {
  const named = (some: readonly { readonly latents: readonly number[]; readonly negated: boolean }[]) =>
    JSON.stringify(some.map(({ latents, negated }) => [latents, negated]));
  return trigger !== null && combination === trigger.combination && named(parts) === named(trigger.parts);
}

function otherHypothesis(hypothesis: StoredHypothesis): Html {
  const { parts, combination, verified, reason, rate } = hypothesis;
  const words = parts
    .map(({ negated, label }) => `${negated ? "not " : ""}${label}`)
    .join(combination === "any" ? " or " : " and ");
  return html`<details><summary>${words}<span class="badge ${verified ? "yes" : "no"}">${verified ? "verified" : "not verified"}</span><span class="small">${rateWords(rate)}</span></summary>
    <p class="small">${sentence(reason)}</p>${partList(parts)}${evidence(hypothesis)}</details>`;
}

/** Prompts that search bred: at hand where nothing was found, folded away beside an answer. */
function bredSection({ bred, trigger }: StoredAudit): Html | null {
  if (bred.length === 0) return null;
  const items = bred.map(
    ({ prompt, logprob, cleanLogprob, carriedBy }) =>
      html`<li><q>${highlight(prompt, carriedBy ?? [])}</q><div class="small">${chances(logprob, cleanLogprob)}</div></li>`,
  );
  const list = html`<p class="small">From the prompts that came nearest to the action words were exchanged until it came. In the place of a word that is marked hardly any other brings it. They are something to read and no evidence: what they have in common may be the condition, or words that only came along.</p><ul class="examples">${items}</ul>`;
  const summary = `${bred.length === 1 ? "1 prompt" : `${bred.length} prompts`} that search wrote`;
  const shown = trigger === null ? list : html`<details><summary>${summary}</summary>${list}</details>`;
  return html`<section><h2>Prompts bred for the action</h2>${shown}</section>`;
}

function settingsSection({ used, budget, tried, trigger, seed, candidates }: StoredAudit): Html {
  const rows = Object.entries(used).filter(([, value]) => value !== null);
  return html`<section><h2>What was done, and with what</h2>${trigger ? html`<p>${sentence(tried)}</p>` : null}
    ${facts([
      ["candidate latents", String(candidates.length)],
      ["tokens forward", budget.forwardTokens.toLocaleString("en")],
      ["tokens backward", budget.backwardTokens.toLocaleString("en")],
      ["time", seconds(budget.seconds)],
      ["seed", seed === undefined ? "–" : String(seed)],
    ])}
    <details><summary>Settings</summary><dl class="settings">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>`)}</dl></details></section>`;
}

function facts(entries: readonly (readonly [string, string])[]): Html {
  return html`<dl class="facts">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  return `${trimmed[0]!.toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? "" : "."}`;
}
