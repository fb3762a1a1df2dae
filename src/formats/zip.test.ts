import { readFileSync } from "node:fs";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { ByteSource } from "./byte-source.js";
import { InputError } from "./input-error.js";
import { memorySource } from "./memory-source.js";
import { readZip, readZipEntry } from "./zip.js";
import { concat, zipOf, zipSource } from "./zip.testing.js";

const text = new TextDecoder();
const refused = async (work: Promise<unknown>, message: RegExp) => {
  const error = await work.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).toMatch(/^a\.zip: /);
  expect((error as Error).message).toMatch(message);
};
const readOne = async (source: ByteSource, name: string, limit = 1e9) =>
  readZipEntry(source, (await readZip(source)).get(name)!, limit);

describe("zip archives", () => {
  it("reads stored and deflated entries, also behind a comment", async () => {
    const data = "so ".repeat(100_000);
    const deflated = deflateRawSync(data);
    const bytes = zipOf({ "a.txt": "one", "b.txt": { data: deflated, method: 8, size: data.length } });
    const commented = concat([bytes, new TextEncoder().encode("a comment")]);
    commented[bytes.length - 2] = 9;
    const source = memorySource("a.zip", commented);
    expect([...(await readZip(source)).keys()]).toEqual(["a.txt", "b.txt"]);
    expect(text.decode(await readOne(source, "a.txt"))).toBe("one");
    expect(text.decode(await readOne(source, "b.txt"))).toBe(data);
  });

  it("takes sizes from zip64 fields and records, which numpy and torch write", async () => {
    // numpy's local headers say 0xFFFFFFFF; the archive's central directory is right.
    const path = new URL("../../test/goldens/containers/stored.npz", import.meta.url);
    const bytes = new Uint8Array(readFileSync(path));
    expect(new DataView(bytes.buffer).getUint32(18, true)).toBe(0xffffffff);
    const entry = (await readZip(memorySource("a.zip", bytes))).get("plain.npy")!;
    expect(entry.size).toBe(128 + 5 * 7 * 4);

    // The same archive, with every number of its directory and end record moved to zip64 forms.
    const plain = zipOf({ x: "content" });
    const at = plain.length - 22 - 47;
    const extra = new DataView(new ArrayBuffer(28));
    extra.setUint16(0, 1, true);
    extra.setUint16(2, 24, true);
    extra.setBigUint64(4, 7n, true);
    extra.setBigUint64(12, 7n, true);
    const central = plain.slice(at, at + 47);
    new DataView(central.buffer).setUint16(30, 28, true);
    for (const field of [20, 24, 42]) new DataView(central.buffer).setUint32(field, 0xffffffff, true);
    const end64 = new DataView(new ArrayBuffer(56));
    end64.setUint32(0, 0x06064b50, true);
    end64.setBigUint64(32, 1n, true);
    end64.setBigUint64(40, BigInt(47 + 28), true);
    end64.setBigUint64(48, BigInt(at), true);
    const locator = new DataView(new ArrayBuffer(20));
    locator.setUint32(0, 0x07064b50, true);
    locator.setBigUint64(8, BigInt(at + 47 + 28), true);
    const end = plain.slice(-22);
    new DataView(end.buffer).setUint32(16, 0xffffffff, true);
    const parts = [plain.slice(0, at), central, extra, end64, locator, end];
    const wide = concat(parts.map((part) => (part instanceof DataView ? new Uint8Array(part.buffer) : part)));
    expect(text.decode(await readOne(memorySource("a.zip", wide), "x"))).toBe("content");
    const without = concat([wide.subarray(0, -42), end]);
    await refused(readZip(memorySource("a.zip", without)), /zip64 end record is missing/);
  });

  it.each<[string, ByteSource, RegExp]>([
    ["nothing", memorySource("a.zip", new Uint8Array(0)), /no end record/],
    ["a cut archive", memorySource("a.zip", zipOf({ x: "text" }).subarray(0, -5)), /no end record/],
    ["a missing start", memorySource("a.zip", zipOf({ x: "text" }).subarray(30)), /directory should be/],
    ["an encrypted entry", zipSource("a.zip", { x: { data: "text", flags: 1 } }), /"x" is encrypted/],
    ["another compression", zipSource("a.zip", { x: { data: "text", method: 14 } }), /method 14/],
    ["an entry past the end", zipSource("a.zip", { x: { data: "t", header: 1e6 } }), /bytes 1000000/],
    [
      "an entry larger than the file",
      zipSource("a.zip", { x: { data: "t", size: 2e6, compressedSize: 2e6 } }),
      /bytes/,
    ],
    [
      "a stored entry of two sizes",
      zipSource("a.zip", { x: { data: "text", size: 9 } }),
      /stored, yet has 4 bytes for 9/,
    ],
    ["missing zip64 sizes", zipSource("a.zip", { x: { data: "text", size: 0xffffffff } }), /no zip64 sizes/],
    [
      "a bomb",
      zipSource("a.zip", { x: { data: deflateRawSync(new Uint8Array(1e6)), method: 8, size: 4e9 } }),
      /would grow from \d+ bytes to 4000000000/,
    ],
  ])("refuses %s", (_, source, message) => refused(readZip(source), message));

  it("refuses a name that is there twice", async () => {
    const bytes = zipOf({ xa: "1", xb: "2" });
    const last = bytes.lastIndexOf("b".charCodeAt(0));
    bytes[last] = "a".charCodeAt(0);
    await refused(readZip(memorySource("a.zip", bytes)), /"xa" is there twice/);
  });

  it("refuses entries that are not what the directory says", async () => {
    const deflated = deflateRawSync("some text, and more text");
    const entry = (size: number, data: Uint8Array = deflated) => zipSource("a.zip", { x: { data, method: 8, size } });
    expect(text.decode(await readOne(entry(9), "x"))).toBe("some text");
    await refused(readOne(entry(99), "x"), /inflates to less than its 99 bytes/);
    await refused(readOne(entry(24, Uint8Array.of(0xff, 0xff)), "x"), /cannot be inflated/);
    await refused(readOne(entry(24, deflated.subarray(0, 9)), "x"), /cannot be inflated/);
    await refused(readOne(entry(24), "x", 23), /"x" has 24 bytes; at most 23 are read/);
    await refused(readOne(zipSource("a.zip", { x: { data: "text", header: 2 } }), "x"), /no header at byte 2/);
    const long = zipOf({ x: "text" });
    long[28] = 0xff; // length of the local extra field
    await refused(readOne(memorySource("a.zip", long), "x"), /after the end of the file/);
  });
});
