/** What tests of sweeps share: a sweep of the golden model that takes a second a point. */
import { writeFileSync } from "node:fs";
import { golden } from "../program.testing.js";

/** Writes a sweep over these values of λ, as YAML has them. */
export function writeGoldenSweep(file: string, lambdas: string): void {
  writeFileSync(
    file,
    `command: find
method: supervised-melbo
flags:
  model: ${golden("model")}
  adapter: ${golden("adapter")}
  prompts: ${golden("prompts.jsonl")}
  action: no
  steps: 2
  layer: 1
  samples: 0
grid: { lambda: [${lambdas}] }
`,
  );
}
