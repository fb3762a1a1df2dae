import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { memorySource } from "../formats/memory-source.js";
import type { LocatedTensor } from "../formats/tensor-file.js";
import { parseConfig } from "./config.js";
import { withOwnHead } from "./own-head.js";
import { namedTensors } from "./weight-names.js";

const golden = new URL("../../test/goldens/checkpoint/model/config.json", import.meta.url);
const tied = parseConfig({ ...JSON.parse(readFileSync(golden, "utf8")), tie_word_embeddings: true }, "config.json");

/** A tensor of one row in a file of its own. */
function tensor(dtype: "F32" | "BF16", ...values: number[]): LocatedTensor {
  const bytes =
    dtype === "F32"
      ? new Uint8Array(Float32Array.from(values).buffer)
      : new Uint8Array(Uint16Array.from(values).buffer);
  const entry = { name: "", dtype, shape: [1, values.length], begin: 0, end: bytes.length };
  return { source: memorySource("model.safetensors", bytes), entry };
}

it("unties a head that the checkpoint has besides its embedding, when the two differ", async () => {
  const isTied = async (head?: LocatedTensor, embedding = tensor("F32", 1, -2)) => {
    const tensors = new Map([["model.embed_tokens.weight", embedding]]);
    if (head) tensors.set("lm_head.weight", head);
    return (await withOwnHead(tied, tensors)).tied;
  };
  expect(await isTied()).toBe(true);
  expect(await isTied(tensor("F32", 1, -2))).toBe(true);
  expect(await isTied(tensor("BF16", 0x3f80, 0xc000))).toBe(true); // the same values
  expect(await isTied(tensor("F32", 1, -2.5))).toBe(false);
  expect(await isTied(tensor("F32", 1, -2, 0))).toBe(false);
});

it("knows the tensors of a model that was saved without its head", () => {
  const names = (...given: string[]) => [...namedTensors(tied, new Map(given.map((name) => [name, 0]))).keys()];
  expect(names("embed_tokens.weight", "norm.weight")).toEqual(["model.embed_tokens.weight", "model.norm.weight"]);
  expect(names("model.norm.weight", "lm_head.weight")).toEqual(["model.norm.weight", "lm_head.weight"]);
});
