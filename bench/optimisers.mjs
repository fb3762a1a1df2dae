// Evaluations (one loss and gradient over all prompts) that each optimiser needs to come to the same objective, on the pocket
// organisms: node bench/optimisers.mjs [organism …]
// F* is the least value that any run met; "done" means F − F* ≤ 1 % of F(0) − F*. A dash: not within 400 evaluations.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { actionTokens, withAction } from "../dist/cli/action/action.js";
import { readLatentCorpus } from "../dist/cli/latents/latent-corpus.js";
import { openModel } from "../dist/cli/model/open-model.js";
import { requireSae } from "../dist/cli/model/open-sae.js";
import { loadPrompts, renderAll } from "../dist/cli/prompts/prompts.js";
import { builtInOrganisms } from "../dist/cli/terminal/package-files.js";
import { findMethod } from "../dist/methods/registry.js";

const EVALUATIONS = 400;
const PROMPTS = 16;
const CLOSE = 0.01;
const LAYER = 2; // the pocket SAE's
const CASES = [
  ...[0.1, 0.03, 0.01].map((lambda) => ["supervised-sae-melbo", { lambda }]),
  ["supervised-sae-melbo", { lambda: 0.03, radius: 8 }],
  ...[0.1, 0.03].map((lambda) => ["supervised-melbo", { lambda }]),
  ["supervised-melbo", { radius: 4 }],
];
const OPTIMISERS = [
  ["adam", {}],
  ["adam, rate × 2.5", { rate: 2.5 }],
  ["proximal", { optimizer: "proximal" }],
];
const quiet = { progress: () => () => {}, signal: new AbortController().signal };

console.log(`| organism | method | ${OPTIMISERS.map(([name]) => name).join(" | ")} | F(0) | F* |`);
console.log(`|---|---|${"--:|".repeat(OPTIMISERS.length + 2)}`);
for (const organism of process.argv.length > 2 ? process.argv.slice(2) : builtInOrganisms()) {
  const request = fileURLToPath(new URL(`../pocket/organisms/${organism}/audit.yaml`, import.meta.url));
  const { action } = parse(readFileSync(request, "utf8"));
  const flags = {
    adapter: organism,
    engine: "onnx",
    device: "cpu",
    dtype: "f32",
    threads: 2,
    seed: 42,
    positions: "user",
  };
  const model = await openModel(flags);
  const { sae } = await requireSae(model, undefined, "the benchmark");
  const render = async (set) => renderAll(model, await loadPrompts(set), flags);
  const { typical } = (await readLatentCorpus(quiet, model, sae, await render("corpus"), LAYER)).units;
  const { sequences: benign } = await render("benign");
  const sequences = withAction(benign.slice(0, PROMPTS), actionTokens(model, { action }));
  const objective = await model.engine.steeringObjective(sequences, LAYER);
  for (const [name, options] of CASES) {
    const method = findMethod(name);
    const run = async ({ rate, ...more }) => {
      const input = { objective, dModel: model.engine.model.dModel, sae, typicalActivation: typical };
      const learningRate =
        rate === undefined ? {} : { learningRate: rate * (await defaultRate(method, input, options)) };
      const { vectors } = await method.run({
        ...input,
        options: { ...options, ...more, ...learningRate, steps: EVALUATIONS },
      });
      return vectors[0];
    };
    const found = [];
    for (const [, more] of OPTIMISERS) found.push(await run(more));
    const values = found.map(({ log }) => log.map(({ loss, penalty }) => loss + penalty));
    const best = Math.min(...values.flat());
    const start = found[0].loss.initial;
    const done = values.map((list) => list.findIndex((value) => value - best <= CLOSE * (start - best)));
    const what = Object.entries(options)
      .map(([key, value]) => `${key} ${value}`)
      .join(", ");
    console.log(
      `| ${organism} | ${name}, ${what} | ${done.map((at) => (at < 0 ? "–" : at)).join(" | ")} | ${start.toFixed(4)} | ${best.toFixed(4)} |`,
    );
  }
  await objective.dispose();
  await model.engine.close();
}
process.exit(0);

/** The learning rate that the method chooses by itself: what one step of it says. */
async function defaultRate(method, input, options) {
  const { hyperparameters } = await method.run({ ...input, options: { ...options, steps: 1 } });
  return Number.parseFloat(hyperparameters.learningRate);
}
