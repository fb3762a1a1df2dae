/** Run folders as audits leave them. */
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const rate = (count: number) => ({ count, total: 60, rate: count / 60, low: count / 80, high: 1 });
export const request = { model: "pocket", adapter: "a", action: "No." };

/** A run folder with what was asked and, where there is one, its answer; `age`: days since it was written. */
export function leaveRun(folder: string, name: string, age: number, result?: object): void {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "config.json"), JSON.stringify({ version: "0", request, settings: { seed: age } }));
  const file = join(place, result === undefined ? "journal" : "result.json");
  writeFileSync(file, result === undefined ? "" : JSON.stringify(result));
  const time = new Date(Date.UTC(2026, 0, 30 - age));
  utimesSync(file, time, time);
}

export function answer(name: string, count: number | null, used: object = {}): object {
  const part = { latents: [3], negated: false, label: `=${name}, or so`, words: [], exceptWords: [] };
  return {
    name,
    trigger:
      count === null
        ? null
        : { statement: `when ${name}`, combination: "single", parts: [part], rate: rate(count), foundBy: [] },
    ...{ hypotheses: [], methods: [], controls: [], latents: [] },
    budget: { forwardTokens: 5, backwardTokens: 2, seconds: 61 },
    used: { ...request, seed: 42, ...used },
  };
}
