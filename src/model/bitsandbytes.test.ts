import { expect, it } from "vitest";
import { memorySource } from "../formats/memory-source.js";
import { readSafetensorsHeader, type TensorToWrite, writeSafetensors } from "../formats/safetensors.js";
import { isFourBit, readFourBit } from "./bitsandbytes.js";
import { NF4_LEVELS } from "./nf4.js";

const state = (change: object = {}) =>
  new TextEncoder().encode(
    JSON.stringify({ quant_type: "nf4", blocksize: 64, dtype: "float32", shape: [2, 64], ...change }),
  );
const bytes = (name: string, data: Uint8Array, ...shape: number[]): TensorToWrite => ({
  name,
  dtype: "U8",
  shape,
  data,
});
const floats = (name: string, data: Float32Array): TensorToWrite => ({
  name,
  dtype: "F32",
  shape: [data.length],
  data,
});

/** A 2 × 64 matrix in four bits, with parts of its own in place of the right ones; null leaves one out. */
async function read(change: Record<string, TensorToWrite | null> = {}) {
  const parts: Record<string, TensorToWrite | null> = {
    codes: bytes("w", new Uint8Array(64), 64, 1),
    absmax: floats("w.absmax", Float32Array.of(1, 2)),
    map: floats("w.quant_map", NF4_LEVELS),
    state: bytes("w.quant_state.bitsandbytes__nf4", state(), state().length),
    ...change,
  };
  const source = memorySource(
    "model.safetensors",
    writeSafetensors(Object.values(parts).filter((part) => part !== null)),
  );
  const { tensors } = await readSafetensorsHeader(source);
  return readFourBit(new Map([...tensors].map(([name, entry]) => [name, { source, entry }])), "w", [2, 64], false);
}

it("reads codes and magnitudes", async () => {
  expect(await read()).toMatchObject({ dtype: "nf4", shape: [2, 64], blocks: { scales: Float32Array.of(1, 2) } });
  expect(await read({ state: null })).toBeNull();
});

it.each<[string, Record<string, TensorToWrite | null>, RegExp]>([
  ["no magnitudes", { absmax: null }, /w: absmax is missing/],
  ["too few magnitudes", { absmax: floats("w.absmax", Float32Array.of(1)) }, /has 1 entries, not 2/],
  ["8-bit magnitudes alone", { absmax: bytes("w.absmax", new Uint8Array(2), 2) }, /no nested_blocksize/],
  ["too few codes", { codes: bytes("w", new Uint8Array(60), 60, 1) }, /60 bytes for 128 codes/],
  ["other levels", { map: floats("w.quant_map", new Float32Array(16)) }, /other levels than nf4/],
  [
    "a broken state",
    { state: bytes("w.quant_state.bitsandbytes__nf4", Uint8Array.of(123), 1) },
    /quant_state is no JSON/,
  ],
  [
    "another shape",
    { state: bytes("w.quant_state.bitsandbytes__nf4", state({ shape: [4, 32] }), state({ shape: [4, 32] }).length) },
    /has shape \[4, 32\]; config\.json asks for \[2, 64\]/,
  ],
  ["fp4", { state: bytes("w.quant_state.bitsandbytes__fp4", state(), state().length) }, /its values are fp4/],
])("refuses %s", async (_, change, message) => {
  await expect(read(change)).rejects.toThrow(message);
});

it("knows nf4 from the other kinds by config.json", () => {
  const nf4 = { quant_method: "bitsandbytes", load_in_4bit: true, bnb_4bit_quant_type: "nf4" };
  expect(isFourBit(nf4)).toBe(true);
  expect(isFourBit({ ...nf4, bnb_4bit_quant_type: "fp4" })).toBe(false);
  expect(isFourBit({ quant_method: "bitsandbytes", load_in_8bit: true })).toBe(false);
  expect(isFourBit({ quant_method: "gptq", bits: 4 })).toBe(false);
});
