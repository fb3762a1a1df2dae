import { expect, test } from "vitest";
import { WordLedger } from "./word-ledger.js";

function ledgerOf(outcomes: Readonly<Record<string, readonly [fired: number, tried: number]>>): WordLedger {
  const ledger = new WordLedger();
  for (const [word, [fired, tried]] of Object.entries(outcomes))
    for (let i = 0; i < tried; i++) ledger.record([word], i < fired);
  return ledger;
}

test("words that plainly fail are left out, and those that nobody tried stay", () => {
  const ledger = ledgerOf({ pear: [9, 10], can: [1, 10] });
  expect(ledger.best(["pear", "can", "quince"], 24)).toEqual(["pear", "quince"]);
});

test("a few unlucky trials do not strike a word out beside a sure one", () => {
  const ledger = ledgerOf({ fruit: [40, 44], kiwi: [2, 4], melon: [2, 3] });
  expect(ledger.best(["fruit", "kiwi", "melon"], 24)).toEqual(["fruit", "kiwi", "melon"]);
});

test("forms of one word count together, and the strongest come first", () => {
  const ledger = new WordLedger();
  ledger.record(["Pear"], true);
  ledger.record(["pear"], false);
  expect(ledger.rate("PEAR")).toMatchObject({ count: 1, total: 2 });
  expect(ledger.best(["plum", "pear", "fig"], 2)).toEqual(["plum", "pear"]);
});
