import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { InputError } from "./input-error.js";
import { memoryFolder } from "./memory-source.js";
import { readTensorF32, writeSafetensors } from "./safetensors.js";
import { ADAPTER_WEIGHTS, CHECKPOINT_WEIGHTS, openWeightFiles } from "./weight-files.js";

/** Written by torch; test/goldens/containers.py. */
const golden = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../test/goldens/containers/${name}`, import.meta.url)));

describe("weights of a folder", () => {
  const shard = (name: string, value: number) =>
    writeSafetensors([{ name, dtype: "F32", shape: [1], data: Float32Array.of(value) }]);
  const index = (map: unknown) => JSON.stringify({ metadata: { total_size: 8 }, weight_map: map });
  const whole = {
    "model-1.safetensors": shard("a", 1),
    "model-2.safetensors": shard("b", 2),
    "model.safetensors.index.json": index({ a: "model-1.safetensors", b: "model-2.safetensors" }),
  };

  it("finds each tensor in its shard", async () => {
    const tensors = await openWeightFiles(memoryFolder("m", whole), CHECKPOINT_WEIGHTS);
    const b = tensors.get("b");
    expect([...tensors.keys()].sort()).toEqual(["a", "b"]);
    expect(b && (await readTensorF32(b.source, b.entry))[0]).toBe(2);
  });

  it("opens a single file, of a checkpoint and of an adapter", async () => {
    expect(
      (await openWeightFiles(memoryFolder("m", { "model.safetensors": shard("x", 1) }), CHECKPOINT_WEIGHTS)).has("x"),
    ).toBe(true);
    const adapter = memoryFolder("m", { "adapter_model.safetensors": shard("y", 1) });
    expect((await openWeightFiles(adapter, ADAPTER_WEIGHTS)).has("y")).toBe(true);
  });

  it("opens what torch saved where there is no safetensors file, in shards too", async () => {
    const bin = golden("views.pt");
    const single = { "pytorch_model.bin": bin };
    expect((await openWeightFiles(memoryFolder("m", single), CHECKPOINT_WEIGHTS)).has("transposed")).toBe(true);
    expect((await openWeightFiles(memoryFolder("m", { ...single, ...whole }), CHECKPOINT_WEIGHTS)).has("b")).toBe(true);
    const sharded = {
      "pytorch_model.bin.index.json": index({ transposed: "one.bin", bf16: "two.bin" }),
      "one.bin": bin,
      "two.bin": golden("legacy.pt"),
    };
    const tensors = await openWeightFiles(memoryFolder("m", sharded), CHECKPOINT_WEIGHTS);
    expect([...tensors.keys()].sort()).toEqual(["bf16", "transposed"]);
    const adapter = memoryFolder("a", { "adapter_model.bin": bin });
    expect((await openWeightFiles(adapter, ADAPTER_WEIGHTS)).has("transposed")).toBe(true);
  });

  it.each<[string, Record<string, Uint8Array | string>, RegExp]>([
    ["an empty folder", {}, /no weights here; expected model\.safetensors or pytorch_model\.bin, or the index/],
    [
      "a missing shard",
      { ...whole, "model-2.safetensors": undefined as never },
      /shard "model-2\.safetensors".*missing/,
    ],
    ["a tensor missing from its shard", { ...whole, "model-2.safetensors": shard("c", 2) }, /"b" should be here/],
    [
      "a shard outside the folder",
      { ...whole, "model.safetensors.index.json": index({ a: "../x.safetensors" }) },
      /same folder/,
    ],
    ["an absolute shard", { ...whole, "model.safetensors.index.json": index({ a: "/etc/passwd" }) }, /same folder/],
    ["an index without a map", { ...whole, "model.safetensors.index.json": "{}" }, /needs "weight_map"/],
    ["an empty map", { ...whole, "model.safetensors.index.json": index({}) }, /is empty/],
    ["an index that is not JSON", { ...whole, "model.safetensors.index.json": "{" }, /not valid JSON/],
  ])("refuses %s", async (_, files, message) => {
    const present = Object.fromEntries(Object.entries(files).filter(([, data]) => data !== undefined));
    const error = await openWeightFiles(memoryFolder("m", present), CHECKPOINT_WEIGHTS).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
  });
});
