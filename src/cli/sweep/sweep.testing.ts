/** What tests of sweeps share: a sweep of the golden model that takes a second a point. */
import { writeFileSync } from "node:fs";
import { golden } from "../program.testing.js";

/** Writes a sweep over these values, as YAML has them, of λ or of the layer. */
export function writeGoldenSweep(file: string, values: string, varied: "lambda" | "layer" = "lambda"): void {
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
  samples: 0
${varied === "layer" ? "" : "  layer: 1\n"}grid: { ${varied}: [${values}] }
`,
  );
}
