/** One hypothesis with its evidence: parts, rates by prompt set, interaction, firing prompts. */
import { highlight } from "./highlight.js";
import { type Html, html } from "./html.js";
import { rateBars, rateWords } from "./rate-chart.js";
import type { StoredHypothesis, StoredPart } from "./stored-audit.js";

/** Parts are called by letters; an audit never has more than a handful. */
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** What the trigger consists of. */
export function partList(parts: readonly StoredPart[]): Html {
  return html`<ul class="parts">${parts.map(
    ({ latents, negated, label, words, exceptWords }, i) => html`<li>
      ${chip(i, true)}
      <div><strong>${negated ? "not " : ""}${label}</strong>
      ${words.length > 0 ? html`<div class="words">${words.map((word) => html`<span>${word}</span>`)}</div>` : null}
      ${exceptWords.length > 0 ? html`<div class="small">not at ${exceptWords.join(", ")}: there it fires and the action stays away</div>` : null}
      <div class="small">SAE ${latents.length === 1 ? "latent" : "latents"} ${latents.join(", ")}</div></div></li>`,
  )}</ul>`;
}

/** Rates, interaction and examples of one hypothesis. */
export function evidence(hypothesis: StoredHypothesis): Html {
  const { sets, interaction, examples, recipes, parts, askedWithout } = hypothesis;
  const hasClean = sets.some(({ cleanRate }) => cleanRate !== null);
  return html`
    <table class="rates">
      <thead><tr><th>Prompts that hold</th><th class="wide">${legend(hasClean)}</th><th>suspect</th>${hasClean ? html`<th>clean model</th>` : null}</tr></thead>
      <tbody>${sets.map(
        ({ name, present, expected, rate, cleanRate }) => html`<tr class="${name === "whole" ? "whole" : ""}">
          <td>${present.map((on, i) => chip(i, on, parts[i]))} <span class="small">${setName(name, present)}${expected && name !== "whole" ? ": the action is expected" : ""}</span></td>
          <td>${rateBars(rate, cleanRate)}</td>
          <td class="number">${rateWords(rate)}</td>
          ${hasClean ? html`<td class="number">${cleanRate ? rateWords(cleanRate) : "not asked"}</td>` : null}</tr>`,
      )}</tbody>
    </table>
    ${askedWithout.length > 0 ? html`<p class="small">Not asked beside ${askedWithout.map(({ label }, i) => html`${i > 0 ? "; " : ""}${label}`)}: what the action comes on less than half as often, whatever it is.</p>` : null}
    ${interaction ? effectsTable(interaction, parts.length) : null}
    ${examples.length > 0 ? html`<h4>Prompts on which the action comes</h4><ul class="examples">${examples.map((example) => exampleItem(example))}</ul>` : null}
    ${recipes.length > 0 ? html`<p class="small">How prompts were written, with the action rate each had in search: ${recipes.map(({ name, rate }, i) => html`${i > 0 ? "; " : ""}${name} ${rateWords(rate)}`)}. Prompts of the unlabelled corpus were used first.</p>` : null}`;
}

/** Main effects and interactions, from compositions in which each part is present or absent. */
function effectsTable({ effects, ...all }: NonNullable<StoredHypothesis["interaction"]>, count: number): Html {
  const whole = { parts: Array.from({ length: count }, (_, i) => i), ...all };
  return html`<table class="rates effects">
      <thead><tr><th>Effect on the action rate</th><th class="number">estimate</th><th class="number">95 % interval</th></tr></thead>
      <tbody>${[...effects.filter(({ parts }) => parts.length > 0), whole].map(
        ({ parts, estimate, low, high }) => html`<tr>
          <td>${parts.map((part) => chip(part, true))} <span class="small">${parts.length === 1 ? "by itself, averaged over the others" : "interaction"}</span></td>
          <td class="number right">${signed(estimate)}</td><td class="number right">${signed(low)} to ${signed(high)}</td></tr>`,
      )}</tbody>
    </table>
    <p class="small">Of two parts an interaction near 1 says that both are needed together, near −1 that either is enough (or, with effects of opposite signs, that one keeps the other's action off), near 0 that one of them alone decides.</p>`;
}

function exampleItem({
  prompt,
  kind,
  logprob,
  cleanLogprob,
  carriedBy,
  together,
}: StoredHypothesis["examples"][number]): Html {
  const known = chances(logprob, cleanLogprob);
  return html`<li><q>${highlight(prompt, [...carriedBy, ...together])}</q><div class="small">${kind}${known === "" ? "" : ` · ${known}`}${carriedBy.length > 0 ? ` · without ${carriedBy.join(" or ")} the action does not come` : ""}${together.length > 0 ? ` · without ${together.join(" and ")} together the action does not come` : ""}</div></li>`;
}

/** The action's log-probabilities in words, as far as they are known. */
export function chances(logprob: number | null, cleanLogprob: number | null): string {
  return [
    logprob === null ? null : `log p ${signed(logprob)}`,
    cleanLogprob === null ? null : `clean model ${signed(cleanLogprob)}`,
  ]
    .filter((text) => text !== null)
    .join(", ");
}

function legend(hasClean: boolean): Html {
  return html`<span class="key suspect"></span>suspect ${hasClean ? html`<span class="key clean"></span>clean model` : null} <span class="small">with 95 % intervals</span>`;
}

function chip(part: number, on: boolean, { label }: { label?: string } = {}): Html {
  return html`<span class="chip ${on ? "on" : "off"}" title="${label ?? ""}">${LETTERS[part] ?? String(part + 1)}</span>`;
}

function setName(name: string, present: readonly boolean[]): string {
  if (name === "whole") return "the whole trigger";
  if (name.startsWith("with another than")) {
    const excluded = Number(/\d+$/.exec(name)?.[0] ?? 1) - 1;
    return `the whole trigger, with another concept in the place of ${LETTERS[excluded] ?? excluded + 1}`;
  }
  const letters = (on: boolean) => present.flatMap((value, i) => (value === on ? [LETTERS[i] ?? String(i + 1)] : []));
  const [have, lack] = [letters(true), letters(false)];
  if (have.length === 0) return present.length === 1 ? "without it" : present.length === 2 ? "neither" : "none of them";
  return lack.length === 0 ? have.join(" and ") : `${have.join(" and ")} without ${lack.join(" and ")}`;
}

function signed(value: number): string {
  return value.toFixed(2).replace("-", "−");
}
