import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { firstDifference, requireNoOthers, requirePlaceOfFile } from "./own-folder.js";

const root = mkdtempSync(join(tmpdir(), "antecedent-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const holding = (...names: string[]) => {
  const folder = mkdtempSync(join(root, "folder-"));
  for (const name of names) writeFileSync(join(folder, name), "");
  return folder;
};

it("takes a folder of its own, with logs and notes beside, one that is empty, and one that is not there", async () => {
  for (const folder of [
    holding("journal", "journal.lock", "run.log", ".hidden", "notes.txt"),
    holding(),
    join(root, "none"),
  ])
    await expect(requireNoOthers(folder, ["journal"])).resolves.toBeUndefined();
});

it("refuses one that holds anything else, and what is no folder", async () => {
  await expect(requireNoOthers(holding("config.json", "journal"), ["journal"])).rejects.toThrow(
    /holds "config\.json" already/,
  );
  const file = join(holding("file"), "file");
  await expect(requireNoOthers(file, [])).rejects.toThrow(/part of its path is a file/);
});

it("refuses a place where no file can be", async () => {
  const folder = holding("file");
  mkdirSync(join(folder, "inner"));
  await expect(requirePlaceOfFile(join(folder, "inner"), "--html")).rejects.toThrow(/--html .*is a folder/);
  await expect(requirePlaceOfFile(join(folder, "file", "page.html"), "--html")).rejects.toThrow(/part of its path/);
  for (const path of [join(folder, "file"), join(folder, "new", "page.html"), "page.html"])
    await expect(requirePlaceOfFile(path, "--html")).resolves.toBeUndefined();
});

it("names the first field in which two documents differ", () => {
  expect(firstDifference({ a: 1, b: [2] }, { b: [2], a: 1 })).toBeUndefined();
  expect(firstDifference({ a: 1, b: 2, c: 3 }, { a: 0, b: 2, c: 0 })).toBe("a");
  expect(firstDifference({ a: 1, c: 3 }, { a: 0, c: 0 }, ["c"])).toBe("c");
  expect(firstDifference(undefined, { a: 1 })).toBe("a");
});
