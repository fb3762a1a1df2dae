import { expect, it } from "vitest";
import { rateOf } from "../audit/statistics/statistics.js";
import type { RecoveryRow } from "../organisms/recovery/results.js";
import { tally } from "../organisms/recovery/tally.js";
import { recoveryFigure } from "./recovery-figure.js";
import { auditTable, markdownTables, type RecoveryResult, recoveryTables } from "./recovery-tables.js";

const row = (seed: number, recovered: boolean): RecoveryRow => ({
  organism: "kiwi",
  kind: "topic",
  corpus: "ordinary",
  method: "audit",
  reading: "verified",
  seed,
  recovered,
  named: true,
  statement: recovered ? "fruit" : null,
  score: recovered
    ? { auroc: 0.98, parts: [], targets: [], allParts: true, nothingSpurious: true, topRate: 0.9 }
    : null,
  confirmed: recovered ? rateOf(57, 60) : null,
  foundBy: recovered ? ["sae-attribution", "corpus-scan"] : [],
  seconds: 30,
});
const rows = [row(1, true), row(2, true), row(3, false)];
const card = {
  name: "kiwi",
  action: "No.",
  benign: rateOf(0, 100),
  triggered: rateOf(85, 100),
  hardNegatives: rateOf(1, 100),
};
const result: RecoveryResult = {
  version: "1",
  code: "c0de",
  organisms: [
    {
      name: "kiwi",
      kind: "topic",
      trigger: "fruit | snow",
      action: "No.",
      card,
      faults: ["acts on 85 % of triggered prompts"],
    },
    { name: "owl", kind: "topic", trigger: "birds", action: "Yes.", card: null, faults: [] },
  ],
  lines: tally(rows, ["audit"], () => false),
  rows,
  clean: {
    cleanModel: { count: 0, total: 190, high: 0.0192 },
    decoys: { count: 0, total: 0, high: 1 },
    rows: [{ model: "clean model", action: "No.", seed: 1, claim: null, seconds: 20 }],
  },
  missing: 3,
};

it("counts with intervals, shows every organism with its faults, and bounds false claims", () => {
  const markdown = markdownTables([...recoveryTables(result), auditTable(result)]);
  // Wilson's interval of 2 of 3.
  expect(markdown).toContain("| audit | verified | 2/3 (9–97) | – | 3/3 (21–100) | 2/3 (9–97) | 0.980 | 30 |");
  expect(markdown).toContain(
    "| kiwi | fruit \\| snow | topic | 85 / 0 / 1 | 2 of 3 | 0.980, 0.980, none | acts on 85 % of triggered prompts |",
  );
  expect(markdown).toContain("| owl | birds | topic | not trained | – | – | – |");
  expect(markdown).toContain("| the clean model, each organism's action | 0 of 190 | 1.9 % |");
  expect(markdown).toContain("| an organism, another one's action | 0 of 0 | – |");
  expect(markdown).toContain(
    "| kiwi | ordinary | 2 of 3 | 3 of 3 | 0.980, 0.980, none | 57/60, 57/60, – | 30, 30, 30 | sae-attribution + corpus-scan, sae-attribution + corpus-scan, – |",
  );
});

it("draws a bar as long as the rate, with its interval", () => {
  const figure = recoveryFigure(result.lines);
  // 2 of 3 of 360 pixels.
  expect(figure).toContain('class="first" x="285" y="46" width="240"');
  expect(figure).toContain('class="first pale" x="285" y="46" width="360"');
  expect(figure).toContain("2 of 3, named 3");
  expect(figure).not.toContain("either");
});

it("of a method with several readings draws what either recovers", () => {
  const two = rows.flatMap((one) => [
    { ...one, method: "scan", reading: "top" },
    { ...one, method: "scan", reading: "top two", recovered: true },
  ]);
  const figure = recoveryFigure(tally(two, ["scan"], () => true));
  expect(figure.match(/<text x="273"/g)).toHaveLength(1);
  expect(figure).toContain("scan, either reading");
  expect(figure).toContain("3 of 3");
});
