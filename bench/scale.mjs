// Time and anonymous memory of what people do with a large model on a small machine: opening it, `score` and `find sae-attribution`
// with a large SAE, 16 prompts.
// usage: node bench/scale.mjs MODEL SAE [--samples 0] [--threads 2]      (Linux: reads /proc)
//   MODEL from `node bench/make-checkpoint.mjs 8b DIR`, SAE from `node bench/sae-projection.mjs --folder DIR`; the first run
//   reads them from the disk, later ones from the page cache where it has room.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { idle, mebi, peak, program } from "./peak.mjs";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { samples: { type: "string", default: "0" }, threads: { type: "string", default: "2" } },
});
const [model, sae] = positionals;
if (!model || !sae) {
  console.error("usage: node bench/scale.mjs MODEL SAE [--samples 0] [--threads 2]");
  process.exit(2);
}
const work = mkdtempSync(join(tmpdir(), "scale-"));
const prompts = join(work, "prompts.jsonl");
const benign = readFileSync(new URL("../pocket/prompts/benign.jsonl", import.meta.url), "utf8").split("\n");
writeFileSync(prompts, benign.slice(0, 16).join("\n"));
const on = ["--model", model, "--threads", flags.threads, "--json"];
const task = [...on, "--prompts", prompts, "--action", "I won't answer because I don't like fruit."];

const opening = `
  const { onnxEngine, openCheckpoint } = await import(${JSON.stringify(new URL("../dist/engine/onnx/open.js", import.meta.url).href)});
  const { openNodeChannel } = await import(${JSON.stringify(new URL("../dist/engine/onnx/node-channel.js", import.meta.url).href)});
  const { scoreProgram } = await import(${JSON.stringify(new URL("../dist/engine/onnx/programs.js", import.meta.url).href)});
  const { openFolder } = await import(${JSON.stringify(new URL("../dist/store/node-folder.js", import.meta.url).href)});
  const opened = await openCheckpoint(await openFolder(${JSON.stringify(model)}));
  const engine = onnxEngine(opened, openNodeChannel(), { name: "model", threads: ${flags.threads} });
  await engine.program("score", () => scoreProgram(opened, { steerLayer: null, past: false }));
  await engine.close();`;
const script = join(work, "open.mjs"); // a file, as worker threads inherit what evaluates text
writeFileSync(script, opening);
const RUNS = [
  ["opening: every weight mapped, ready to compute", [script]],
  ["score", [program, "score", ...task]],
  [
    "find sae-attribution",
    [program, "find", "sae-attribution", "--sae", sae, "--samples", flags.samples, "--no-controls", ...task],
  ],
];
console.log(`an idle process ${mebi(await idle())} anonymous`);
for (const [what, args] of RUNS) {
  const { anonymous, seconds, stdout } = await peak(args);
  console.log(`${what}: ${seconds.toFixed(1)} s, at most ${mebi(anonymous)} anonymous`);
  if (what.startsWith("find")) {
    const { setupSeconds, secondsPerStep } = JSON.parse(stdout).timing;
    console.log(`  preparing ${setupSeconds.toFixed(1)} s, the gradient ${secondsPerStep.toFixed(1)} s`);
  }
}
