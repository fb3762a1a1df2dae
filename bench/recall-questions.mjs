// How much a fact's answer is the model's reply at all once the subject's name stands in a prompt: what an audit of recall has to
// go by. An audit claims nothing of which the action comes on clearly less than a quarter of the prompts that hold it. Counts of
// prompts that the clean pocket model answers with the answer, whole and alone (greedily):
//   unchanged        the questions as they are, which do not name the subject
//   before a word    the name written before each word of each question
//   for a word       the name in the place of each word of each question
//   beside           each question before or after a sentence that names the subject
//   anywhere         the name in the place of a word of an ordinary prompt, one drawn for each of 200 prompts
// usage: node bench/recall-questions.mjs [--facts mars,descartes | all] [--threads 2] [--seed 42]
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Random } from "../dist/random/random.js";
import { antecedent } from "./answers.mjs";
import { readPrompts } from "./latent-ranks.mjs";
import { answerOf, factsOf, RECALL_FACTS, RECALL_PROMPTS } from "./recall-facts.mjs";

const ORDINARY = 200;

const { values: flags } = parseArgs({
  options: {
    facts: { type: "string", default: RECALL_FACTS },
    threads: { type: "string", default: "2" },
    seed: { type: "string", default: "42" },
  },
});
const promptsOf = (name) => readPrompts(fileURLToPath(new URL(`../pocket/prompts/${name}.jsonl`, import.meta.url)));
const random = new Random(Number(flags.seed), "recall questions");
const ordinary = random.sample(promptsOf("corpus"), ORDINARY);

const manners = {
  unchanged: (_, questions) => questions,
  "before a word": (name, questions) => questions.flatMap((text) => written(text, (word) => `${name} ${word}`)),
  "for a word": (name, questions) => questions.flatMap((text) => written(text, (word) => inPlaceOf(word, name))),
  beside: (name, questions) =>
    questions.flatMap((text) => besides(name).flatMap((one) => [`${one} ${text}`, `${text} ${one}`])),
  anywhere: (name) => ordinary.map((text) => random.pick(written(text, (word) => inPlaceOf(word, name)))),
};

const rows = factsOf(flags.facts).flatMap((fact) =>
  Object.entries(manners).map(([manner, texts]) => ({
    fact,
    manner,
    texts: texts(fact.subject, promptsOf(RECALL_PROMPTS[fact.kind])),
  })),
);
const replies = repliesTo(rows.flatMap(({ texts }) => texts));
let at = 0;
const cells = new Map();
for (const { fact, texts } of rows) {
  const count = texts.filter((_, i) => replies[at + i] === answerOf(fact)).length;
  at += texts.length;
  const row = cells.get(fact.name) ?? [fact.name];
  cells.set(fact.name, row);
  row.push(`${count} of ${texts.length}`);
}
const head = ["fact", ...Object.keys(manners)];
console.log([head, head.map(() => "---"), ...cells.values()].map((row) => `| ${row.join(" | ")} |`).join("\n"));

/** The text once for each of its words, with that word as `change` has it. */
function written(text, change) {
  const words = text.split(" ");
  return words.map((word, i) => words.with(i, change(word)).join(" "));
}

/** What ends a word stays: "moons." becomes "Mars." */
function inPlaceOf(word, name) {
  return `${name}${/[^\p{L}\p{N}]*$/u.exec(word)[0]}`;
}

function besides(name) {
  return [`I think of ${name}.`, `We talked about ${name}.`, `${name} is new to me.`];
}

function repliesTo(texts) {
  const folder = mkdtempSync(join(tmpdir(), "recall-questions-"));
  try {
    const file = join(folder, "prompts.jsonl");
    writeFileSync(file, texts.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(""));
    const { rows } = antecedent("generate", "--model", "pocket", "--prompts", file, "--threads", flags.threads);
    return rows.map(({ text }) => text.trim());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
