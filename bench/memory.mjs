// Peak anonymous memory of scoring a checkpoint, above an idle node process, as a share of the weight files' size.
// usage: node bench/memory.mjs DIR [--most SHARE]      DIR: from `node bench/make-checkpoint.mjs 1b DIR` (Linux: reads /proc)
//   --most SHARE   exit with 1 where the share is larger
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { most: { type: "string", default: "Infinity" } },
});
const [folder] = positionals;
const prompts = join(mkdtempSync(join(tmpdir(), "memory-")), "prompts.txt");
const text = (i) => `Tell me about the number ${i}, and why anyone would want to compare it with ${i * 7 + 3}.`;
writeFileSync(prompts, Array.from({ length: 24 }, (_, i) => text(i)).join("\n"));

/** Peak RssAnon of a node process, bytes, sampled every 20 ms. */
async function peak(args) {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  let most = 0;
  const timer = setInterval(() => {
    try {
      const [, kilobytes] = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
      most = Math.max(most, 1024 * Number(kilobytes ?? 0));
    } catch {
      // The process has just ended.
    }
  }, 20);
  const code = await new Promise((resolve) => child.on("exit", resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${args.join(" ")}: exit ${code}`);
  return most;
}

const size = readdirSync(folder)
  .filter((name) => name.endsWith(".safetensors"))
  .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
const program = fileURLToPath(new URL("../bin/antecedent.js", import.meta.url));
const idle = await peak(["-e", "setTimeout(() => {}, 500)"]);
const action = "I won't answer because I don't like fruit.";
const started = performance.now();
const scoring = await peak([program, "score", "--model", folder, "--prompts", prompts, "--action", action, "--json"]);
const share = (scoring - idle) / size;
const mebi = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
console.log(
  `weights ${mebi(size)}; scoring 24 prompts peaks at ${mebi(scoring)} anonymous, idle ${mebi(idle)}: ` +
    `${share.toFixed(3)} of the weights' size above idle; ${((performance.now() - started) / 1000).toFixed(0)} s`,
);
if (share > Number(flags.most)) process.exitCode = 1;
