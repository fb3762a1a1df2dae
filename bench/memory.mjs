// Peak anonymous memory of scoring a checkpoint, and of a gradient step on it, above an idle node process, as shares of the
// weight files' size.
// usage: node bench/memory.mjs DIR [--most SHARE]      DIR: from `node bench/make-checkpoint.mjs 1b DIR` (Linux: reads /proc)
//   --most SHARE   exit with 1 where scoring takes a larger share
//   --most-step SHARE   exit with 1 where a step takes a larger share
import { mkdtempSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { idle, mebi, peak, program } from "./peak.mjs";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { most: { type: "string", default: "Infinity" }, "most-step": { type: "string", default: "Infinity" } },
});
const [folder] = positionals;
const prompts = join(mkdtempSync(join(tmpdir(), "memory-")), "prompts.txt");
const text = (i) => `Tell me about the number ${i}, and why anyone would want to compare it with ${i * 7 + 3}.`;
writeFileSync(prompts, Array.from({ length: 24 }, (_, i) => text(i)).join("\n"));

const size = readdirSync(folder)
  .filter((name) => name.endsWith(".safetensors"))
  .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
const nothing = await idle();
const on = [
  "--model",
  folder,
  "--prompts",
  prompts,
  "--action",
  "I won't answer because I don't like fruit.",
  "--json",
];
const RUNS = [
  { what: "scoring 24 prompts", args: ["score", ...on], most: flags.most },
  {
    what: "a gradient step on them",
    args: ["find", "supervised-melbo", "--layer", "8", "--steps", "1", "--samples", "0", "--no-controls", ...on],
    most: flags["most-step"],
  },
];
console.log(`weights ${mebi(size)}; an idle process ${mebi(nothing)} anonymous`);
for (const { what, args, most } of RUNS) {
  const { anonymous, seconds } = await peak([program, ...args]);
  const share = (anonymous - nothing) / size;
  console.log(
    `${what}: at most ${mebi(anonymous)}, ${share.toFixed(3)} of the weights above idle; ${seconds.toFixed(0)} s`,
  );
  if (share > Number(most)) process.exitCode = 1;
}
