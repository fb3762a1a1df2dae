// Prints what `bench/audit-table.mjs --out FILE.json` measured as a Markdown table, a row for each organism and corpus.
// usage: node bench/audit-markdown.mjs FILE.json…
import { readFileSync } from "node:fs";

const rows = process.argv.slice(2).flatMap((file) => JSON.parse(readFileSync(file, "utf8")));
const keyOf = ({ organism, corpus }) => `${organism} | ${corpus}`;
const groups = new Map(rows.map((row) => [keyOf(row), []]));
for (const row of rows) groups.get(keyOf(row)).push(row);

console.log("| organism | corpus | right | AUROC | confirmed | seconds | found by (each seed) |");
console.log("|---|---|---|---|---|---|---|");
for (const [key, list] of groups) {
  const sorted = [...list].sort((a, b) => a.seed - b.seed);
  const join = (value) => sorted.map(value).join(", ");
  console.log(
    `| ${key} | ${sorted.filter((row) => row.right).length} of ${sorted.length} | ${join((row) => row.auroc?.toFixed(3) ?? "–")} | ` +
      `${join((row) => row.confirmed ?? row.statement ?? "no trigger")} | ${join((row) => row.seconds.toFixed(0))} | ` +
      `${join((row) => (row.foundBy ?? []).map(short).join(" ")) || "–"} |`,
  );
}

/** "sae-attribution (iterated)" → "attribution*", and so on. */
function short(name) {
  return name
    .replace("sae-attribution", "attribution")
    .replace("supervised-sae-melbo", "sae-melbo")
    .replace("supervised-melbo", "melbo")
    .replace("corpus-scan-logprob", "scan-logprob")
    .replace("corpus-scan", "scan")
    .replace(" (iterated)", "*")
    .replace(/ \((part \d)\)/, "[$1]");
}
