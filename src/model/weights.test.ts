import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { LocatedTensor, TensorEntry } from "../formats/tensor-file.js";
import { parseConfig } from "./config.js";
import { loadWeights, weightShapes } from "./weights.js";

const golden = new URL("../../test/goldens/checkpoint/model/config.json", import.meta.url);
/** A tiny llama with so many words that its weights stay in their file. */
const config = parseConfig({ ...JSON.parse(readFileSync(golden, "utf8")), vocab_size: 2_000_000 }, "config.json");

it("maps what lies in a file as arrays do, and converts the rest once", async () => {
  let at = 4096;
  let read = 0;
  const source = {
    name: "pytorch_model.bin",
    size: 2 ** 40,
    realPath: "/models/pytorch_model.bin",
    read: async (_: number, length: number) => {
      read += length;
      return new Uint8Array(length);
    },
  };
  const located = new Map<string, LocatedTensor>();
  for (const [name, { shape, required }] of weightShapes(config)) {
    if (!required) continue;
    const begin = at;
    at += 2 * shape.reduce((a, b) => a * b, 1);
    located.set(name, { source, entry: { name, dtype: "BF16", shape, begin, end: at } });
  }
  const change = (name: string, fields: Partial<TensorEntry>) =>
    located.set(name, { source, entry: { ...located.get(name)!.entry, ...fields } });
  const turned = "model.layers.0.self_attn.k_proj.weight"; // [8, 16]
  change(turned, { strides: [1, 8] });
  const swapped = "model.layers.1.self_attn.k_proj.weight";
  change(swapped, { bigEndian: true });

  const store = await loadWeights(config, located, "m");
  for (const [name, { entry }] of located) {
    const { dtype, values } = store.get(name)!;
    if (name === turned || name === swapped) {
      expect(dtype).toBe("float32");
      expect(values).toMatchObject({ bytes: { length: 8 * 16 * 4 } });
    } else {
      expect(dtype).toBe("bfloat16");
      expect(values).toEqual({ file: source.realPath, offset: entry.begin, length: entry.end - entry.begin });
    }
  }
  expect(read).toBe(2 * (8 * 16 * 2));
});

it("leaves out biases that config.json does not ask for, as transformers does", async () => {
  const named = new Map<string, LocatedTensor>();
  for (const [name, { shape }] of weightShapes(config)) {
    const end = 2 * shape.reduce((a, b) => a * b, 1);
    const source = {
      name: "m",
      size: end,
      realPath: "/m",
      read: async (_: number, length: number) => new Uint8Array(length),
    };
    named.set(name, { source, entry: { name, dtype: "BF16", shape, begin: 0, end } });
  }
  const biases = async (asked: readonly string[]) =>
    [...(await loadWeights({ ...config, biases: asked }, named, "m")).keys()].filter((name) => name.endsWith(".bias"));
  expect(await biases([])).toEqual([]);
  expect(await biases(["mlp.up_proj"])).toEqual([0, 1, 2].map((layer) => `model.layers.${layer}.mlp.up_proj.bias`));
});
