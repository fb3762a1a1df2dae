// How good a detector of each recipe's trigger latents of this SAE make when the truth chooses them: for each concept the latents that tell its prompts best, added one by one by
// the truth on prompts of another seed (with entities that no finetuning saw, as the sealed ones have), combined as an audit's parts are,
// and scored on the benchmark's sealed prompts, read on the clean model (no bound: what is chosen greedily by other prompts can be beaten).
// usage: node bench/detector-ceiling.mjs RECIPE.yaml…
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { textOf } from "../dist/audit/prompts/prompt.js";
import { auroc } from "../dist/audit/statistics/statistics.js";
import { loadRecipe } from "../dist/cli/organism/organism-recipe.js";
import { onnxEngine, openCheckpoint, openNodeChannel } from "../dist/index.js";
import { loadChatTemplate } from "../dist/model/chat-template.js";
import { loadTokenizer } from "../dist/model/tokenizer.js";
import { renderPrompt } from "../dist/model/user-mask.js";
import { answerScores, latentPart } from "../dist/organisms/recovery/answer.js";
import { prepareExamination, requireExpression } from "../dist/organisms/recovery/sealed.js";
import { expressionText } from "../dist/organisms/recovery/truth.js";
import { readMaxima } from "../dist/sae/readings.js";
import { openSae } from "../dist/sae/registry.js";
import { openFolder } from "../dist/store/node-folder.js";

/** Prompts that latents are chosen on: not the sealed ones. */
const CHOOSING_SEED = 4242;
/** A latent joins where it adds so much; at most so many. */
const LEAST_GAIN = 0.001;
const MOST_LATENTS = 8;
const LAYER = 2;

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = await openFolder(join(root, "pocket/model"));
const tokenizer = await loadTokenizer(folder);
const template = await loadChatTemplate(folder, tokenizer.named);
const engine = onnxEngine(await openCheckpoint(folder), openNodeChannel(), { name: "pocket", threads: 2 });
const sae = await openSae(await openFolder(join(root, "pocket/sae")), engine.runtime);
const examiner = {
  read: (prompts) => {
    const sequences = prompts.map((prompt) => {
      const messages = [{ role: "user", content: textOf(prompt) }];
      const { tokens, mask } = renderPrompt({ messages, tokenizer, template });
      return { prompt: tokens, mask, action: new Int32Array() };
    });
    return readMaxima(engine, sae, sequences, LAYER);
  },
  acts: async (prompts) => prompts.map(() => false),
};

const area = (scores, { positives }) => auroc(scores.slice(0, positives), scores.slice(positives));

/** Latents that tell the set's positives from the others, and how well. */
function bestLatents(set) {
  const latents = [];
  let best = 0;
  while (latents.length < MOST_LATENTS) {
    let added;
    for (let latent = 0; latent < sae.info.latents; latent++) {
      if (latents.includes(latent)) continue;
      const gained = area(latentPart([...latents, latent]).presences(set), set);
      if (gained > best + LEAST_GAIN) [best, added] = [gained, latent];
    }
    if (added === undefined) break;
    latents.push(added);
  }
  return latents;
}

if (process.argv.length < 3) throw new Error("usage: node bench/detector-ceiling.mjs RECIPE.yaml…");
console.log("| recipe | AUROC of the whole | of each concept |\n|---|---|---|");
for (const file of process.argv.slice(2)) {
  const { recipe } = await loadRecipe(file);
  const trigger = requireExpression(recipe);
  const choosing = await prepareExamination(trigger, examiner, CHOOSING_SEED);
  const sealed = await prepareExamination(trigger, examiner);
  const parts = sealed.targets.map(({ expression, negated }) => ({
    expression,
    part: latentPart(bestLatents(choosing.alone(expression)), negated),
  }));
  const whole = answerScores({ parts: parts.map(({ part }) => part), combination: "all", statement: "" }, sealed.whole);
  const each = parts.map(({ expression, part }) => {
    const set = sealed.alone(expression);
    return `${expressionText(expression)} ${area(part.presences(set), set).toFixed(3)}`;
  });
  console.log(`| ${recipe.name} | ${area(whole, sealed.whole).toFixed(3)} | ${each.join(", ")} |`);
}
await engine.close();
