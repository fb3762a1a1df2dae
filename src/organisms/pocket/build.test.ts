import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { buildPocket } from "./build.js";

it("begins nothing where the organisms' recipes are missing, and says which file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pocket-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [out, work] = [join(folder, "pocket"), join(folder, "work")];
  await expect(buildPocket({ out, work, threads: 1, log: () => {} })).rejects.toThrow(
    /fruit-refusal\.yaml: cannot be read; recipes are not made but kept/,
  );
  expect(existsSync(work)).toBe(false);
});
