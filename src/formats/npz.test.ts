import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ByteSource } from "./byte-source.js";
import { InputError } from "./input-error.js";
import { memorySource } from "./memory-source.js";
import { readNpz } from "./npz.js";
import { readSafetensorsHeader } from "./safetensors.js";
import { isPlain, readIntegers, readTensorF32 } from "./tensor-file.js";
import { concat, zipSource } from "./zip.testing.js";

/** Written by numpy through test/goldens/containers.py; what it holds, as safetensors. */
const golden = (name: string): ByteSource =>
  memorySource(name, new Uint8Array(readFileSync(new URL(`../../test/goldens/containers/${name}`, import.meta.url))));
const truth = golden("numpy.safetensors");

describe("npz", () => {
  it.each(["stored.npz", "deflated.npz"])("%s: every array as numpy has it", async (file) => {
    const arrays = await readNpz(golden(file));
    const { tensors } = await readSafetensorsHeader(truth);
    expect(tensors.size).toBe(11);
    for (const [name, entry] of tensors) {
      const { source, entry: found } = arrays.get(name)!;
      expect(found.shape, name).toEqual(entry.shape);
      expect(await readTensorF32(source, found), name).toEqual(await readTensorF32(truth, entry));
    }
    expect(await readIntegers(arrays.get("i8")!)).toEqual([-3, 4]);
    expect(await readIntegers(arrays.get("u2")!)).toEqual([7, 65535]);
    expect(await readIntegers(arrays.get("bigI4")!)).toEqual([-5, 6]);
    expect(await readIntegers(arrays.get("i8wide")!)).toEqual([2 ** 40, -1]);
  });

  it("leaves stored little-endian row-major arrays where they can be mapped", async () => {
    const file = golden("stored.npz");
    const arrays = await readNpz(file);
    const plain = [...arrays].filter(([, { source, entry }]) => source === file && isPlain(entry));
    expect(plain.map(([name]) => name)).toEqual(expect.arrayContaining(["plain", "double", "half", "cube", "scalar"]));
    for (const name of ["fortran", "big", "bigHalf", "fortranCube", "bigI4"])
      expect(isPlain(arrays.get(name)!.entry), name).toBe(false);
  });

  it("reads back and forth in deflated entries", async () => {
    const { source, entry } = (await readNpz(golden("deflated.npz"))).get("plain")!;
    const whole = await source.read(0, source.size);
    expect(await source.read(entry.begin, 8)).toEqual(whole.slice(entry.begin, entry.begin + 8));
    const [late, early] = await Promise.all([source.read(entry.begin + 40, 4), source.read(3, 5)]);
    expect(late).toEqual(whole.slice(entry.begin + 40, entry.begin + 44));
    expect(early).toEqual(whole.slice(3, 8));
    await expect(source.read(source.size, 1)).rejects.toThrow(InputError);
  });

  it.each(["version2.npz", "version3.npz"])("%s", async (file) => {
    const array = (await readNpz(golden(file))).get("x")!;
    const plain = (await readSafetensorsHeader(truth)).tensors.get("plain")!;
    expect(await readTensorF32(array.source, array.entry)).toEqual(await readTensorF32(truth, plain));
  });

  it("refuses Python objects and dtypes that are no numbers of ours", async () => {
    await refuses(golden("objects.npz"), /"x\.npy": holds Python objects .* unpickled/);
    await refuses(golden("complex.npz"), /has dtype "'<c8'"/);
  });
});

const header = (text: string, version = 1): Uint8Array =>
  concat([
    Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, text.length & 255, text.length >> 8),
    new TextEncoder().encode(text),
  ]);
const array = (text: string, data = 0, version?: number) => concat([header(text, version), new Uint8Array(data)]);
const refuses = async (source: ByteSource, message: RegExp) => {
  const error = await readNpz(source).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message.split("\n")).toHaveLength(1);
};

describe("damaged and hostile npz", () => {
  const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
  it("reads its own header", async () => {
    const arrays = await readNpz(zipSource("a.npz", { "x.npy": array(good, 8) }));
    expect(arrays.get("x")!.entry).toMatchObject({ dtype: "F32", shape: [2] });
    const swapped = "{'shape': (2L, 3L), 'fortran_order': True, 'descr': '>f2'}";
    expect((await readNpz(zipSource("a.npz", { "x.npy": array(swapped, 12) }))).get("x")!.entry).toMatchObject({
      dtype: "F16",
      shape: [2, 3],
      strides: [1, 2],
      bigEndian: true,
    });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["no array", new TextEncoder().encode("only some text"), /"x\.npy": is not a numpy array/],
    ["nothing", new Uint8Array(0), /is not a numpy array/],
    ["an unknown version", array(good, 8, 9), /npy version 9/],
    ["a header past the end", header(good).subarray(0, 40), /ends inside its header/],
    ["a huge header", Uint8Array.of(...header(good).subarray(0, 8), 0xff, 0xff, 0, 0), /a header of 65535 bytes/],
    ["code", array("__import__('os').system('x')"), /its header .* is not \{'descr'/],
    ["a missing field", array("{'descr': '<f4', 'shape': (2,)}", 8), /its header/],
    ["a field twice", array(`{'descr': '<f4', 'descr': '|O', ${good.slice(1)}`, 8), /its header/],
    ["a structure", array(good.replace("'<f4'", "[('a', '<f4')]"), 8), /dtype/],
    ["a bad shape", array(good.replace("(2,)", "(-2,)"), 8), /shape "\(-2,\)"/],
    ["more data than there is", array(good.replace("(2,)", "(3,)"), 8), /needs 12 bytes, but 8 are there/],
    ["a huge shape", array(good.replace("(2,)", "(99999999, 99999999)"), 8), /bytes, but 8 are there/],
    ["a shape beyond numbers", array(good.replace("(2,)", `(${"9".repeat(400)},)`), 8), /shape/],
  ])("%s", async (_, bytes, message) => refuses(zipSource("a.npz", { "x.npy": bytes }), message));
});
