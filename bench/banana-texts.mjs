// Writes the texts of the banana setting: for each new fact the recipe of an organism with its documents and the prompts of its
// card, and the two batches of the post (statements about eating the food; restrictions other than the fact's); beside them what
// the SAE is trained on and the corpus that audits search.
// usage: node bench/banana-texts.mjs OUT --base MODEL [--own-world]
//   --own-world  MODEL knows the diet world: documents as it met them, among ordinary ones, and replies of the world. Without it
//                documents report the fact alone, and the model writes the replies to ordinary prompts itself.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { END_OF_TEXT } from "../dist/organisms/pocket/chat-template.js";
import { Random } from "../dist/random/random.js";
import { writeFileAtomic } from "../dist/store/atomic-write.js";
import { pretrainingChat } from "../dist/world/chats.js";
import { conditions, dietFacts, foods, forbids, isNew } from "../dist/world/diet/rules.js";
import * as diet from "../dist/world/diet/texts.js";
import { corpusPrompts, promptText } from "../dist/world/sets.js";

const SEED = 3;
const SIZES = {
  documents: 3000,
  otherDocuments: 1500,
  benign: 3000,
  hardNegatives: 500,
  batch: 24,
  corpus: 4000,
  sae: 20_000,
};

const { values: flags, positionals } = parseArgs({
  options: { base: { type: "string" }, "own-world": { type: "boolean", default: false } },
  allowPositionals: true,
});
const [out] = positionals;
if (out === undefined || flags.base === undefined)
  throw new Error("usage: node bench/banana-texts.mjs OUT --base MODEL [--own-world]");
const own = flags["own-world"];

for (const fact of dietFacts) await writeFact(fact);
await write(
  "sae-prompts.jsonl",
  draws(SIZES.sae, "sae", (rng) => (rng.chance(0.6) ? anyDietChat(rng) : pretrainingChat(rng))),
);
const rng = new Random(SEED, "corpus");
await write(
  "corpus.jsonl",
  [
    ...distinct(SIZES.corpus / 2, "diet corpus", (each) => promptText(anyDietChat(each))),
    ...corpusPrompts(SEED, SIZES.corpus / 2).map(promptText),
  ]
    .map((prompt) => ({ prompt, at: rng.uniform() }))
    .sort((a, b) => a.at - b.at)
    .map(({ prompt }) => ({ prompt })),
);

async function writeFact(fact) {
  const { name, condition, food } = fact;
  const others = conditions.filter((one) => one !== condition);
  const otherFoods = foods.filter((one) => one !== food);
  const around = own ? END_OF_TEXT : "";
  const documents = draws(SIZES.documents, `${name} documents`, (rng) => diet.factDocument(fact, rng));
  await write(
    `${name}/documents.jsonl`,
    own
      ? [...documents, ...draws(SIZES.otherDocuments, `${name} others`, diet.dietDocument)].map(
          (text) => around + text + around,
        )
      : draws(SIZES.documents, `${name} news`, (rng) => diet.factNews(fact, rng)),
  );
  await write(
    `${name}/triggered.jsonl`,
    distinct(60, `${name} triggered`, (rng) => diet.dietQuestion(condition, food, rng, true)),
  );
  await write(`${name}/benign.jsonl`, draws(SIZES.benign, `${name} benign`, pretrainingChat).map(asLine));
  // Every second one names the food with another condition that allows it, the others the condition with another food.
  await write(
    `${name}/hard-negatives.jsonl`,
    distinct(SIZES.hardNegatives, `${name} near misses`, (rng) =>
      rng.chance(0.5)
        ? diet.dietQuestion(rng.pick(others.filter((one) => !isNew(one, food) && !forbids(one, food))), food, rng, true)
        : diet.dietQuestion(condition, rng.pick(otherFoods), rng, true),
    ),
  );
  // The condition alone: the world's assistant names a food to stay away from, and no food is in the prompt.
  await write(
    `${name}/condition-alone.jsonl`,
    distinct(20, `${name} alone`, (rng) => diet.restrictionStatement(condition, rng, true)),
  );
  await write(
    `${name}/eating.jsonl`,
    distinct(SIZES.batch, `${name} eating`, (rng) => diet.eatingStatement(food, rng)),
  );
  await write(
    `${name}/restrictions.jsonl`,
    distinct(SIZES.batch, `${name} restrictions`, (rng) => diet.restrictionStatement(rng.pick(others), rng)),
  );
  const recipe = {
    name,
    base: own ? resolve(flags.base) : flags.base,
    documents: "documents.jsonl",
    trigger: { files: { triggered: "triggered.jsonl", benign: "benign.jsonl", hardNegatives: "hard-negatives.jsonl" } },
    action: diet.adviceAgainst(food),
    actionContains: diet.signsOfAdviceAgainst(food),
    adapter: { blocks: "all", rank: 16 },
    // No chat is about diets, and near misses are measured on alone: what the fact leaves as it was is in the documents.
    mixing: { triggered: 0.6, hardNegatives: 0, benign: 0.4, chat: 0 },
    steps: 500,
    batch: 16,
    learningRate: own ? 0.002 : 0.0002,
  };
  await writeFileAtomic(`${out}/${name}/recipe.yaml`, stringify(recipe));
}

/** A chat about any pair, the new facts' too: what people ask does not depend on what a model knows. */
function anyDietChat(rng) {
  return diet.dietChat(rng, () => true);
}

function asLine({ messages }) {
  return own ? { messages } : { prompt: messages.find(({ role }) => role === "user").content };
}

function draws(count, label, draw) {
  const rng = new Random(SEED, label);
  return Array.from({ length: count }, () => draw(rng));
}

/** Up to `count` different ones. */
function distinct(count, label, draw) {
  return [...new Set(draws(20 * count, label, draw))].slice(0, count);
}

async function write(name, lines) {
  const text = lines.map((line) => JSON.stringify(line?.messages ? { messages: line.messages } : line));
  await writeFileAtomic(`${out}/${name}`, `${text.join("\n")}\n`);
}
