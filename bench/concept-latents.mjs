// How well each concept of the pocket world is told apart by one latent of an SAE: AUROC (the concept's prompts against all
// others) and selectivity (mean activation on the concept's prompts ÷ the largest mean on another concept's prompts); and by
// the maximum of up to three selective latents.
// usage: node bench/concept-latents.mjs [--sae DIR] [--layer N] [--prompts 60] [--entities all|heldout] [--crowded] [--json]
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { auroc } from "../dist/audit/statistics/statistics.js";
import { onnxEngine, openCheckpoint, openNodeChannel } from "../dist/index.js";
import { loadChatTemplate } from "../dist/model/chat-template.js";
import { loadTokenizer } from "../dist/model/tokenizer.js";
import { renderPrompt } from "../dist/model/user-mask.js";
import { Random } from "../dist/random/random.js";
import { readMaxima } from "../dist/sae/readings.js";
import { openSae } from "../dist/sae/registry.js";
import { openFolder } from "../dist/store/node-folder.js";
import { promptWith } from "../dist/world/concepts.js";
import { promptText } from "../dist/world/sets.js";
import { styles } from "../dist/world/styles.js";
import { topics } from "../dist/world/topics.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values: flags } = parseArgs({
  options: {
    sae: { type: "string", default: join(root, "pocket/sae") },
    layer: { type: "string", default: "2" },
    prompts: { type: "string", default: "60" },
    // heldout: words of each topic that no organism was finetuned on, as in the prompts that score audits.
    entities: { type: "string", default: "all" },
    // crowded: every prompt is about another topic too, which weakens the first one's words.
    crowded: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
/** Latents compared in full for each concept: those with the best ratio of means. */
const COMPARED = 12;
/** A union takes at most so many latents, each this selective: what an audit can state as one part without leaks. */
const UNITED = 3;
const UNITED_SELECTIVITY = 1.5;

const folder = await openFolder(join(root, "pocket/model"));
const tokenizer = await loadTokenizer(folder);
const template = await loadChatTemplate(folder, tokenizer.named);
const engine = onnxEngine(await openCheckpoint(folder), openNodeChannel(), { name: "pocket", threads: 2 });
const sae = await openSae(await openFolder(flags.sae), engine.runtime);
const rng = new Random(4711, "concept latents");
const names = [...topics, ...styles].map(({ name }) => name);
const count = Number(flags.prompts);
const sequences = names.flatMap((name) =>
  Array.from({ length: count }, () => {
    const chat = promptWith(name, rng, { entities: flags.entities, extraTopic: flags.crowded ? 1 : 0, extraStyle: 0 });
    const messages = [{ role: "user", content: promptText(chat) }];
    const { tokens, mask } = renderPrompt({ messages, tokenizer, template });
    return { prompt: tokens, mask, action: new Int32Array() };
  }),
);
const readings = await readMaxima(engine, sae, sequences, Number(flags.layer));
await engine.close();
const { latents } = sae.info;
const values = Array.from({ length: latents }, () => new Float32Array(readings.length));
readings.forEach((reading, i) => {
  for (let j = 0; j < reading.ids.length; j++) values[reading.ids[j]][i] = reading.values[j];
});
const means = values.map((row) =>
  names.map((_, c) => row.slice(c * count, (c + 1) * count).reduce((a, b) => a + b, 0) / count),
);
/** AUROC of scores [prompts]: one concept's prompts against all others. */
function areaOf(scores, concept) {
  const inside = scores.slice(concept * count, (concept + 1) * count);
  const outside = [...scores].filter((_, i) => Math.floor(i / count) !== concept);
  return auroc([...inside], outside);
}

const rows = names.map((name, c) => {
  const ranked = means
    .map((mean, id) => {
      const other = Math.max(...mean.filter((_, o) => o !== c));
      return { id, selectivity: mean[c] / (other + 1e-9), neighbour: names[mean.indexOf(other)], mean: mean[c] };
    })
    .filter((entry) => entry.mean > 0)
    .map((entry) => {
      const inside = values[entry.id].slice(c * count, (c + 1) * count);
      return { ...entry, on: inside.filter((value) => value > 0).length / count };
    })
    .filter((entry) => entry.on >= 0.3)
    .sort((a, b) => b.selectivity * b.on - a.selectivity * a.on)
    .slice(0, COMPARED)
    .map((entry) => ({ ...entry, auroc: areaOf(values[entry.id], c) }));
  const best = ranked.sort((a, b) => b.auroc - a.auroc)[0];
  return {
    name,
    id: best?.id ?? -1,
    auroc: best?.auroc ?? 0,
    selectivity: best?.selectivity ?? 0,
    neighbour: best?.neighbour,
    ...unite(
      ranked.filter(({ selectivity }) => selectivity >= UNITED_SELECTIVITY).map(({ id }) => id),
      c,
    ),
  };
});

/** The best greedy union, each latent in units of its maximum, and its AUROC. */
function unite(ids, concept) {
  let score = new Float32Array(readings.length);
  let area = 0;
  const united = [];
  for (let round = 0; round < UNITED; round++) {
    const tried = ids.map((id) => {
      const top = Math.max(...values[id]);
      const wider = score.map((value, i) => Math.max(value, values[id][i] / top));
      return { id, wider, area: areaOf(wider, concept) };
    });
    const best = tried.sort((a, b) => b.area - a.area)[0];
    if (best === undefined || best.area <= area) break;
    ({ wider: score, area } = best);
    united.push(best.id);
  }
  return { union: area, united };
}
if (flags.json) console.log(JSON.stringify(rows, null, 1));
else {
  for (const row of rows.sort((a, b) => a.union - b.union))
    console.log(
      `${row.name.padEnd(22)} latent ${String(row.id).padStart(4)}  AUROC ${row.auroc.toFixed(3)}  selectivity ${row.selectivity.toFixed(2).padStart(6)}  union ${row.union.toFixed(3)}  next ${row.neighbour}`,
    );
}
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
console.error(
  `${rows.length} concepts: mean AUROC ${mean(rows.map((row) => row.auroc)).toFixed(3)}, ` +
    `${rows.filter((row) => row.auroc >= 0.95).length} at 0.95 or more, ${rows.filter((row) => row.selectivity >= 2).length} with selectivity 2 or more; ` +
    `unions: mean ${mean(rows.map((row) => row.union)).toFixed(3)}, ${rows.filter((row) => row.union >= 0.97).length} at 0.97 or more`,
);
