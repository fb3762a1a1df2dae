/** The layout is that of huggingface_hub's cache: models--owner--name/{refs/main, snapshots/<commit>/…}. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { cachedModel } from "./hub-cache.js";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "hub-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function cache(revision: string): string {
  const repository = join(home, "hub", "models--owner--name");
  const snapshot = join(repository, "snapshots", "0123abcd");
  mkdirSync(join(repository, "refs"), { recursive: true });
  mkdirSync(snapshot, { recursive: true });
  writeFileSync(join(repository, "refs", "main"), revision);
  writeFileSync(join(snapshot, "config.json"), "{}");
  return snapshot;
}

it("finds the main revision of a cached model", () => {
  const snapshot = cache("0123abcd\n");
  expect(cachedModel("owner/name", { HF_HOME: home })).toBe(snapshot);
  expect(cachedModel("owner/name", { HF_HUB_CACHE: join(home, "hub") })).toBe(snapshot);
});

it("finds nothing where the model or its revision is not there", () => {
  expect(cachedModel("owner/other", { HF_HOME: home })).toBeUndefined();
  cache("ffff");
  expect(cachedModel("owner/name", { HF_HOME: home })).toBeUndefined();
  cache("../0123abcd");
  expect(cachedModel("owner/name", { HF_HOME: home })).toBeUndefined();
});
