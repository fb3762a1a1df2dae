import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { writeFileAtomic } from "./atomic-write.js";
import { openFile } from "./node-file-source.js";
import { openFolder } from "./node-folder.js";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "files-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const message = async (promise: Promise<unknown>) => {
  const error = await promise.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  return (error as Error).message;
};

describe("a file on disk", () => {
  it("gives its bytes by position, its size and its real path", async () => {
    writeFileSync(join(root, "blob"), "0123456789");
    symlinkSync(join(root, "blob"), join(root, "link"));
    const source = await openFile(join(root, "link"), "link");
    expect([source.name, source.size, source.realPath]).toEqual(["link", 10, realpathSync(join(root, "blob"))]);
    const parts = await Promise.all([source.read(7, 3), source.read(0, 2), source.read(10, 0)]);
    expect(parts.map((part) => new TextDecoder().decode(part))).toEqual(["789", "01", ""]);
  });

  it("refuses a range outside, and a file that became shorter", async () => {
    const path = join(root, "f");
    writeFileSync(path, "0123456789");
    const source = await openFile(path, "f");
    expect(await message(source.read(8, 3))).toMatch(/^f: bytes 8 to 11 .* has 10/);
    expect(await message(source.read(-1, 2))).toMatch(/^f: bytes/);
    truncateSync(path, 4);
    expect(await message(source.read(2, 4))).toMatch(/^f: became shorter/);
  });

  it("says what is wrong with a missing file and with a folder", async () => {
    expect(await message(openFile(join(root, "none"), "none"))).toBe("none: no such file");
    expect(await message(openFile(root, "root"))).toBe("root: is not a regular file");
  });
});

describe("a folder on disk", () => {
  it("lists, tells and opens the files directly inside, through links", async () => {
    mkdirSync(join(root, "m/sub"), { recursive: true });
    writeFileSync(join(root, "outside"), "x");
    writeFileSync(join(root, "m/b.json"), "{}");
    writeFileSync(join(root, "m/sub/c"), "cc");
    symlinkSync(join(root, "outside"), join(root, "m/a.json"));
    const folder = await openFolder(join(root, "m"), "m");
    expect(await folder.list()).toEqual(["a.json", "b.json"]);
    expect(await Promise.all(["b.json", "sub", "sub/c", "none"].map((f) => folder.has(f)))).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect((await folder.open("b.json")).name).toBe("m/b.json");
    expect(await message(folder.open("none"))).toBe("m/none: no such file");
  });

  it.each(["../outside", "/etc/passwd", "", "a/../../outside", "a\0b"])("refuses the name %j", async (name) => {
    const folder = await openFolder(root);
    expect(await message(folder.open(name))).toMatch(/not a file name inside/);
  });

  it("says what is wrong with a missing folder and with a file", async () => {
    writeFileSync(join(root, "f"), "");
    expect(await message(openFolder(join(root, "none"), "none"))).toBe("none: no such folder");
    expect(await message(openFolder(join(root, "f"), "f"))).toMatch(/^f: is a file/);
  });
});

describe("atomic writing", () => {
  it("replaces the file, makes folders and leaves nothing else behind", async () => {
    const path = join(root, "run/state.json");
    await writeFileAtomic(path, "one");
    await writeFileAtomic(path, new TextEncoder().encode("two"));
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(readdirSync(join(root, "run"))).toEqual(["state.json"]);
  });

  it("leaves the old file and no temporary one when writing fails", async () => {
    const path = join(root, "target");
    mkdirSync(path); // a file cannot be renamed over a folder
    await expect(writeFileAtomic(path, "x")).rejects.toThrow();
    expect(readdirSync(root)).toEqual(["target"]);
  });
});
