/** What a GGUF header may not say: each case is one change to a valid file. */
import { describe, expect, it } from "vitest";
import { InputError } from "../input-error.js";
import { memoryFolder, memorySource } from "../memory-source.js";
import { ggufIn, openParts, partNames, readGguf } from "./gguf-file.js";
import { readGgufHeader } from "./header.js";

type Field =
  | readonly ["u8" | "u16" | "u32" | "u64", number | bigint]
  | readonly ["text", string]
  | readonly ["f32", number];

/** Little-endian bytes of fields; a text is a u64 length and UTF-8. */
function bytes(...fields: Field[]): Uint8Array {
  const parts = fields.map(([kind, value]) => {
    const out = Buffer.alloc({ u8: 1, u16: 2, u32: 4, f32: 4, u64: 8, text: 0 }[kind]);
    if (kind === "u8") out.writeUInt8(Number(value));
    else if (kind === "u16") out.writeUInt16LE(Number(value));
    else if (kind === "u32") out.writeUInt32LE(Number(value));
    else if (kind === "f32") out.writeFloatLE(Number(value));
    else if (kind === "u64") out.writeBigUInt64LE(BigInt(value as number));
    else return Buffer.concat([bytes(["u64", Buffer.byteLength(String(value))]), Buffer.from(String(value))]);
    return out;
  });
  return new Uint8Array(Buffer.concat(parts));
}

const MAGIC = 0x46554747;
const start = (tensors: number | bigint, pairs: number | bigint, version = 3): Field[] => [
  ["u32", MAGIC],
  ["u32", version],
  ["u64", tensors],
  ["u64", pairs],
];
const pair = (key: string, type: number, ...value: Field[]): Field[] => [["text", key], ["u32", type], ...value];
const tensor = (name: string, dims: readonly (number | bigint)[], type: number, offset: number): Field[] => [
  ["text", name],
  ["u32", dims.length],
  ...dims.map((n): Field => ["u64", n]),
  ["u32", type],
  ["u64", offset],
];

/** A file of these header fields, padded to 32 bytes and followed by `data` bytes. */
function file(fields: readonly Field[], data = 0): ReturnType<typeof memorySource> {
  const header = bytes(...fields);
  const out = new Uint8Array(Math.ceil(header.length / 32) * 32 + data);
  out.set(header);
  return memorySource("m.gguf", out);
}

const two = [...tensor("a", [32, 2], 8, 0), ...tensor("b", [4], 0, 96)];

describe("readGgufHeader", () => {
  it.each([2, 3])("reads version %i", async (version) => {
    const fields = [...start(2, 3, version), ...pair("general.architecture", 8, ["text", "llama"])];
    fields.push(
      ...pair("list", 9, ["u32", 4], ["u64", 2], ["u32", 7], ["u32", 8]),
      ...pair("on", 7, ["u8", 1]),
      ...two,
    );
    const { metadata, tensors } = await readGgufHeader(file(fields, 112));
    expect(Object.fromEntries(metadata)).toEqual({ "general.architecture": "llama", list: [7, 8], on: true });
    const { shape, bytes: length, type } = tensors.get("a")!;
    expect({ shape, length, type: type.name }).toEqual({ shape: [2, 32], length: 68, type: "Q8_0" });
    expect(tensors.get("b")!.offset).toBe(tensors.get("a")!.offset + 96);
  });

  it("keeps a token that is a byte-order mark", async () => {
    const { metadata } = await readGgufHeader(file([...start(0, 1), ...pair("k", 8, ["text", "\ufeffx"])]));
    expect(metadata.get("k")).toBe("\ufeffx");
  });

  it("reads headers longer than its first read", async () => {
    const long = "x".repeat(5 << 20);
    const { metadata } = await readGgufHeader(file([...start(0, 1), ...pair("k", 8, ["text", long])]));
    expect(metadata.get("k")).toBe(long);
  });

  const refused: [string, ReturnType<typeof memorySource>, RegExp][] = [
    ["too short", memorySource("m.gguf", new Uint8Array(8)), /too few/],
    [
      "another format",
      file([
        ["u32", 1],
        ["u32", 3],
        ["u64", 0],
        ["u64", 0],
      ]),
      /not a GGUF file/,
    ],
    ["version 1", file(start(0, 0, 1)), /version 1; versions 2 and 3/],
    ["big-endian", file(start(0, 0, 3 << 24)), /big-endian/],
    ["endless tensors", file(start(2n ** 40n, 0)), /announces 1099511627776 tensors/],
    ["endless keys", file(start(0, 2n ** 40n)), /announces 1099511627776 metadata keys/],
    ["a count beyond numbers", file(start(2n ** 63n, 0)), /number of tensors is 9223372036854775808/],
    ["a key that is too long", file([...start(0, 1), ["u64", 70_000]]), /key 0 is 70000 bytes long/],
    [
      "a text that is too long",
      file([...start(0, 1), ["text", "k"], ["u32", 8], ["u64", 2n ** 32n]]),
      /"k" is 4294967296 bytes/,
    ],
    ["a text beyond the end", file([...start(0, 1), ["text", "k"], ["u32", 8], ["u64", 999]]), /cut short/],
    ["bad UTF-8", file([...start(0, 1), ["u64", 1], ["u8", 255], ["u32", 8]]), /key 0 is not UTF-8/],
    [
      "a repeated key",
      file([...start(0, 2), ...pair("k", 0, ["u8", 1]), ...pair("k", 0, ["u8", 1])]),
      /"k" is there twice/,
    ],
    ["an unknown value type", file([...start(0, 1), ...pair("k", 13)]), /value type 13/],
    ["a flag of 2", file([...start(0, 1), ...pair("k", 7, ["u8", 2])]), /"k" is 2 where only 0 and 1/],
    [
      "an endless array",
      file([...start(0, 1), ...pair("k", 9, ["u32", 0], ["u64", 2n ** 40n])]),
      /values of all arrays/,
    ],
    [
      "arrays in arrays in arrays",
      file([
        ...start(0, 1),
        ...pair(
          "k",
          9,
          ...Array.from({ length: 6 }, (): Field[] => [
            ["u32", 9],
            ["u64", 1],
          ]).flat(),
        ),
      ]),
      /nests arrays more than 4 deep/,
    ],
    ["an odd alignment", file([...start(0, 1), ...pair("general.alignment", 4, ["u32", 48])]), /alignment is 48/],
    ["no dimensions", file([...start(1, 0), ...tensor("a", [], 0, 0)]), /0 dimensions/],
    ["five dimensions", file([...start(1, 0), ...tensor("a", [1, 1, 1, 1, 1], 0, 0)]), /5 dimensions/],
    ["an empty dimension", file([...start(1, 0), ...tensor("a", [0], 0, 0)]), /empty dimension/],
    ["an overflowing shape", file([...start(1, 0), ...tensor("a", [2n ** 50n, 2n ** 50n], 0, 0)]), /no file can hold/],
    ["a broken block", file([...start(1, 0), ...tensor("a", [33], 8, 0)]), /33 elements, which Q8_0 cannot divide/],
    [
      "an unsupported type",
      file([...start(1, 0), ...tensor("a", [256], 16, 0)]),
      /"a" is IQ2_XXS; supported quantisations: F32, F16, .*Q6_K/,
    ],
    ["an unknown type", file([...start(1, 0), ...tensor("a", [256], 99, 0)]), /"a" is of unknown type 99/],
    ["a misaligned tensor", file([...start(1, 0), ...tensor("a", [4], 0, 8)], 32), /not at a multiple of 32/],
    [
      "overlapping tensors",
      file([...start(2, 0), ...tensor("a", [16], 0, 0), ...tensor("b", [4], 0, 32)], 64),
      /"b" overlaps tensor "a"/,
    ],
    [
      "a repeated tensor",
      file([...start(2, 0), ...tensor("a", [4], 0, 0), ...tensor("a", [4], 0, 32)], 64),
      /"a" is there twice/,
    ],
    ["a tensor beyond the end", file([...start(1, 0), ...tensor("a", [64], 0, 0)], 32), /should end at byte/],
    [
      "a long tensor name",
      file([...start(1, 0), ...tensor("a".repeat(65), [4], 0, 0)], 32),
      /65 bytes long \(at most 64\)/,
    ],
  ];
  it.each(refused)("refuses %s", async (_, source, message) => {
    const wrong = readGgufHeader(source);
    await expect(wrong).rejects.toThrow(InputError);
    await expect(wrong).rejects.toThrow(message);
  });

  it("refuses every shortening of a file", async () => {
    const whole = bytes(...start(1, 1), ...pair("k", 8, ["text", "llama"]), ...tensor("a", [4], 0, 0));
    for (let length = 0; length < whole.length; length++)
      await expect(readGgufHeader(memorySource("m.gguf", whole.slice(0, length)))).rejects.toThrow(InputError);
  });
});

describe("models in parts", () => {
  const part = (no: number, count: number, name: string, total = 2) => {
    const split = [...pair("split.no", 2, ["u16", no]), ...pair("split.count", 2, ["u16", count])];
    return bytes(
      ...start(1, 3),
      ...split,
      ...pair("split.tensors.count", 5, ["u32", total]),
      ...tensor(name, [4], 0, 0),
    );
  };
  const padded = (part: Uint8Array) => {
    const out = new Uint8Array(Math.ceil(part.length / 32) * 32 + 32);
    out.set(part);
    return out;
  };
  const names = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"] as const;
  const folder = (first: Uint8Array, second: Uint8Array) =>
    memoryFolder("f", { [names[0]]: padded(first), [names[1]]: padded(second) });

  it("are one, whichever is named", async () => {
    const held = folder(part(0, 2, "a"), part(1, 2, "b"));
    expect(await ggufIn(held)).toBe(names[0]);
    for (const name of names) {
      const { tensors } = await readGguf(await openParts(held, name));
      expect([...tensors.values()].map((one) => [one.name, one.source.name])).toEqual([
        ["a", `f/${names[0]}`],
        ["b", `f/${names[1]}`],
      ]);
    }
  });

  it.each([
    ["a part of another split", part(0, 2, "a"), part(1, 3, "b"), /part 2 of 3, but is opened as part 2 of 2/],
    ["parts in another order", part(1, 2, "a"), part(0, 2, "b"), /part 2 of 2, but is opened as part 1 of 2/],
    ["a tensor in both", part(0, 2, "a"), part(1, 2, "a"), /"a" is in another part too/],
    ["too few tensors", part(0, 2, "a", 3), part(1, 2, "b", 3), /announces 3 tensors over all parts, which hold 2/],
  ])("refuses %s", async (_, first, second, message) => {
    const parts = await openParts(folder(first, second), names[0]);
    await expect(readGguf(parts)).rejects.toThrow(message);
  });

  it("refuses a missing part, an endless number of them, and a folder of several models", async () => {
    const one = memoryFolder("f", { [names[0]]: "" });
    await expect(openParts(one, names[0])).rejects.toThrow(/"m-00002-of-00002.gguf" is missing/);
    expect(() => partNames("m-00001-of-99999.gguf")).toThrow(/one of 99999 parts/);
    await expect(ggufIn(memoryFolder("f", { "a.gguf": "", "b.gguf": "" }))).rejects.toThrow(/holds 2 GGUF models/);
    expect(await ggufIn(memoryFolder("f", { "a.txt": "" }))).toBeUndefined();
  });
});
