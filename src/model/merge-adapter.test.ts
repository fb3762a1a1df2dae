import { expect, it } from "vitest";
import { mergeAdapter } from "./merge-adapter.js";
import { inMemory, type StoredLowRank, type StoredWeight } from "./weights.js";

const module = "model.layers.0.mlp.up_proj";
const weight = inMemory(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]);
const change: StoredLowRank = {
  a: inMemory(Float32Array.of(1, -1), [1, 2]),
  b: inMemory(Float32Array.of(1, 0, 10), [3, 1]),
  scale: 2,
};

function merge(weight: StoredWeight, change: StoredLowRank, name = module) {
  return mergeAdapter({ weights: new Map([[`${name}.weight`, weight]]), adapter: new Map([[name, change]]) });
}

it("adds scale · B A to the weight and leaves what it was given alone", () => {
  const { weights, adapter } = merge(weight, change);
  expect(adapter.size).toBe(0);
  const { bytes } = weights.get(`${module}.weight`)!.values as { bytes: Uint8Array };
  expect([...new Float32Array(bytes.buffer, bytes.byteOffset)]).toEqual([3, 0, 3, 4, 25, -14]);
  expect(new Float32Array((weight.values as { bytes: Uint8Array }).bytes.buffer)[0]).toBe(1);
});

it.each([
  ["a mapped weight", { ...weight, values: { file: "/f", offset: 0, length: 24 } }, change, module],
  ["a half-precision weight", { ...weight, dtype: "bfloat16" as const }, change, module],
  ["a bias", weight, { ...change, bias: inMemory(new Float32Array(3), [3]) }, module],
  ["DoRA", weight, { ...change, magnitude: inMemory(new Float32Array(3), [3]) }, module],
  ["the embedding", weight, change, "model.embed_tokens"],
])("leaves the change of %s beside it", (_, given, pair, name) => {
  const { weights, adapter } = merge(given, pair, name);
  expect(adapter.get(name)).toBe(pair);
  expect(weights.get(`${name}.weight`)).toBe(given);
});
