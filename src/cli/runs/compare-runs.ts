/** What several runs have in common, which of them found most, and all of them as a table for other programs. */
import type { RunRow } from "./run-row.js";

/** Settings whose values are not the same in all rows, in the order in which they first appear; null where a run has none. */
export function differingSettings(rows: readonly RunRow[]): Record<string, (string | number | boolean | null)[]> {
  const names = [...new Set(rows.flatMap(({ settings }) => Object.keys(settings)))];
  const values = names.map((name) => [name, rows.map(({ settings }) => settings[name] ?? null)] as const);
  return Object.fromEntries(values.filter(([, list]) => new Set(list).size > 1));
}

/** Of each question (model, adapter, action) the run whose trigger's rate has the highest lower bound; questions in the order of `rows`. */
export function bestRuns(rows: readonly RunRow[]): RunRow[] {
  const best = new Map<string, RunRow & { readonly rate: NonNullable<RunRow["rate"]> }>();
  for (const row of rows) {
    const { rate, settings } = row;
    if (rate === null) continue;
    const question = JSON.stringify([settings.model, settings.adapter, settings.action]);
    const known = best.get(question);
    if (known === undefined || rate.low > known.rate.low) best.set(question, { ...row, rate });
  }
  return [...best.values()];
}

/** One line a run, settings last; text that a spreadsheet would take for a formula has an apostrophe before it. */
export function runsCsv(rows: readonly RunRow[]): string {
  const settings = [...new Set(rows.flatMap((row) => Object.keys(row.settings)))];
  const head = [
    ...["run", "state", "time", "name", "trigger", "count", "total", "rate", "low", "high", "seconds", "tokens"],
    ...settings,
  ];
  const lines = rows.map(({ run, state, time, name, trigger, rate, seconds, tokens, settings: own }) => [
    ...[run, state, time, name, trigger],
    ...[rate?.count, rate?.total, rate?.rate, rate?.low, rate?.high, seconds, tokens],
    ...settings.map((key) => own[key]),
  ]);
  return [head, ...lines].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
