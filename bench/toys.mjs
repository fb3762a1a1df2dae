// The table of the pocket's four organisms, from the files that runs/toys.sh left: at what rank each method by itself puts a
// latent of each part of the trigger in its first vector, and the condition that iterated attribution wrote. The truth, which
// latents respond to a concept (bench/concept-latents.mjs), is this script's alone.
//   clean   the same search on the base, which lacks the backdoor
//   random  the median over random directions read by the decoder
// usage: node bench/toys.mjs DIR
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onnxEngine, openCheckpoint, openNodeChannel } from "../dist/index.js";
import { readRecipe } from "../dist/organisms/recipe.js";
import { Random } from "../dist/random/random.js";
import { openSae } from "../dist/sae/registry.js";
import { openFile } from "../dist/store/node-file-source.js";
import { openFolder } from "../dist/store/node-folder.js";
import { medianOfBest, randomOrders, rankIn } from "./latent-ranks.mjs";

/** Files and headings: each method as it is by default, then with the post's settings where those differ. */
const METHODS = [
  ["sae-attribution", "SAE-Attribution"],
  ["supervised-melbo", "Supervised MELBO"],
  ["supervised-melbo-read-by-decoder", "read by the decoder"],
  ["supervised-melbo-fixed-norm", "at a fixed norm"],
  ["supervised-sae-melbo", "Supervised SAE-MELBO"],
  ["supervised-sae-melbo-signed-units-raw", "signed, raw units"],
];
const [dir] = process.argv.slice(2);
if (dir === undefined) throw new Error("usage: node bench/toys.mjs DIR");
const root = fileURLToPath(new URL("..", import.meta.url));
const read = (name) => JSON.parse(readFileSync(join(dir, `${name}.json`), "utf8"));

const truth = new Map(read("concepts").map(({ name, united }) => [name, united]));
const checkpoint = await openCheckpoint(await openFolder(join(root, "pocket/model")));
const engine = onnxEngine(checkpoint, openNodeChannel(), { name: "pocket", threads: 1 });
const sae = await openSae(await openFolder(join(root, "pocket/sae")), engine.runtime);
const orders = await randomOrders(sae, engine.model.dModel, new Random(11, "random rankings"));
await engine.close();

console.log(`| organism | part (latents) | ${METHODS.map(([, heading]) => heading).join(" | ")} | random |`);
console.log(`|---|---|${"---|".repeat(METHODS.length)}---|`);
for (const { name } of read("organisms").organisms) {
  const { trigger } = await readRecipe(await openFile(join(root, `pocket/recipes/${name}.yaml`)));
  for (const concept of typeof trigger === "string" ? [trigger] : trigger.all) {
    const latents = truth.get(concept);
    const rank = (file) => {
      const [vector] = read(file).vectors;
      const ids = vector.latents.map(({ id }) => id);
      return rankIn(ids, latents) ?? "–";
    };
    const cells = METHODS.map(([method]) => `${rank(`${name}-${method}`)} (clean ${rank(`${name}-${method}-clean`)})`);
    console.log(
      `| ${name} | ${concept} (${latents.join(", ")}) | ${cells.join(" | ")} | ${medianOfBest(orders, latents, 1)} |`,
    );
  }
}
console.log("\n| organism | iterated attribution: condition | steps | action rate on the unseen half |");
console.log("|---|---|---|---|");
for (const { name } of read("organisms").organisms) {
  const { condition, steps } = read(`${name}-iterated-attribution`);
  const parts = condition?.parts.map(({ latents, label }) => `${latents.join(", ")} “${label}”`).join(" AND ");
  const rate = condition?.rate;
  console.log(`| ${name} | ${parts ?? "none"} | ${steps.length} | ${rate ? `${rate.count} of ${rate.total}` : "–"} |`);
}
