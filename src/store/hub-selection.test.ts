/** Repositories as they are laid out on the hub, and what of them a command needs. */
import { describe, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { requireHubReference } from "./hub-reference.js";
import { globExpression, type HubKind, selectByPattern, selectFiles } from "./hub-selection.js";

const listing = (paths: readonly string[]) => paths.map((path) => ({ path, size: 1, blobId: "" }));

async function chosen(paths: readonly string[], name: string, kind?: HubKind, index = ""): Promise<string[]> {
  const { files } = await selectFiles(listing(paths), requireHubReference(name), kind, async () => index);
  return files.map(({ path }) => path).sort();
}
async function refusal(paths: readonly string[], name: string, kind?: HubKind, index?: string): Promise<string> {
  const error = await chosen(paths, name, kind, index).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  return (error as Error).message;
}

describe("a model", () => {
  /** As meta-llama's: sharded, with the original weights in a folder. */
  const LLAMA = [
    "LICENSE",
    "README.md",
    "config.json",
    "generation_config.json",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
    "original/consolidated.00.pth",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
  ];
  const INDEX = JSON.stringify({
    weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" },
  });

  it("is config, tokenizer and the shards that its index names", async () => {
    const rest = ["LICENSE", "README.md", "original/consolidated.00.pth"];
    expect(await chosen(LLAMA, "o/n", undefined, INDEX)).toEqual(LLAMA.filter((path) => !rest.includes(path)));
  });

  it("is not its weights a second time", async () => {
    const mistral = [
      "config.json",
      "consolidated.safetensors",
      "model.safetensors",
      "pytorch_model.bin",
      "tf_model.h5",
    ];
    expect(await chosen(mistral, "o/n")).toEqual(["config.json", "model.safetensors"]);
    expect(await chosen(["config.json", "pytorch_model.bin", "modeling_x.py"], "o/n")).toEqual([
      "config.json",
      "pytorch_model.bin",
    ]);
  });

  it("may lie in a folder of the repository", async () => {
    const paths = ["config.json", "step-10/config.json", "step-10/model.safetensors", "step-20/model.safetensors"];
    expect(await chosen(paths, "o/n/step-10", "model")).toEqual(["step-10/config.json", "step-10/model.safetensors"]);
  });

  it("is one GGUF file, all of its parts, or a choice that the user has to make", async () => {
    const split = ["x-00001-of-00002.gguf", "x-00002-of-00002.gguf"];
    expect(await chosen(["README.md", "x.gguf"], "o/n")).toEqual(["x.gguf"]);
    expect(await chosen(split, "o/n", "model")).toEqual(split);
    expect(await chosen([...split, "y.gguf"], "o/n/x-00002-of-00002.gguf", "model")).toEqual(split);
    expect(await refusal(["x.Q4_K_M.gguf", "x.Q8_0.gguf"], "o/n", "model")).toBe(
      'o/n: holds 2 GGUF models; name one after the repository: "x.Q4_K_M.gguf", "x.Q8_0.gguf"',
    );
  });

  it("is refused where something is missing, with what would be right", async () => {
    expect(await refusal(["README.md"], "o/n", "model")).toMatch(/^o\/n: holds no model: no model\.safetensors/);
    expect(await refusal(["model.safetensors"], "o/n", "model")).toMatch(/no config\.json/);
    expect(await refusal(["a/config.json", "a/model.safetensors"], "o/n", "model")).toMatch(
      /name one of its folders after it: "a"/,
    );
    expect(await refusal(["config.json"], "o/n/x", "model")).toBe(
      'o/n/x: the repository has no such file or folder; it has "config.json"',
    );
    const gone = ["config.json", "model.safetensors.index.json"];
    expect(await refusal(gone, "o/n", "model", INDEX)).toMatch(
      /names the shard "model-00001-of-00002\.safetensors", which/,
    );
    expect(await refusal(gone, "o/n", "model", '{"weight_map": {"a": "../../x"}}')).toMatch(
      /names the shard "\.\.\/\.\.\/x"/,
    );
    expect(await refusal(gone, "o/n", "model", "<html>")).toMatch(/is no index of weights/);
  });
});

describe("an adapter", () => {
  it("is its config and its weights, without checkpoints of its training", async () => {
    const paths = [
      "README.md",
      "adapter_config.json",
      "adapter_model.safetensors",
      "checkpoint-10/adapter_config.json",
      "checkpoint-10/adapter_model.safetensors",
      "tokenizer.json",
    ];
    expect(await chosen(paths, "o/n")).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
    expect(await chosen(paths, "o/n/checkpoint-10", "adapter")).toEqual([
      "checkpoint-10/adapter_config.json",
      "checkpoint-10/adapter_model.safetensors",
    ]);
  });

  it("is refused where there is none, with the folders that have one", async () => {
    expect(await refusal(["a/adapter_config.json"], "o/n", "adapter")).toBe(
      'o/n: is no PEFT adapter: it has no adapter_config.json; name one of its folders after it: "a"',
    );
    expect(await refusal(["adapter_config.json"], "o/n", "adapter")).toMatch(/no adapter_model\.safetensors or/);
  });
});

describe("an SAE", () => {
  it.each([
    // Llama Scope, whose repository has a folder a layer; the official library prefers the pruned weights.
    ["L1R", ["L1R/checkpoints/final.safetensors", "L1R/hyperparams.json", "L1R/lm_config.json"], []],
    ["L1R", ["L1R/checkpoints/pruned.safetensors", "L1R/hyperparams.json"], ["L1R/checkpoints/final.safetensors"]],
    // SAELens.
    [
      "b.8",
      ["b.8/cfg.json", "b.8/sae_weights.safetensors", "b.8/sparsity.safetensors"],
      ["b.9/sae_weights.safetensors"],
    ],
    // Gemma Scope.
    [
      "layer_1/width_16k/average_l0_71",
      ["layer_1/width_16k/average_l0_71/params.npz"],
      ["layer_1/width_16k/average_l0_9/params.npz"],
    ],
    // dictionary_learning.
    ["trainer_1", ["trainer_1/ae.pt", "trainer_1/config.json"], ["trainer_1/README.md"]],
  ])("%s is its weights and settings", async (folder, wanted, rest) => {
    expect(await chosen([...rest, ...wanted], `o/n/${folder}`, "sae")).toEqual([...wanted].sort());
  });

  it("may be one file among many", async () => {
    const paths = ["config.json", "layer0.sae.pt", "layer1.sae.pt"];
    expect(await chosen(paths, "o/n/layer1.sae.pt", "sae")).toEqual(["config.json", "layer1.sae.pt"]);
    expect(await refusal(paths, "o/n", "sae")).toMatch(
      /holds 2 files of weights; name one after it: "layer0\.sae\.pt"/,
    );
  });

  it("is not all of a repository's", async () => {
    const paths = Array.from({ length: 32 }, (_, i) => `L${i}R/checkpoints/final.safetensors`);
    expect(await refusal(paths, "o/n", "sae")).toMatch(
      /holds no SAE; name one of its folders after it: "L0R", .* and 26 more$/,
    );
  });
});

it("patterns are those of huggingface_hub", () => {
  const all = listing(["a.json", "b/c.json", "b/d.txt", "[x].json"]);
  const matching = (...patterns: string[]) => selectByPattern(all, patterns, "o/n").files.map(({ path }) => path);
  expect(matching("*.json")).toEqual(["a.json", "b/c.json", "[x].json"]);
  expect(matching("b/")).toEqual(["b/c.json", "b/d.txt"]);
  expect(matching("?.json")).toEqual(["a.json"]);
  expect(matching("b/[c-d].*", "a.json")).toEqual(["b/c.json", "b/d.txt", "a.json"]);
  expect(matching("b/[!c]*")).toEqual(["b/d.txt"]);
  expect(matching("[[]x].json")).toEqual(["[x].json"]);
  expect(() => matching("A.json")).toThrow(/no file matches "A.json"/);
  expect(() => matching("[z-a]")).toThrow(/is no pattern/);
  expect(globExpression("a.b+(c)|d^$").test("a.b+(c)|d^$")).toBe(true);
});
