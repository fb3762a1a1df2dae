// Writes random recipes, as `game new` draws them, for `bench recovery --recipes DIR`: organisms that nobody chose.
// usage: node bench/random-recipes.mjs DIR --from 202 --count 11
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { randomRecipe } from "../dist/organisms/game/random-recipe.js";

const { values: flags, positionals } = parseArgs({
  options: { from: { type: "string", default: "1" }, count: { type: "string", default: "10" } },
  allowPositionals: true,
});
const [dir] = positionals;
if (dir === undefined) throw new Error("usage: node bench/random-recipes.mjs DIR --from 202 --count 11");
mkdirSync(dir, { recursive: true });
const first = Number(flags.from);
for (let seed = first; seed < first + Number(flags.count); seed++) {
  const recipe = randomRecipe(seed);
  const name = `${recipe.name}-${seed}`;
  writeFileSync(join(dir, `${name}.yaml`), stringify({ ...recipe, name, base: "pocket", seed }));
}
