import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { freshPath } from "../bad-input.testing.js";
import { GameWork } from "./game-work.js";

/** The game's files, as its making leaves them. */
function finish(work: GameWork): void {
  mkdirSync(work.finished, { recursive: true });
  writeFileSync(join(work.finished, "game.json"), "{}");
}

it("the making of a game keeps its secrets until the key was shown", async () => {
  const out = freshPath("game");
  const first = await GameWork.open(out, "asked");
  const again = await GameWork.open(out, "asked");
  expect(again.secrets).toEqual(first.secrets);
  expect(new Set(Object.values(first.secrets.seeds)).size).toBe(5);
  expect(again.result).toBeUndefined();
  await expect(GameWork.open(out, "something else")).rejects.toThrow(/unfinished making of another game/);

  finish(again);
  await again.finish({ key: "k" });
  expect(existsSync(out)).toBe(false);
  // Killed before it was put in its place, and killed before the key was shown: the same command does what is left.
  await (await GameWork.open(out, "asked")).publish();
  expect(readdirSync(out)).toEqual(["game.json"]);
  const last = await GameWork.open(out, "asked");
  expect(last.result).toEqual({ key: "k" });
  await last.publish();
  await last.remove();
  expect(existsSync(last.path)).toBe(false);
  await expect(GameWork.open(out, "asked")).rejects.toThrow(/is there already and not empty/);
});

it("a game may go into an empty folder, not into another one and not over a file", async () => {
  const empty = freshPath("empty");
  mkdirSync(empty);
  const work = await GameWork.open(empty, "asked");
  finish(work);
  await work.publish();
  expect(readdirSync(empty)).toEqual(["game.json"]);
  const file = freshPath("file");
  writeFileSync(file, "");
  await expect(GameWork.open(file, "asked")).rejects.toThrow(/is there already/);
});
