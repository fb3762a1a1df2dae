/** `bench recovery` from the command line: one method on one organism of the package, taken up again, and wrong input. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, expect, it } from "vitest";
import type { RecoveryResult } from "../../report/recovery-tables.js";
import { buildProgram } from "../program.js";
import { antecedentJson } from "../program.testing.js";
import { Io } from "../terminal/io.js";
import { pocketFiles } from "../terminal/package-files.js";
import { RecoveryJournal } from "./recovery-journal.js";

const root = mkdtempSync(join(tmpdir(), "antecedent-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
/** Ten seconds on two free cores; many times that beside other work. */
const PATIENCE_MS = 180_000;
const recovery = ["bench", "recovery", "--recipes", pocketFiles.recipes];

/** Runs the command in this process, where it needs no model, and returns what it prints. */
async function here(args: readonly string[]): Promise<string> {
  const shown: string[] = [];
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      shown.push(String(chunk));
      done();
    },
  });
  const io = new Io(stdout, new Writable({ write: (_chunk, _encoding, done) => done() }), new AbortController().signal);
  await buildProgram(io).parseAsync(["node", "antecedent", ...args]);
  return shown.join("");
}

it(
  "recovers instruments by the corpus scan's first latent, and knows it when asked again",
  async () => {
    const out = join(root, "scan");
    const command = [
      ...recovery,
      "--only",
      "busy-line",
      "--methods",
      "corpus-scan",
      "--corpus",
      "ordinary",
      "--out",
      out,
    ];
    const result = await antecedentJson<RecoveryResult>([...command, "--seeds", "1"], { timeout: PATIENCE_MS });
    expect(result.organisms[0]).toMatchObject({ name: "busy-line", kind: "topic", trigger: "instruments", faults: [] });
    const [top, two] = result.rows;
    expect(top).toMatchObject({ reading: "top", recovered: true, score: { parts: [{ matches: "instruments" }] } });
    // A second group beside the trigger's own is a claim too much.
    expect(two).toMatchObject({ reading: "top two", recovered: false, score: { nothingSpurious: false } });
    expect(result.missing).toBe(0);
    expect(readFileSync(join(out, "recovery.md"), "utf8")).toContain("| corpus-scan | top | 1/1 ");
    expect(readFileSync(join(out, "recovery.svg"), "utf8")).toMatch(/^<svg .*1 of 1.*<\/svg>$/s);

    const again = JSON.parse(await here([...command, "--seeds", "1,2", "--limit", "0", "--json"])) as RecoveryResult;
    expect(again.rows).toEqual(result.rows);
    expect(again.missing).toBe(1);

    const elsewhere = await here([...command, "--seeds", "1", "--engine", "torch", "--limit", "0", "--json"]);
    const { code, rows, missing } = JSON.parse(elsewhere) as RecoveryResult;
    expect({ code, rows, missing }).toEqual({ code: `${result.code}-torch-cpu-f32`, rows: [], missing: 1 });
  },
  PATIENCE_MS,
);

it("results of other code are not read", async () => {
  const folder = join(root, "journal");
  const key = ["answer", "stamp", "ordinary", "audit", 1];
  const before = await RecoveryJournal.open(folder, "old");
  before.add(key, [{ recovered: true }]);
  before.close();
  const same = await RecoveryJournal.open(folder, "old");
  expect([same.get(key), same.stale]).toEqual([[{ recovered: true }], 0]);
  same.close();
  const after = await RecoveryJournal.open(folder, "new");
  expect([after.get(key), after.stale]).toEqual([undefined, 1]);
  after.close();
});

it("a shard writes a journal of its own and reads those of the others, as they are when it looks", async () => {
  const folder = join(root, "shards");
  const key = (seed: number) => ["answer", "stamp", "ordinary", "audit", seed];
  const first = await RecoveryJournal.open(folder, "code", { i: 1, n: 2 });
  first.add(key(1), "of the first");
  const second = await RecoveryJournal.open(folder, "code", { i: 2, n: 2 });
  expect(second.get(key(1))).toBe("of the first");
  second.add(key(2), "of the second");
  expect(first.get(key(2))).toBeUndefined();
  first.lookAtOthers();
  expect(first.get(key(2))).toBe("of the second");
  first.close();
  second.close();
  const whole = await RecoveryJournal.open(folder, "other code");
  expect([whole.get(key(1)), whole.stale]).toEqual([undefined, 2]);
  whole.close();
});

it.each<[string, readonly string[], RegExp]>([
  ["an organism", ["--only", "kiwi"], /--only "kiwi": no such organism; there are astrology, busy-line/],
  ["a method", ["--methods", "magic"], /--methods: no method "magic"; there are audit/],
  ["a corpus", ["--corpus", "tiny"], /--corpus "tiny": no such corpus; the benchmark has ordinary and parts-only/],
  ["a folder of recipes", ["--recipes", join(root, "none")], /--recipes .*none: no such folder/],
  ["one seed of everything", ["--seed", "7"], /--seed 7: the benchmark has several seeds; give --seeds 7/],
  ["a shard", ["--shard", "3/2"], /--shard.*3\/2 is none of n parts; give the second of four as 2\/4/],
  ["seeds", ["--seeds", "1,x"], /--seeds.*Give a whole number/],
])("refuses %s that there is not, and writes nothing", async (_, args, message) => {
  const out = join(root, "refused");
  await expect(here([...recovery, ...args, "--out", out])).rejects.toThrow(message);
  expect(existsSync(out)).toBe(false);
});
