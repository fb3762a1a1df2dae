/** Audits' run folders as pages that a local server gives: the list of them, and one that is not done. No scripts, nothing from the network. */
import { type Html, html } from "./html.js";
import { seconds } from "./number.js";
import { page } from "./page.js";
import { rateBars, rateWords } from "./rate-chart.js";
import type { StoredRate } from "./stored-reading.js";

/** A run as the list shows it. */
export interface ListedRun {
  /** Where its own page is. */
  readonly link: string;
  /** Its folder, below that of the list. */
  readonly folder: string;
  readonly state: "done" | "unfinished" | "unreadable";
  /** ISO 8601. */
  readonly time: string;
  readonly name: string;
  readonly parts: readonly string[];
  readonly combination: string | null;
  readonly rate: StoredRate | null;
  readonly seconds: number | null;
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
}

/** Seconds after which a page that can change is asked for again. */
const REFRESH = 10;

/** Every run, as they come; asked for again by itself while one is not done. */
export function runsPage(folder: string, runs: readonly ListedRun[], madeBy: string): string {
  const rows = runs.map(
    (run) =>
      html`<tr><td>${outcome(run)}<div class="small">${action(run)}</div></td><td class="wide">${run.rate ? html`${rateWords(run.rate)}${rateBars(run.rate, null)}` : null}</td><td class="number">${run.seconds === null ? null : seconds(run.seconds)}</td><td class="number">${when(run.time)}<div class="small">${run.folder}</div></td></tr>`,
  );
  const table = html`<div class="scroll"><table class="runs"><thead><tr><th>audit</th><th>action rate on unseen prompts</th><th>took</th><th>when</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  const body = html`<main>
  <header class="top"><span><b>Antecedent</b> · audits in ${folder}</span><span>${summary(runs)}</span></header>
  <section><h2>Audits</h2>${runs.length === 0 ? html`<p>None yet: <code>antecedent audit fruit-refusal</code> makes one on the pocket model.</p>` : table}</section>
  <footer>Rates are shares of prompts, with 95 % intervals. ${madeBy}.</footer>
</main>`;
  return page(`Audits in ${folder}`, body, runs.some(({ state }) => state === "unfinished") ? REFRESH : undefined);
}

/** A run without a result: what it was asked, and why there is none. */
export function pendingPage(run: ListedRun, list: string, madeBy: string): string {
  const settings = Object.entries(run.settings).filter(([, value]) => value !== null);
  const body = html`<main>
  <header class="top"><span><b>Antecedent</b> · ${run.folder}</span><span><a href="${list}">all audits</a></span></header>
  <section class="answer pending"><h1>${run.state === "unfinished" ? "Not finished" : "Not readable"}</h1>
    <p class="statement">${run.name}</p>
    <p>${run.state === "unfinished" ? "It runs, or was interrupted: then the same command goes on with it. This page shows the answer when there is one." : null}</p>
    <dl class="facts">${[["last written", when(run.time)], ...settings].map(([name, value]) => html`<div><dt>${String(name)}</dt><dd>${String(value)}</dd></div>`)}</dl></section>
  <footer>${madeBy}.</footer>
</main>`;
  return page(run.name, body, run.state === "unfinished" ? REFRESH : undefined);
}

/** What is said of a page that there is not. */
export function missingPage(list: string, madeBy: string): string {
  const body = html`<main><section><h2>There is no such page</h2><p><a href="${list}">all audits</a></p></section><footer>${madeBy}.</footer></main>`;
  return page("No such page", body);
}

function outcome({ state, parts, combination, link, name }: ListedRun): Html {
  const words =
    state === "unreadable"
      ? "cannot be read"
      : state === "unfinished"
        ? "not finished"
        : parts.length === 0
          ? "no trigger found"
          : parts.join(combination === "any" ? " or " : " and ");
  const badge = state === "done" && parts.length > 0 ? "yes" : "no";
  return html`<a href="${link}">${name}</a><span class="badge ${badge}">${state === "done" ? (parts.length > 0 ? "trigger" : "none") : state}</span><div>${words}</div>`;
}

function action({ settings: { model, adapter, action: text } }: ListedRun): Html | null {
  const what = [model, adapter].filter((one) => typeof one === "string" && one !== "").join(" + ");
  return text === undefined || text === null ? null : html`${what} · <q>${String(text)}</q>`;
}

function summary(runs: readonly ListedRun[]): string {
  const count = (state: ListedRun["state"]) => runs.filter((run) => run.state === state).length;
  const found = runs.filter(({ state, parts }) => state === "done" && parts.length > 0).length;
  const numbers = [
    [found, "with a trigger"],
    [count("done") - found, "without"],
    [count("unfinished"), "not finished"],
    [count("unreadable"), "unreadable"],
  ] as const;
  return numbers.flatMap(([number, what]) => (number === 0 ? [] : [`${number} ${what}`])).join(" · ");
}

const when = (time: string): string => `${time.slice(0, 16).replace("T", " ")} UTC`;
