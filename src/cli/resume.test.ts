/** An audit that is killed or interrupted goes on where it was, and ends with the result of an undisturbed one. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { antecedentJson, golden } from "./program.testing.js";
import { PACKAGE_ROOT } from "./terminal/package-files.js";

let root = "";
let corpus = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "antecedent-"));
  corpus = join(root, "corpus.txt");
  const words = "basil fresh river Peru name two keep best way what answer in is the".split(" ");
  const line = (i: number) =>
    Array.from({ length: 5 }, (_, j) => words[(i * (j + 3) + j * j) % words.length]).join(" ");
  writeFileSync(corpus, Array.from({ length: 120 }, (_, i) => `${line(i)} ${i}`).join("\n"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const command = (out: string) =>
  [
    "audit",
    "--model",
    golden("model"),
    "--adapter",
    golden("adapter"),
    "--sae",
    golden("sae"),
    "--prompts",
    golden("prompts.jsonl"),
  ].concat(["--corpus", corpus, "--action", "I won't", "--out", out, "--threads", "1"]);

/** Starts the audit and ends it by `signal` once its journal holds `bytes`; resolves with the exit code. */
function stopped(out: string, signal: NodeJS.Signals, bytes: number): Promise<number | null> {
  const child = spawn(process.execPath, [join(PACKAGE_ROOT, "bin/antecedent.js"), ...command(out)], {
    stdio: "ignore",
  });
  const timer = setInterval(() => {
    const journal = statSync(join(out, "journal"), { throwIfNoEntry: false });
    if (!journal || journal.size <= bytes) return;
    clearInterval(timer); // a second Ctrl-C would ask for more haste
    child.kill(signal);
  }, 10);
  return new Promise((resolve) => {
    child.on("exit", (code) => {
      clearInterval(timer);
      resolve(code);
    });
  });
}

it("resumes after SIGKILL and after Ctrl-C, with the same result", async () => {
  const out = join(root, "stopped");
  expect(await stopped(out, "SIGKILL", 5_000)).toBeNull();
  const kept = statSync(join(out, "journal")).size;
  expect(await stopped(out, "SIGINT", kept + 5_000)).toBe(130);
  expect(existsSync(join(out, "result.json"))).toBe(false);
  const resumed = await antecedentJson<Record<string, unknown>>(command(out));
  const undisturbed = await antecedentJson<Record<string, unknown>>(command(join(root, "undisturbed")));
  expect(answerOf(resumed)).toEqual(answerOf(undisturbed));
  expect(readdirSync(out).sort()).toEqual(["config.json", "result.json"]);
  expect(JSON.parse(readFileSync(join(out, "result.json"), "utf8"))).toEqual(resumed);
});

/** Everything but times, token counts and the folder's own name. */
function answerOf({ budget: _budget, run: _run, methods, ...rest }: Record<string, unknown>) {
  return { ...rest, methods: (methods as { seconds: number }[]).map(({ seconds: _seconds, ...method }) => method) };
}
