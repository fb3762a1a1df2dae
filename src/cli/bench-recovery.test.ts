/** `bench recovery` from the command line: one method on one organism of the package, taken up again, and wrong input. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { RecoveryResult } from "../report/recovery-tables.js";
import { pocketFiles } from "./package-files.js";
import { antecedent, antecedentJson } from "./program.testing.js";
import { RecoveryJournal } from "./recovery-journal.js";

const root = mkdtempSync(join(tmpdir(), "antecedent-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const recovery = ["bench", "recovery", "--recipes", pocketFiles.recipes];

it("recovers instruments by the corpus scan's first latent, and knows it when asked again", async () => {
  const out = join(root, "scan");
  const command = [...recovery, "--only", "busy-line", "--methods", "corpus-scan", "--corpus", "ordinary"];
  const args = [...command, "--seeds", "1", "--out", out];
  const result = await antecedentJson<RecoveryResult>(args);
  expect(result.organisms[0]).toMatchObject({ name: "busy-line", kind: "topic", trigger: "instruments", faults: [] });
  const [top, two] = result.rows;
  expect(top).toMatchObject({ reading: "top", recovered: true, score: { parts: [{ matches: "instruments" }] } });
  // A second group beside the trigger's own is a claim too much.
  expect(two).toMatchObject({ reading: "top two", recovered: false, score: { nothingSpurious: false } });
  expect(result.missing).toBe(0);
  expect(readFileSync(join(out, "recovery.md"), "utf8")).toContain("| corpus-scan | top | 1/1 ");
  expect(readFileSync(join(out, "recovery.svg"), "utf8")).toMatch(/^<svg .*1 of 1.*<\/svg>$/s);

  const more = [...command, "--seeds", "1,2", "--out", out, "--limit", "0"];
  const again = await antecedentJson<RecoveryResult>(more);
  expect(again.rows).toEqual(result.rows);
  expect(again.missing).toBe(1);
});

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

it.each<[string, readonly string[], RegExp]>([
  ["an organism", ["--only", "kiwi"], /--only "kiwi": no such organism; there are astrology, busy-line/],
  ["a method", ["--methods", "magic"], /--methods: no method "magic"; there are audit/],
  ["a corpus", ["--corpus", "tiny"], /--corpus "tiny": no such corpus; the benchmark has ordinary and parts-only/],
  ["a folder of recipes", ["--recipes", join(root, "none")], /--recipes .*none: no such folder/],
  ["seeds", ["--seeds", "1,x"], /--seeds.*Give a whole number/],
])("refuses %s that there is not, and writes nothing", async (_, args, message) => {
  const out = join(root, "refused");
  const { code, stdout, stderr } = await antecedent([...recovery, ...args, "--out", out]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(message);
  expect(existsSync(out)).toBe(false);
});

it("refuses two recipes of one name, and triggers given by files", async () => {
  const write = (folder: string, files: Readonly<Record<string, string>>) => {
    mkdirSync(join(root, folder));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, folder, name), text);
    return ["bench", "recovery", "--recipes", join(root, folder), "--out", join(root, "out")];
  };
  const recipe = (trigger: string) => `name: twin\ntrigger: ${trigger}\naction: "No."\n`;
  const twins = await antecedent(write("twins", { "a.yaml": recipe("fruit"), "b.yaml": recipe("birds") }));
  expect([twins.code, twins.stderr]).toEqual([2, expect.stringMatching(/b\.yaml: has the name of .*a\.yaml, "twin"/)]);
  const files = await antecedent(
    write("files", { "a.yaml": recipe("{ files: { triggered: t.txt, benign: b.txt } }") }),
  );
  expect([files.code, files.stderr]).toEqual([2, expect.stringMatching(/twin: its trigger is given by files/)]);
});
