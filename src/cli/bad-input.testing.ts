/** What tests of wrong input share: spoilt copies of the golden checkpoint, and what a refusal looks like. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { antecedent, golden } from "./program.testing.js";

export const action = ["--action", "I won't"];
export const prompts = ["--prompts", golden("prompts.jsonl")];
/** A folder of this test file's own. */
export const root = mkdtempSync(join(tmpdir(), "antecedent-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let copies = 0;

/** A path in the folder that nothing has yet. */
export function freshPath(name: string): string {
  return join(root, `${copies++}-${name}`);
}

/** A copy of a golden folder that `spoil` may damage. */
export function copyOf(folder: string, spoil: (path: (file: string) => string) => void): string {
  const copy = freshPath("copy");
  cpSync(golden(folder), copy, { recursive: true });
  spoil((file) => join(copy, file));
  return copy;
}

export function writeText(name: string, text: string): string {
  const path = freshPath(name);
  writeFileSync(path, text);
  return path;
}

/** The command ends as wrong input ends, and says `message`. */
export async function refuses(args: readonly string[], message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await antecedent(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
  expect(stderr).not.toMatch(/\n\s+at /);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  expect(stderr.length).toBeLessThan(1100);
}

/** The command that most wrong checkpoints meet. */
export const score = (model: string) => ["score", "--model", model, ...prompts, ...action];

/** Replaces fields of a JSON file. */
export function editJson(path: string, change: object): void {
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
}
