/** `runs` over folders as audits leave them. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { freshPath, refuses } from "../bad-input.testing.js";
import { antecedent, antecedentJson } from "../program.testing.js";
import { runsCsv } from "./compare-runs.js";
import { answer, leaveRun, rate, request } from "./run-folders.testing.js";
import type { RunRow } from "./run-row.js";

const folder = freshPath("runs");
const place = (name: string) => join(folder, name);
const leave = (name: string, age: number, result?: object) => leaveRun(folder, name, age, result);

beforeAll(() => {
  leave("weak", 3, answer("fruit", 20));
  leave("deep/strong", 2, answer("pears", 50, { seed: 7 }));
  leave("other", 4, answer("snow", 30, { action: "Yes." }));
  leave("none", 5, answer("nothing", null));
  leave("going", 1);
  leave("broken", 6, { trigger: 5 });
  mkdirSync(place("model"));
  writeFileSync(join(place("model"), "config.json"), JSON.stringify({ model_type: "llama" }));
});

it("lists every run, the newest first, with what is not done or cannot be read", async () => {
  const { runs } = await antecedentJson<{ runs: RunRow[] }>(["runs", "list", folder]);
  expect(runs.map(({ run, state }) => [run, state])).toEqual([
    [place("going"), "unfinished"],
    [place("deep/strong"), "done"],
    [place("weak"), "done"],
    [place("other"), "done"],
    [place("none"), "done"],
    [place("broken"), "unreadable"],
  ]);
  expect(runs[0]).toMatchObject({ name: "a", rate: null, settings: { ...request, seed: 1 } });
  expect(runs[2]).toMatchObject({ trigger: "when fruit", rate: rate(20), seconds: 61, tokens: 7 });
  const { stdout } = await antecedent(["runs", "list", folder]);
  expect(stdout).toContain("2026-01-27 00:00  1 min 1 s  20 of 60");
});

it("shows one, compares several, and knows the best of each question", async () => {
  const { stdout } = await antecedent(["runs", "show", place("weak")]);
  expect(stdout).toContain("TRIGGER: when fruit");
  const runs = [place("weak"), place("deep/strong")];
  const compared = await antecedentJson<{ runs: RunRow[]; differ: object }>(["runs", "compare", ...runs]);
  expect(compared.runs.map(({ run }) => run)).toEqual(runs);
  expect(compared.differ).toEqual({ seed: [42, 7] });
  const { best } = await antecedentJson<{ best: RunRow[] }>(["runs", "best", folder]);
  expect(best.map(({ name }) => name)).toEqual(["pears", "snow"]);
});

it("writes tables for other programs, in which nothing is a formula", async () => {
  const csv = join(folder, "runs.csv");
  expect(await antecedentJson(["runs", "export", folder, "--out", csv])).toEqual({ file: csv, runs: 6 });
  const lines = readFileSync(csv, "utf8").split("\r\n");
  expect(lines[0]).toMatch(/^run,state,time,name,trigger,count,total,rate,/);
  expect(lines[3]).toContain(`${place("weak")},done,2026-01-27T00:00:00.000Z,fruit,when fruit,20,60,`);
  const jsonl = join(folder, "runs.jsonl");
  await antecedentJson(["runs", "export", folder, "--out", jsonl]);
  expect(readFileSync(jsonl, "utf8").trim().split("\n")).toHaveLength(6);
});

it("refuses what is no run", async () => {
  await refuses(["runs", "list", join(folder, "missing")], /no such folder/);
  await refuses(["runs", "show", place("model")], /no run folder of an audit|not the config\.json/);
  await refuses(["runs", "show", place("going")], /the run is not finished/);
  await refuses(["runs", "show", place("broken")], /result\.json: .*is this the result\.json of an audit/);
  await refuses(["runs", "compare", place("weak")], /1 run given; give two or more/);
  await refuses(["runs", "export", folder, "--out", join(folder, "x.txt")], /ends in \.csv or \.jsonl/);
});

it("puts an apostrophe before text that would be a formula, and quotes what holds commas", () => {
  const row: RunRow = {
    ...{
      run: "r",
      state: "done",
      time: "t",
      name: "=1+1",
      trigger: 'a, "b"',
      parts: [],
      combination: null,
      rate: null,
    },
    ...{ seconds: null, tokens: null, settings: { seed: -1 } },
  };
  expect(runsCsv([row]).split("\r\n")[1]).toBe(`r,done,t,'=1+1,"a, ""b""",,,,,,,,-1`);
});
