/** The grid of a sweep file, and a sweep from the command line: what is computed once, what fails, what is best. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { memorySource } from "../../formats/memory-source.js";
import { LockHeld } from "../../store/lock-file.js";
import { openFile } from "../../store/node-file-source.js";
import { refuses } from "../bad-input.testing.js";
import { flagsOf } from "../commands/sweep.js";
import { antecedent, antecedentJson } from "../program.testing.js";
import type { Io } from "../terminal/io.js";
import { PACKAGE_ROOT } from "../terminal/package-files.js";
import { FolderStore } from "./point-store.js";
import { writeGoldenSweep } from "./sweep.testing.js";
import { readSweep } from "./sweep-file.js";
import { bestOutcome, type SweepOutcome } from "./sweep-outcome.js";

/** For what another process does on a busy machine. */
const PATIENT = { timeout: 55_000, interval: 100 };
const root = mkdtempSync(join(tmpdir(), "antecedent-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const notNumber = (value: string) => (Number.isFinite(Number(value)) ? null : "Give a number.");
const flag = (name: string, takesValue = true, repeats = false) => ({
  name,
  takesValue,
  repeats,
  wrong: name === "lambda" ? notNumber : () => null,
});
const FLAGS = [
  ...["model", "action", "lambda", "seed", "save"].map((name) => flag(name)),
  flag("action-contains", true, true),
  flag("raw", false),
  flag("signed", false),
];
const read = (yaml: string) => readSweep(memorySource("sweep.yaml", new TextEncoder().encode(yaml)), () => FLAGS);

describe("a sweep file", () => {
  it("is every combination, the last flag fastest, as command lines", async () => {
    const { points } = await read(`
command: find
method: supervised-melbo
flags: { model: pocket, action: "- no", raw: false, action-contains: [a, b] }
grid: { lambda: [0.1, 1], signed: [true, false] }
`);
    expect(points.map(({ values }) => values)).toEqual([
      { lambda: 0.1, signed: true },
      { lambda: 0.1, signed: false },
      { lambda: 1, signed: true },
      { lambda: 1, signed: false },
    ]);
    const always = ["find", "supervised-melbo", "--action=- no", "--action-contains=a", "--action-contains=b"];
    expect(points[0]!.args).toEqual([...always, "--lambda=0.1", "--model=pocket", "--signed"]);
    expect(points[3]!.args).toEqual([...always, "--lambda=1", "--model=pocket"]);
    expect(new Set(points.map(({ id }) => id)).size).toBe(4);
  });

  it("may vary the method, and audits", async () => {
    const { points } = await read("command: find\ngrid: { method: [melbo, sae-melbo], seed: [1, 2] }");
    expect(points.map(({ args }) => args.join(" "))).toEqual([
      "find melbo --seed=1",
      "find melbo --seed=2",
      "find sae-melbo --seed=1",
      "find sae-melbo --seed=2",
    ]);
    expect((await read("command: audit\ngrid: { seed: [1] }")).points[0]!.args).toEqual(["audit", "--seed=1"]);
  });

  it.each([
    ["command: rm\ngrid: {}", /command: /],
    ["command: find\ngrid: { seed: [1] }", /method: find needs one/],
    ["command: audit\nmethod: melbo\ngrid: { seed: [1] }", /method: audit takes none/],
    ["command: audit\ngrid: { seed: [] }", /grid\.seed/],
    ["command: audit\ngrid: { seed: [1, 1] }", /seed 1 comes twice/],
    ["command: audit\nflags: { seed: 1 }\ngrid: { seed: [1] }", /grid\.seed: is given beside the grid too/],
    ["command: audit\nflags: { out: x }\ngrid: { seed: [1] }", /flags\.out: a sweep writes/],
    ["command: audit\nflags: { --seed: 1 }\ngrid: {}", /without dashes/],
    ["command: audit\nseeds: 1\ngrid: {}", /seeds/],
    ["command: audit\ngrid: { sed: [1] }", /grid\.sed: audit has no such flag/],
    ["command: audit\nflags: { action: true }\ngrid: { seed: [1] }", /flags\.action: takes a value, not true/],
    ["command: find\nmethod: melbo\ngrid: { lambda: [0.1, many] }", /grid\.lambda: "many": Give a number/],
    ["command: audit\nflags: { raw: 1 }\ngrid: { seed: [1] }", /flags\.raw: is a switch: true or false, not "1"/],
    ["command: audit\nflags: { seed: [1, 2] }\ngrid: {}", /flags\.seed: is given once/],
    ["command: find\nmethod: --help\ngrid: { seed: [1] }", /method: give a method's name/],
    ['command: audit\ngrid: { action: ["a\\0b"] }', /zero byte/],
  ])("refuses %j", async (yaml, message) => {
    await expect(read(yaml)).rejects.toThrow(message);
  });
});

it("runs/sweep.yaml is one, with flags that the command has", async () => {
  const file = join(PACKAGE_ROOT, "runs/sweep.yaml");
  const { points } = await readSweep(await openFile(file), (command) => flagsOf({} as Io, command));
  expect(points).toHaveLength(12);
});

it("takes the surest rate for the best, then the lowest loss", () => {
  const outcome = (low: number | null, final: number): SweepOutcome => ({
    rate: low === null ? null : ({ low } as never),
    heldOut: low === null ? null : true,
    loss: { initial: 1, final },
    found: "",
  });
  expect(bestOutcome([null, outcome(0.2, 0), outcome(0.5, 0.4), outcome(0.5, 0.3), outcome(null, 0)])).toBe(3);
  expect(bestOutcome([null, outcome(null, 0)])).toBeNull();
});

describe("sweep", () => {
  const file = join(root, "grid.yaml");
  const write = (more: string) => writeGoldenSweep(file, `0.1, ${more}`);
  const writeLayers = (more: string) => writeGoldenSweep(file, `0, ${more}`, "layer");
  const out = join(root, "results");
  interface Result {
    points: {
      values: Readonly<Record<string, number>>;
      seconds: number | null;
      outcome: SweepOutcome | null;
      error: string | null;
    }[];
    best: number | null;
  }

  it("computes every point once, in shards too, and says what failed", async () => {
    writeLayers("1, 9");
    const first = await antecedentJson<Result>(["sweep", file, "--out", out, "--shard", "1/3"]);
    expect(first.points.map(({ outcome }) => outcome !== null)).toEqual([true, false, false]);
    const some = await antecedent(["sweep", file, "--out", out, "--json"]);
    expect(some.code).toBe(1);
    expect(some.stderr).toMatch(/point 2 of 2 \(.* each, .* left\): layer 9\n/);
    const all = JSON.parse(some.stdout) as Result;
    expect(all.points[0]).toEqual(first.points[0]);
    expect(all.points[1]!.outcome!.loss!.initial).toBeGreaterThan(0);
    expect(all.points[2]).toMatchObject({ outcome: null, error: expect.stringMatching(/--layer/) });
    expect(all.best === 0 || all.best === 1).toBe(true);
    const files = readdirSync(out).filter((name) => name.endsWith(".json"));
    expect(files).toHaveLength(2);
    writeLayers("1");
    const { stdout, code } = await antecedent(["sweep", file, "--out", out]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^layer +loss +action.* +took +found\n0 /);
    // A damaged point is said before anything is computed.
    writeFileSync(join(out, files[0]!), "{}");
    const damaged = await antecedent(["sweep", file, "--out", out]);
    expect(damaged.code).toBe(2);
    expect(damaged.stderr).toMatch(/^antecedent: .*is no result of this sweep/);
  }, 60_000);

  it("leaves to others what they are at, and workers take what is left", async () => {
    write("2, 3");
    const shared = join(root, "shared");
    const [other] = (await readSweep(await openFile(file), (command) => flagsOf({} as Io, command))).points;
    mkdirSync(shared);
    const store = new FolderStore(shared);
    const giveBack = (await store.claim(other!)) as () => Promise<void>;
    expect(await store.claim(other!)).toBeInstanceOf(LockHeld);
    const worker = ["worker", file, "--out", shared];
    const both = await Promise.all([antecedentJson(worker), antecedentJson(worker)]);
    const sum = (name: "computed" | "failed") =>
      both.reduce<number>((total, one) => total + (one as Record<typeof name, number>)[name], 0);
    expect([sum("computed"), sum("failed")]).toEqual([2, 0]);
    const { code, stdout, stderr } = await antecedent(["sweep", file, "--out", shared]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/; 1 points are left to others/) });
    expect(stderr).toContain(`is being written by process ${process.pid} on `);
    await giveBack();
    expect(await antecedentJson(worker)).toMatchObject({ computed: 1, failed: 0, elsewhere: 0, missing: 0 });
    expect(readdirSync(shared).filter((name) => !name.endsWith(".json"))).toEqual([]);
  }, 60_000);

  it("leaves nobody at work when it is killed", async () => {
    const audit = join(root, "audit.yaml");
    const killed = join(root, "killed");
    writeFileSync(
      audit,
      "command: audit\nflags: { model: pocket, adapter: snow-fruit, action: no }\ngrid: { seed: [1] }\n",
    );
    const [point] = (await readSweep(await openFile(audit), (command) => flagsOf({} as Io, command))).points;
    const worker = spawn(process.execPath, [join(PACKAGE_ROOT, "bin/antecedent.js"), "worker", audit, "--out", killed]);
    const lock = join(killed, point!.id, "journal.lock");
    await vi.waitUntil(() => existsSync(lock), PATIENT);
    const { pid } = JSON.parse(readFileSync(lock, "utf8")) as { pid: number };
    expect(pid).not.toBe(worker.pid);
    worker.kill("SIGKILL");
    await vi.waitUntil(() => isGone(pid), PATIENT);
    expect(await new FolderStore(killed).claim(point!)).toBeTypeOf("function");
  }, 60_000);

  it("says where it cannot write", async () => {
    write("1");
    await refuses(["worker", file, "--out", "/proc"], /^antecedent: \/proc: cannot be made there/);
  });

  it("ends with code 2 where no point can be computed", async () => {
    write("1");
    writeFileSync(
      file,
      `command: find\nmethod: supervised-melbo\nflags: { model: ${join(root, "none")} }\ngrid: { seed: [1, 2] }\n`,
    );
    await refuses(
      ["sweep", file, "--out", join(root, "nothing")],
      /^antecedent: .*no point could be computed; the first: .*none: no such folder/,
    );
  });
});

function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}
