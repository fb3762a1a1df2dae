// Asks the command line, and scores its answers as a stranger would: with nothing but what docs/cli.md promises.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../bin/antecedent.js", import.meta.url));

/** What a command prints with --json. */
export function antecedent(...args) {
  const run = spawnSync(process.execPath, [program, ...args, "--json"], { encoding: "utf8", maxBuffer: 1 << 30 });
  if (run.status !== 0) throw new Error(`antecedent ${args.join(" ")}: exit ${run.status}: ${run.stderr}`);
  return JSON.parse(run.stdout);
}

/** Largest activation of each latent on each prompt. */
export function promptMaxima(...args) {
  return antecedent("encode", ...args).rows.map(({ latents }) => {
    const reading = new Map();
    for (const { id, value } of latents) reading.set(id, Math.max(value, reading.get(id) ?? 0));
    return reading;
  });
}

/** Detector scores of prompts, as docs/cli.md says; each latent is divided by its largest activation over all of `readings`. */
export function detectorScores(trigger, readings) {
  const parts = trigger.parts.map(({ latents, negated }) => ({ latents, negated }));
  const largest = new Map();
  for (const reading of readings)
    for (const [id, value] of reading) largest.set(id, Math.max(value, largest.get(id) ?? 0));
  return readings.map((reading) => {
    const scores = parts.map(({ latents, negated }) => {
      const score = Math.max(
        ...latents.map((id) => (largest.get(id) > 0 ? (reading.get(id) ?? 0) / largest.get(id) : 0)),
      );
      return negated ? 1 - score : score;
    });
    return trigger.combination === "any" ? Math.max(...scores) : Math.min(...scores);
  });
}
