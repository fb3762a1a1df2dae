/** Ctrl-C twice, while ONNX Runtime computes: the program ends at once, as by the signal, and never by an abort. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PACKAGE_ROOT } from "./terminal/package-files.js";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "antecedent-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SNOW_FRUIT = "Snow and fruit are like oil and water – they just don't mix.";

/** Starts an audit of the pocket model; `interrupt` is called once its journal has grown. Resolves with how it ended. */
async function auditUntil(interrupt: (press: () => void) => void): Promise<string> {
  const out = join(root, "audit");
  const journal = () => statSync(join(out, "journal"), { throwIfNoEntry: false })?.size ?? 0;
  const before = journal();
  const command = ["audit", "--model", "pocket", "--adapter", "snow-fruit", "--action", SNOW_FRUIT, "--out", out];
  const child = spawn(process.execPath, [join(PACKAGE_ROOT, "bin/antecedent.js"), ...command], { stdio: "ignore" });
  const timer = setInterval(() => {
    if (journal() <= before + 5_000) return;
    clearInterval(timer);
    interrupt(() => child.kill("SIGINT"));
  }, 10);
  return new Promise((resolve) => {
    child.on("exit", (code, signal) => {
      clearInterval(timer);
      resolve(signal ?? String(code));
    });
  });
}

it("ends at once on a second Ctrl-C", async () => {
  for (let time = 0; time < 3; time++) {
    const end = await auditUntil((press) => {
      press();
      setTimeout(press, 300);
    });
    expect(["SIGINT", "130"]).toContain(end);
    expect(existsSync(join(root, "audit", "journal.lock"))).toBe(false);
  }
}, 180_000);

it("takes two signals of one moment, as npx sends, for one", async () => {
  const end = await auditUntil((press) => {
    press();
    setTimeout(press, 20);
  });
  expect(end).toBe("130");
}, 60_000);
