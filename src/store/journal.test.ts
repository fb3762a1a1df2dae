import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { Journal } from "./journal.js";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
  path = join(folder, "work.journal");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value);

async function written(records: readonly (readonly [string, string])[]): Promise<Uint8Array> {
  const journal = await Journal.open(path);
  for (const [key, value] of records) journal.append(key, bytes(value));
  journal.close();
  return readFileSync(path);
}

describe("journal", () => {
  it("remembers records after it is closed and opened again; the last value of a key counts", async () => {
    await written([
      ["a", "1"],
      ["b/é", ""],
      ["a", "22"],
    ]);
    const journal = await Journal.open(path);
    expect([...journal.keys()]).toEqual(["a", "b/é"]);
    expect([text(journal.get("a")), text(journal.get("b/é")), journal.get("c")]).toEqual(["22", "", undefined]);
    expect(journal.droppedBytes).toBe(0);
    journal.close();
  });

  it("is read beside the process that writes it, which a torn end does not hinder", async () => {
    await written([["a", "1"]]);
    const writer = await Journal.open(path);
    appendFileSync(path, bytes("torn"));
    const reader = Journal.read(path);
    expect([text(reader.get("a")), reader.droppedBytes]).toEqual(["1", 4]);
    reader.close();
    expect(readFileSync(path).length).toBe(8 + 12 + 2 + 4);
    writer.append("b", bytes("2"));
    writer.close();
    const again = Journal.read(path);
    expect([text(again.get("a")), text(again.get("b"))]).toEqual(["1", "2"]);
    again.close();
  });

  it("cut at every byte, keeps exactly the whole records before the cut and goes on from there", async () => {
    const two = (
      await written([
        ["first", "one"],
        ["second", "two!"],
      ])
    ).length;
    const whole = await written([["third", "the last record"]]);
    const ends = [8, 8 + 12 + 5 + 3, two, whole.length];
    for (let cut = 0; cut <= whole.length; cut++) {
      writeFileSync(path, whole.subarray(0, cut));
      const journal = await Journal.open(path);
      const kept = ends.filter((end) => end <= cut).length - 1;
      expect(journal.size).toBe(Math.max(0, kept));
      expect(journal.droppedBytes).toBe(cut < 8 ? 0 : cut - (ends[kept] as number));
      journal.append("next", bytes("x"));
      journal.close();
      const again = await Journal.open(path);
      expect([again.size, text(again.get("next")), again.droppedBytes]).toEqual([Math.max(0, kept) + 1, "x", 0]);
      again.close();
    }
  });

  it("drops a tail with any damaged byte", async () => {
    const first = (await written([["first", "one"]])).length;
    const whole = await written([["second", "two!"]]);
    for (let at = first; at < whole.length; at++) {
      const damaged = whole.slice();
      damaged[at] = (damaged[at] as number) ^ 0x10;
      writeFileSync(path, damaged);
      const journal = await Journal.open(path);
      expect([...journal.keys()]).toEqual(["first"]);
      expect(journal.droppedBytes).toBe(whole.length - first);
      journal.close();
    }
  });

  it("drops a tail of zeros, which a power cut can leave", async () => {
    const whole = await written([["a", "1"]]);
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(4096)]));
    const journal = await Journal.open(path);
    expect([journal.size, journal.droppedBytes]).toEqual([1, 4096]);
    journal.close();
  });

  it("does not touch a file of another kind", async () => {
    writeFileSync(path, "precious notes");
    await expect(Journal.open(path)).rejects.toThrow(/not a journal/);
    expect(readFileSync(path, "utf8")).toBe("precious notes");
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it("has one writer at a time", async () => {
    const journal = await Journal.open(path);
    const second = await Journal.open(path).catch((error: unknown) => error);
    expect(second).toBeInstanceOf(InputError);
    expect((second as Error).message).toMatch(new RegExp(`process ${process.pid} .* delete .*\\.lock`));
    journal.close();
    journal.close();
    (await Journal.open(path)).close();
  });

  it("takes over the lock of a process that was killed, and of an earlier one with the same number", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    const lock = JSON.stringify({ pid: child.pid, host: hostname(), started: "" });
    writeFileSync(`${path}.lock`, lock);
    await expect(Journal.open(path)).rejects.toThrow(`process ${child.pid}`);
    child.kill("SIGKILL");
    await once(child, "exit");
    (await Journal.open(path)).close();
    if (existsSync("/proc/self/stat")) {
      writeFileSync(
        `${path}.lock`,
        JSON.stringify({ pid: process.pid, host: hostname(), started: "an earlier boot 12" }),
      );
      (await Journal.open(path)).close();
    }
    writeFileSync(`${path}.lock`, "{ half a lo");
    (await Journal.open(path)).close();
  });

  it("leaves the lock of another host alone and says how to go on", async () => {
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: 1, host: "elsewhere", started: "" }));
    await expect(Journal.open(path)).rejects.toThrow(/process 1 on elsewhere; wait for it, or delete/);
  });

  it("refuses use after closing", async () => {
    const journal = await Journal.open(path);
    journal.append("a", bytes("1"));
    journal.close();
    expect(() => journal.get("a")).toThrow(/closed/);
    expect(() => journal.append("a", bytes("1"))).toThrow(/closed/);
  });
});
