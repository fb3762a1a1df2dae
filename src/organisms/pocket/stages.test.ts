import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { stages } from "./stages.js";

it("makes a stage again where its stamp differs or a file that it left is gone, and only then", async () => {
  const out = await mkdtemp(join(tmpdir(), "stages-"));
  onTestFinished(() => rm(out, { recursive: true }));
  const stage = stages({ out, work: out, log: () => {} });
  let made = 0;
  const run = (stamp: string) =>
    stage("sae", ["weights"], stamp, async () => {
      made++;
      await writeFile(join(out, "weights"), "0");
    });
  await run("a");
  await run("a");
  expect(made).toBe(1);
  await rm(join(out, "weights"));
  await run("a");
  expect(made).toBe(2);
  await run("b");
  expect(made).toBe(3);
});

it("leaves no stamp of a stage that failed", async () => {
  const out = await mkdtemp(join(tmpdir(), "stages-"));
  onTestFinished(() => rm(out, { recursive: true }));
  const stage = stages({ out, work: out, log: () => {} });
  await writeFile(join(out, "weights"), "half");
  const fail = () => stage("sae", ["weights"], "a", () => Promise.reject(new Error("out of memory")));
  await expect(fail()).rejects.toThrow("out of memory");
  await expect(fail()).rejects.toThrow("out of memory");
});
