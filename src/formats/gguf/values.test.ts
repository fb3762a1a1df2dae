/** Dequantised values against the `gguf` package, bit for bit; test/goldens/gguf_goldens.py wrote both files. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { memorySource } from "../memory-source.js";
import { readSafetensorsHeader, readTensorF32 } from "../safetensors.js";
import { readGguf } from "./gguf-file.js";
import { readRows, readRowsF32, rowsOf } from "./values.js";

const golden = (file: string) =>
  new Uint8Array(readFileSync(new URL(`../../../test/goldens/gguf/${file}`, import.meta.url)));
const { tensors } = await readGguf([memorySource("types.gguf", golden("types.gguf"))]);
const expected = memorySource("types.safetensors", golden("types.safetensors"));
const { tensors: wanted } = await readSafetensorsHeader(expected);

const bits = (values: Float32Array) => [...new Uint32Array(values.buffer, values.byteOffset, values.length)];

it("knows as many types as the goldens have", () =>
  expect([...tensors.keys()].sort()).toEqual([...wanted.keys()].sort()));

it.each([...tensors.keys()])("%s: the bits that the gguf package makes of it", async (name) => {
  const tensor = tensors.get(name)!;
  const want = await readTensorF32(expected, wanted.get(name)!);
  expect(tensor.shape).toEqual(wanted.get(name)!.shape);
  expect(bits(await readRowsF32(tensor, 0, rowsOf(tensor)))).toEqual(bits(want));
});

it("reads a range of rows as it reads them all", async () => {
  const tensor = tensors.get("Q5_K")!;
  const want = await readTensorF32(expected, wanted.get("Q5_K")!);
  expect(bits(await readRowsF32(tensor, 1, 1))).toEqual(bits(want.subarray(want.length / 2)));
  expect((await readRows(tensor, 1, 1)).length).toBe(tensor.bytes / 2);
});
