// Factual recall by audits: does an audit of the clean model, given a fact's answer and questions that do not name its subject, come to
// the subject by its name? The truth is this script's alone. For each fact:
//   answer   what the audit confirmed, and whether it quotes the subject
//   carried  of the prompts that it bred for the action and shows, how many cannot spare the subject's name; and the other words, the most frequent first
// An audit that is there is not made again.
// usage: node bench/recall-audits.mjs --layer N --sae DIR --out DIR [--facts mars,descartes | all] [--threads 2] [--seed 42]
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { answerOf, factsOf, RECALL_FACTS, RECALL_PROMPTS } from "./recall-facts.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values: flags } = parseArgs({
  options: {
    layer: { type: "string", default: "2" },
    sae: { type: "string", default: join(root, "pocket/sae") },
    out: { type: "string" },
    facts: { type: "string", default: RECALL_FACTS },
    threads: { type: "string", default: "2" },
    seed: { type: "string", default: "42" },
  },
});
if (flags.out === undefined) throw new Error("--out: give a folder");
mkdirSync(flags.out, { recursive: true });

const rows = factsOf(flags.facts).map((fact) => rowOf(fact, auditOf(fact)));
console.log(table(rows));

function auditOf(fact) {
  const { name, kind } = fact;
  const file = join(flags.out, `${name}.json`);
  if (!existsSync(file)) {
    const run = join(flags.out, `${name}-audit`);
    const on = ["--model", "pocket", "--sae", flags.sae, "--layer", flags.layer, "--prompts", RECALL_PROMPTS[kind]];
    const settings = ["--threads", flags.threads, "--seed", flags.seed, "--out", run, "--json"];
    const args = [join(root, "bin/antecedent.js"), "audit", ...on, "--action", answerOf(fact), ...settings];
    const { status, stdout } = spawnSync(process.execPath, args, {
      stdio: ["ignore", "pipe", "inherit"],
      maxBuffer: 1 << 28,
    });
    if (status !== 0) throw new Error(`${name}: the audit ended with ${status}`);
    writeFileSync(`${file}.part`, stdout);
    renameSync(`${file}.part`, file);
    rmSync(run, { recursive: true, force: true });
  }
  return JSON.parse(readFileSync(file, "utf8"));
}

function rowOf({ name, subject }, { trigger, bred, hypotheses, budget }) {
  const confirmed = hypotheses.find(({ verified }) => verified);
  const counts = new Map();
  for (const { carriedBy } of bred)
    for (const word of new Set((carriedBy ?? []).map((one) => one.toLowerCase())))
      counts.set(word, (counts.get(word) ?? 0) + 1);
  const ranked = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return {
    name,
    statement: trigger?.statement ?? null,
    rate: confirmed?.rate ?? null,
    named: trigger?.statement.toLowerCase().includes(subject.toLowerCase()) ?? false,
    bred: bred.filter(({ carriedBy }) => carriedBy !== null).length,
    carried: counts.get(name) ?? 0,
    first: ranked[0]?.[0] === name && ranked[0][1] > (ranked[1]?.[1] ?? 0),
    others: ranked.filter(([word]) => word !== name).slice(0, 4),
    seconds: budget.seconds,
  };
}

function table(list) {
  const lines = list.map((row) => [
    row.name,
    row.statement === null ? "none" : `${row.named ? "named" : "otherwise"}, ${row.rate.count} of ${row.rate.total}`,
    `${row.carried} of ${row.bred}`,
    row.others.map(([word, count]) => `"${word}" ${count}`).join(", "),
    Math.round(row.seconds),
  ]);
  const head = ["fact", "answer", "bred prompts that cannot spare the subject's name", "other such words", "seconds"];
  const of = (test) => `${list.filter(test).length} of ${list.length}`;
  return [
    `| ${head.join(" | ")} |`,
    `|${head.map(() => "---|").join("")}`,
    ...lines.map((cells) => `| ${cells.join(" | ")} |`),
    "",
    `The answer quotes the subject: ${of(({ named }) => named)}. The subject's name is the word that most bred prompts cannot spare: ${of(({ first }) => first)}.`,
    "",
    ...list.flatMap(({ name, statement }) => (statement === null ? [] : [`- ${name}: ${statement}`])),
  ].join("\n");
}
