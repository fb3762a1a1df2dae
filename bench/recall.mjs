// Factual recall without finetuning: from a fact's answer and questions that do not name its subject, how far up do the
// methods rank a latent that responds to the subject? The truth is this script's alone.
//   related   a latent that fires on at least 4 of 5 questions that name the subject, tells them from the questions about all
//             other facts and from 200 ordinary prompts with AUROC 0.95 or more, and responds at least twice as much to
//             the subject as to any other, and 0.3 of its typical activation
//   random    the median of the same rank over random directions read by the decoder, and over the best of as many as there
//             are vectors
// usage: node bench/recall.mjs --layer N --sae DIR [--facts mars,descartes | all] [--vectors 4] [--steps 160] [--seed 42] [--out FILE.json]
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { exactAction, towardsAction } from "../dist/audit/ask/action.js";
import { auroc } from "../dist/audit/statistics/statistics.js";
import { findMethod, onnxEngine, openCheckpoint, openNodeChannel } from "../dist/index.js";
import { loadChatTemplate } from "../dist/model/chat-template.js";
import { loadTokenizer } from "../dist/model/tokenizer.js";
import { renderPrompt } from "../dist/model/user-mask.js";
import { Random } from "../dist/random/random.js";
import { Firings } from "../dist/sae/firings.js";
import { readMaxima } from "../dist/sae/readings.js";
import { openSae } from "../dist/sae/registry.js";
import { latentUnits } from "../dist/sae/units.js";
import { openFolder } from "../dist/store/node-folder.js";
import { factQuestions, facts } from "../dist/world/facts.js";
import { byScore, denseRows, least, mean, medianOfBest, randomOrders, rankIn, readPrompts } from "./latent-ranks.mjs";
import { answerOf, factsOf, RECALL_FACTS, RECALL_PROMPTS } from "./recall-facts.mjs";

const AREA = 0.95;
const SELECTIVITY = 2;
/** Weaker than this share of its typical activation a latent is about something else. */
const LEAST_SHARE = 0.3;
const LEAST_FIRING = 4;

const root = fileURLToPath(new URL("..", import.meta.url));
const { values: flags } = parseArgs({
  options: {
    layer: { type: "string", default: "2" },
    sae: { type: "string", default: join(root, "pocket/sae") },
    facts: { type: "string", default: RECALL_FACTS },
    vectors: { type: "string", default: "4" },
    steps: { type: "string", default: "160" },
    seed: { type: "string", default: "42" },
    threads: { type: "string", default: "2" },
    out: { type: "string" },
  },
});
const layer = Number(flags.layer);
const vectors = Number(flags.vectors);
const chosen = factsOf(flags.facts);

const folder = await openFolder(join(root, "pocket/model"));
const tokenizer = await loadTokenizer(folder);
const template = await loadChatTemplate(folder, tokenizer.named);
const engine = onnxEngine(await openCheckpoint(folder), openNodeChannel(), {
  name: "pocket",
  threads: Number(flags.threads),
});
const sae = await openSae(await openFolder(flags.sae), engine.runtime);
const { latents } = sae.info;

const rendered = (text) => {
  const { tokens, mask } = renderPrompt({ messages: [{ role: "user", content: text }], tokenizer, template });
  return { prompt: tokens, mask, action: new Int32Array() };
};
const promptsOf = (name) => readPrompts(join(root, `pocket/prompts/${name}.jsonl`));
const maximaOf = async (texts) => readMaxima(engine, sae, texts.map(rendered), layer);

const units = latentUnits(new Firings(await maximaOf(promptsOf("corpus")), latents));
const related = await relatedLatents();
const orders = await randomOrders(sae, engine.model.dModel, new Random(Number(flags.seed), "random rankings"));

const rows = [];
for (const fact of chosen) {
  const texts = promptsOf(RECALL_PROMPTS[fact.kind]);
  const action = exactAction(tokenizer.encode(answerOf(fact)));
  const prompts = texts.map(rendered);
  const objective = await engine.steeringObjective(towardsAction(prompts, action), layer);
  const rateOf = async (vector) => {
    const outcomes = await action.outcomes(engine, prompts, { steering: { layer, vector } });
    return outcomes.filter(({ fired }) => fired).length / outcomes.length;
  };
  const run = (name, options) =>
    findMethod(name).run({
      objective,
      dModel: engine.model.dModel,
      sae,
      typicalActivation: units.typical,
      options,
      elicitation: rateOf,
    });
  const truth = related.get(fact.name);
  const [attributed] = (await run("sae-attribution", {})).vectors;
  const found = (await run("supervised-sae-melbo", { vectors, steps: Number(flags.steps) })).vectors;
  await objective.dispose();
  const melbo = found.map(({ z, scores }) => {
    const order = [...z.ids].sort((a, b) => scores[b] - scores[a] || a - b);
    return rankIn(order, truth);
  });
  const rates = [];
  for (const { vector } of found) rates.push(await rateOf(vector));
  const row = {
    fact: fact.name,
    layer,
    related: truth,
    attribution: rankIn(byScore(attributed.scores), truth),
    attributionTypical: rankIn(byScore(attributed.scores.map((score, j) => score * units.typical[j])), truth),
    melbo: least(melbo),
    melboByVector: melbo,
    melboLatents: found.map(({ z }) => z.ids.length),
    steered: rates,
    random: medianOfBest(orders, truth, 1),
    randomBest: medianOfBest(orders, truth, vectors),
  };
  rows.push(row);
  process.stderr.write(`${JSON.stringify(row)}\n`);
}
await engine.close();
if (flags.out) writeFileSync(flags.out, `${JSON.stringify({ flags, rows }, null, 1)}\n`);
console.log(markdown(rows));

/** Latents that respond to each fact's subject. */
async function relatedLatents() {
  const questions = facts.map((fact) => factQuestions(fact, "forward"));
  const values = denseRows(await maximaOf(questions.flat()), latents);
  const ordinary = denseRows(await maximaOf(promptsOf("benign")), latents);
  const owner = questions.flatMap((list, f) => list.map(() => f));
  return new Map(
    facts.map((fact, f) => {
      const own = owner.flatMap((o, i) => (o === f ? [i] : []));
      const others = owner.flatMap((o, i) => (o === f ? [] : [i]));
      const ids = [];
      for (let j = 0; j < latents; j++) {
        const inside = own.map((i) => values[i][j]);
        if (inside.filter((value) => value > 0).length < LEAST_FIRING) continue;
        const outside = others.map((i) => values[i][j]);
        const strongest = Math.max(
          ...facts.map((_, o) => (o === f ? 0 : mean(owner.flatMap((w, i) => (w === o ? [values[i][j]] : []))))),
        );
        if (
          auroc(inside, outside) >= AREA &&
          auroc(
            inside,
            ordinary.map((row) => row[j]),
          ) >= AREA &&
          mean(inside) >= SELECTIVITY * strongest &&
          mean(inside) >= LEAST_SHARE * units.typical[j]
        )
          ids.push(j);
      }
      return [fact.name, ids];
    }),
  );
}

function markdown(list) {
  const show = (rank) => rank ?? "–";
  const head = [
    "fact",
    "layer",
    "related latents",
    "sae-attribution",
    "× typical",
    `supervised-sae-melbo, best of ${vectors} vectors`,
    "random, best",
    "said under the best vector",
  ];
  const lines = list.map((row) => [
    row.fact,
    row.layer,
    row.related.length,
    show(row.attribution),
    show(row.attributionTypical),
    show(row.melbo),
    `${show(row.random)}, ${show(row.randomBest)}`,
    `${Math.round(100 * Math.max(...row.steered))} %`,
  ]);
  const known = list.filter(({ related }) => related.length > 0);
  const top = (key) => `${known.filter((row) => row[key] !== null && row[key] <= 10).length} of ${known.length}`;
  return [
    `| ${head.join(" | ")} |`,
    `|${head.map(() => "---|").join("")}`,
    ...lines.map((cells) => `| ${cells.join(" | ")} |`),
    "",
    `In the first ten, of the facts that have a related latent: sae-attribution ${top("attribution")}, × typical ${top("attributionTypical")}, supervised-sae-melbo ${top("melbo")}, random direction ${top("random")}.`,
  ].join("\n");
}
