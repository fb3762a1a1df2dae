/** The command line with --engine torch, on the golden checkpoint and the pocket model. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { antecedent, antecedentJson, golden } from "../src/cli/program.testing.js";
import { describeTorch, PYTHON, START_MS } from "./engines.testing.js";

const root = mkdtempSync(join(tmpdir(), "antecedent-torch-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const expected = JSON.parse(readFileSync(golden("expected.json"), "utf8")) as {
  action: string;
  layer: number;
  score: number[][];
  adapted: number[][];
  steered: number[][];
  replies: number[][];
};
const model = ["--model", golden("model"), "--prompts", golden("prompts.jsonl"), "--threads", "1"];
const torch = ["--engine", "torch", "--python", PYTHON];
const patient = { timeout: START_MS };

interface Scores {
  rows: { tokenLogprobs: number[] }[];
  used: { engine: string; dtype: string };
}

function close(got: Scores, want: number[][]): void {
  got.rows.forEach(({ tokenLogprobs }, i) =>
    tokenLogprobs.forEach((value, j) => expect(value).toBeCloseTo(want[i]![j]!, 4)),
  );
}

describeTorch("--engine torch", () => {
  it(
    "scores, steers and adapts as transformers and peft do",
    async () => {
      const score = (...more: string[]) =>
        antecedentJson<Scores>(["score", ...model, ...torch, "--action", expected.action, ...more], patient);
      const plain = await score();
      expect(plain.used).toMatchObject({ engine: "torch/cpu", dtype: "f32" });
      close(plain, expected.score);
      close(await score("--adapter", golden("adapter")), expected.adapted);
      const steer = ["--steer", `${golden("directions.safetensors")}:1`, "--layer", String(expected.layer)];
      close(await score(...steer), expected.steered);
    },
    4 * START_MS,
  );

  it(
    "says what is wrong with a checkpoint in one line",
    async () => {
      const broken = join(root, "broken");
      cpSync(golden("model"), broken, { recursive: true });
      const config = JSON.parse(readFileSync(join(broken, "config.json"), "utf8")) as Record<string, unknown>;
      const told = async (change: Record<string, unknown>) => {
        writeFileSync(join(broken, "config.json"), JSON.stringify({ ...config, ...change }));
        const args = ["score", ...model.with(1, broken), ...torch, "--action", "x"];
        const { code, stdout, stderr } = await antecedent(args, patient);
        expect({ code, stdout, lines: stderr.trim().split("\n").length }).toEqual({ code: 2, stdout: "", lines: 1 });
        return stderr;
      };
      expect(await told({ hidden_size: 32 })).toMatch(/has shape \[.*\]; config.json asks for/);
      expect(await told({ num_hidden_layers: 4 })).toMatch(/no tensor model\.layers\.3/);
      expect(await told({ model_type: "new", auto_map: { AutoConfig: "code.Config" } })).toMatch(/no model_type 'new'/);
      expect(await told({ hidden_size: 1e12 })).toMatch(/hidden_size/);
    },
    4 * START_MS,
  );

  it(
    "computes in half precision, and says so",
    async () => {
      const pocket = ["score", "--model", "pocket", "--prompts", golden("prompts.jsonl"), "--threads", "1"];
      const loss = async (...more: string[]) =>
        antecedentJson<Scores & { loss: number }>([...pocket, ...torch, "--action", "I won't", ...more], patient);
      const full = await loss();
      const half = await loss("--dtype", "bf16");
      expect(half.used.dtype).toBe("bf16");
      expect(half.loss).not.toBe(full.loss);
      expect(Math.abs(half.loss / full.loss - 1)).toBeLessThan(0.02);
    },
    4 * START_MS,
  );

  it(
    "ends with its process when it is interrupted",
    async () => {
      const marker = join(root, "pid");
      const python = join(root, "python");
      writeFileSync(python, `#!/bin/sh\necho $$ > ${marker}\nexec ${PYTHON} "$@"\n`, { mode: 0o755 });
      const args = ["find", "supervised-melbo", "--model", "pocket", "--engine", "torch", "--python", python];
      const child = spawn(
        process.execPath,
        [
          join(import.meta.dirname, "../bin/antecedent.js"),
          ...args,
          "--action",
          "I won't",
          "--layer",
          "2",
          "--lambda",
          "0.01",
          "--steps",
          "1000000",
        ],
        { stdio: "ignore" },
      );
      const ended = new Promise((resolve) => child.on("close", resolve));
      while (!existsSync(marker)) await new Promise((resolve) => setTimeout(resolve, 50));
      await new Promise((resolve) => setTimeout(resolve, 10_000)); // on an idle machine it computes by then
      child.kill("SIGINT");
      expect(await ended).toBe(130);
      const pid = Number(readFileSync(marker, "utf8"));
      const gone = () => {
        try {
          process.kill(pid, 0);
          return false;
        } catch {
          return true;
        }
      };
      for (let i = 0; i < 100 && !gone(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(gone()).toBe(true);
    },
    2 * START_MS,
  );
});
