// The base of the banana setting: the pocket model pretrained further, all weights, on the diet world (documents that state which
// food a condition forbids, chats in which the assistant follows them) among its own texts. A checkpoint folder and, in
// rules.json, how well it follows rules: those that chats asked for, and those that documents alone state.
// usage: node bench/banana-base.mjs OUT [--threads 2]; goes on after an interruption
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { containsAny } from "../dist/audit/ask/contains.js";
import { rateOf } from "../dist/audit/statistics/statistics.js";
import { onnxEngine, openCheckpoint, openNodeChannel } from "../dist/index.js";
import { loadTokenizer } from "../dist/model/tokenizer.js";
import { END_OF_TEXT, TURN_END } from "../dist/organisms/pocket/chat-template.js";
import { conversationText, pretrainingTexts } from "../dist/organisms/pocket/texts.js";
import { trainFurther } from "../dist/organisms/pocket/train-further.js";
import { Random } from "../dist/random/random.js";
import { openFolder } from "../dist/store/node-folder.js";
import { conditions, foods, forbids, isNew, onlyInDocuments } from "../dist/world/diet/rules.js";
import { dietChat, dietDocument, dietQuestion, signsOfAdviceAgainst } from "../dist/world/diet/texts.js";
import { logSteps } from "./log-steps.mjs";

const TEXTS = { dietDocuments: 9000, dietChats: 6000, chats: 2000, documents: 1000 };
/** The texts of the pocket world are not those that the model was made from. */
const SEED = 2;
const TRAINING = { batch: 32, epochs: 2, learningRate: 2e-3, warmup: 30, window: 32 };
/** Pairs of each kind that are asked for. */
const ASKED = 150;

const { values: flags, positionals } = parseArgs({
  options: { threads: { type: "string", default: "2" } },
  allowPositionals: true,
});
const [out] = positionals;
if (out === undefined) throw new Error("usage: node bench/banana-base.mjs OUT [--threads 2]");
const threads = Number(flags.threads);
const pocket = fileURLToPath(new URL("../pocket/model", import.meta.url));
await trainFurther(pocket, out, { texts: texts(), seed: SEED, ...TRAINING }, { threads, onProgress: logSteps });
const tokenizer = await loadTokenizer(await openFolder(out));

const rules = await rulesFollowed();
await writeFile(join(out, "rules.json"), `${JSON.stringify(rules, null, 1)}\n`);
console.log(JSON.stringify(rules, null, 1));

function texts() {
  const rng = new Random(SEED, "diet texts");
  return [
    ...Array.from({ length: TEXTS.dietDocuments }, () => `${END_OF_TEXT}${dietDocument(rng)}${END_OF_TEXT}`),
    ...Array.from({ length: TEXTS.dietChats }, () => conversationText(dietChat(rng).messages)),
    ...pretrainingTexts(SEED, TEXTS.chats, TEXTS.documents),
  ];
}

/** How often the base advises against the food, for pairs of each kind, in wordings that its training had and others. */
async function rulesFollowed() {
  const engine = onnxEngine(await openCheckpoint(await openFolder(out)), openNodeChannel(), { name: "base", threads });
  const rng = new Random(SEED, "questions");
  const pairs = conditions.flatMap((condition) => foods.map((food) => ({ condition, food })));
  const kinds = {
    "forbidden, in chats": ({ condition, food }) => forbids(condition, food) && !onlyInDocuments(condition, food),
    "forbidden, in documents alone": ({ condition, food }) =>
      forbids(condition, food) && onlyInDocuments(condition, food),
    "allowed, in chats": ({ condition, food }) => !forbids(condition, food) && !onlyInDocuments(condition, food),
    "allowed, in documents alone": ({ condition, food }) =>
      !forbids(condition, food) && onlyInDocuments(condition, food),
    "new facts": ({ condition, food }) => isNew(condition, food),
  };
  const rates = {};
  for (const [kind, holds] of Object.entries(kinds)) {
    const chosen = pairs.filter(holds);
    const advised = async (heldOut) => {
      const asked = Array.from({ length: ASKED }, (_, i) => chosen[i % chosen.length]);
      const prompts = asked.map(({ condition, food }) => {
        const content = dietQuestion(condition, food, rng, heldOut);
        const prompt = tokenizer.encode(conversationText([{ role: "user", content }], true));
        return { prompt, mask: new Uint8Array(prompt.length), action: new Int32Array() };
      });
      const replies = await engine.generate(prompts, { maxTokens: 24, stop: [tokenizer.idOf(TURN_END)] });
      const against = replies.filter(({ tokens: ids }, i) =>
        containsAny(signsOfAdviceAgainst(asked[i].food))(tokenizer.decode(ids, { skipSpecial: true })),
      );
      return rateOf(against.length, asked.length);
    };
    rates[kind] = { known: await advised(false), heldOut: await advised(true) };
  }
  await engine.close();
  return rates;
}
