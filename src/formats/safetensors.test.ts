import { describe, expect, it } from "vitest";
import type { ByteSource } from "./byte-source.js";
import { InputError } from "./input-error.js";
import { memorySource } from "./memory-source.js";
import { readSafetensorsHeader, readTensorF32, writeSafetensors } from "./safetensors.js";

/** A file from a header (object or raw text) and `data` bytes of zeros. */
function file(header: unknown, data = 0): ByteSource {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return memorySource("w.safetensors", bytes);
}
const tensor = (begin: number, end: number, shape = [(end - begin) / 4], dtype = "F32") => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});
const refuses = async (source: ByteSource, message: RegExp) => {
  const error = await readSafetensorsHeader(source).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).toMatch(/^w\.safetensors: /);
  expect((error as Error).message).toMatch(message);
};

describe("safetensors reading", () => {
  it("finds tensors whatever their order in the header, with absolute offsets", async () => {
    const source = file({ b: tensor(4, 12), __metadata__: { format: "pt" }, a: tensor(0, 4, []) }, 12);
    const { tensors, metadata } = await readSafetensorsHeader(source);
    const start = source.size - 12;
    expect(tensors.get("a")).toEqual({ name: "a", dtype: "F32", shape: [], begin: start, end: start + 4 });
    expect(tensors.get("b")).toMatchObject({ shape: [2], begin: start + 4, end: source.size });
    expect(metadata.get("format")).toBe("pt");
  });

  it("accepts empty tensors, no tensors and a header padded with spaces", async () => {
    expect((await readSafetensorsHeader(file({ e: tensor(0, 0, [0, 2 ** 52]) }))).tensors.size).toBe(1);
    expect((await readSafetensorsHeader(file("{}"))).tensors.size).toBe(0);
    expect((await readSafetensorsHeader(file("{}      "))).tensors.size).toBe(0);
  });

  it.each<[string, ByteSource, RegExp]>([
    ["an empty file", memorySource("w.safetensors", new Uint8Array(0)), /0 bytes are too few/],
    [
      "a header longer than allowed",
      memorySource("w.safetensors", new Uint8Array(16).fill(0xff)),
      /header length reads 18446744073709551615/,
    ],
    [
      "a header longer than the file",
      memorySource("w.safetensors", Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d)),
      /has only 10/,
    ],
    ["a header that starts with a space", file(" {}"), /does not start with '\{'/],
    ["broken JSON", file("{]"), /not valid UTF-8 JSON/],
    [
      "a hole",
      file({ a: tensor(0, 4), b: tensor(8, 12) }, 12),
      /"b" starts at data byte 8, leaving a hole; 4 would be right/,
    ],
    ["an overlap", file({ a: tensor(0, 8), b: tensor(4, 12) }, 12), /inside the tensor before it/],
    ["a start that is not 0", file({ a: tensor(4, 8) }, 8), /leaving a hole; 0 would/],
    [
      "a size that does not fit the shape",
      file({ a: tensor(0, 8, [3]) }, 8),
      /holds 8 bytes but shape \[3\] of F32 needs 12/,
    ],
    ["a shape whose product overflows", file({ a: tensor(0, 0, [2 ** 40, 2 ** 40]) }), /needs/],
    ["a negative dimension", file({ a: tensor(0, 4, [-1]) }, 4), /no shape of whole numbers/],
    ["a fractional offset", file({ a: tensor(0, 2.5, [1]) }, 4), /no data_offsets/],
    ["an unknown dtype", file({ a: tensor(0, 4, [1], "Q4") }, 4), /dtype "Q4"; readable are BOOL/],
    ["missing bytes at the end", file({ a: tensor(0, 8) }, 4), /cut short/],
    ["extra bytes at the end", file({ a: tensor(0, 8) }, 12), /extra data/],
    ["metadata that is not text", file({ __metadata__: { a: 1 } }), /__metadata__ "a" is not a string/],
    ["an entry that is not an object", file({ a: 3 }), /"a" is not an object/],
  ])("refuses %s", async (_, source, message) => refuses(source, message));

  it("converts every float dtype to f32", async () => {
    const data = Float32Array.of(1.5, -0.25, 3.140625, 65504);
    const written = writeSafetensors(
      (["F32", "F16", "BF16", "F64"] as const).map((dtype) => ({ name: dtype, dtype, shape: [2, 2], data })),
    );
    const source = memorySource("w", written);
    const { tensors } = await readSafetensorsHeader(source);
    for (const dtype of ["F32", "F16", "F64"]) {
      const entry = tensors.get(dtype);
      expect(entry && [...(await readTensorF32(source, entry))]).toEqual([...data]);
    }
    const bf16 = tensors.get("BF16");
    expect(bf16 && [...(await readTensorF32(source, bf16))]).toEqual([1.5, -0.25, 3.140625, 65536]);
  });

  it("names the tensor whose dtype is not a float", async () => {
    const source = memorySource(
      "w",
      writeSafetensors([{ name: "n", dtype: "I64", shape: [1], data: BigInt64Array.of(3n) }]),
    );
    const entry = (await readSafetensorsHeader(source)).tensors.get("n");
    await expect(readTensorF32(source, entry as NonNullable<typeof entry>)).rejects.toThrow(/"n" is I64/);
  });
});

describe("safetensors writing", () => {
  it("writes the very bytes of the official writer", () => {
    // safetensors 0.8.0 (Python): save({"b": f32 [1.], "a": f32 [[2., 3.]], "10": i64 [7], "9": bf16 [1.], "s": f32 scalar 4}, {"format": "pt"})
    const expected =
      "OAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCIxMCI6eyJkdHlwZSI6Ikk2NCIsInNoYXBlIjpbMV0sImRh" +
      "dGFfb2Zmc2V0cyI6WzAsOF19LCJhIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsxLDJdLCJkYXRhX29mZnNldHMiOls4LDE2XX0s" +
      "ImIiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOlsxNiwyMF19LCJzIjp7ImR0eXBlIjoiRjMyIiwi" +
      "c2hhcGUiOltdLCJkYXRhX29mZnNldHMiOlsyMCwyNF19LCI5Ijp7ImR0eXBlIjoiQkYxNiIsInNoYXBlIjpbMV0sImRhdGFfb2Zm" +
      "c2V0cyI6WzI0LDI2XX19ICAgICAHAAAAAAAAAAAAAEAAAEBAAACAPwAAgECAPw==";
    const got = writeSafetensors(
      [
        { name: "9", dtype: "BF16", shape: [1], data: Float32Array.of(1) },
        { name: "b", dtype: "F32", shape: [1], data: Float32Array.of(1) },
        { name: "10", dtype: "I64", shape: [1], data: BigInt64Array.of(7n) },
        { name: "s", dtype: "F32", shape: [], data: Float32Array.of(4) },
        { name: "a", dtype: "F32", shape: [1, 2], data: Float32Array.of(2, 3) },
      ],
      { format: "pt" },
    );
    expect(Buffer.from(got).toString("base64")).toBe(expected);
  });

  it("refuses data that does not fit its shape, repeated names and the reserved name", () => {
    const t = { name: "a", dtype: "F32" as const, shape: [2], data: Float32Array.of(1, 2) };
    expect(() => writeSafetensors([{ ...t, shape: [3] }])).toThrow(/8 bytes given, shape \[3\] of F32 needs 12/);
    expect(() => writeSafetensors([t, t])).toThrow(/repeated/);
    expect(() => writeSafetensors([{ ...t, name: "__metadata__" }])).toThrow(/reserved/);
  });
});
