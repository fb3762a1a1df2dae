/** Peak memory of a node process, sampled every 20 ms (Linux: reads /proc). */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The command line's program. */
export const program = fileURLToPath(new URL("../bin/antecedent.js", import.meta.url));

/** Runs node with `args`: its peak anonymous memory in bytes, its seconds and what it wrote on stdout. */
export async function peak(args) {
  const started = performance.now();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const written = [];
  child.stdout.on("data", (part) => written.push(part));
  let anonymous = 0;
  const timer = setInterval(() => {
    try {
      const [, kilobytes] = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
      anonymous = Math.max(anonymous, 1024 * Number(kilobytes ?? 0));
    } catch {
      // The process has just ended.
    }
  }, 20);
  const code = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${args.join(" ")}: exit ${code}`);
  return { anonymous, seconds: (performance.now() - started) / 1000, stdout: Buffer.concat(written).toString() };
}

/** Peak anonymous memory of a node process that does nothing, bytes. */
export async function idle() {
  return (await peak(["-e", "setTimeout(() => {}, 500)"])).anonymous;
}

export const mebi = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
