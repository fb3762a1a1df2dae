import { expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { parseConfig } from "./config.js";
import { ropeTables } from "./rope.js";

const geometry = {
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 8,
  num_attention_heads: 4,
  vocab_size: 100,
  max_position_embeddings: 32,
};

it("reads a Gemma 3 config as the first checkpoints had it: old names, and defaults left out", () => {
  const text = {
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 8,
    sliding_window: 16,
    model_type: "gemma3_text",
  };
  const config = parseConfig(
    {
      model_type: "gemma3",
      eos_token_id: [1, 106],
      text_config: { ...text, sliding_window_pattern: 4, rope_scaling: { rope_type: "linear", factor: 8 } },
      vision_config: {},
    },
    "config.json",
  );
  // Gemma3TextConfig's own defaults: 8 heads of 256, 4 of keys and values, vocabulary 262,208, bases 1e6 and 1e4.
  expect(config).toMatchObject({
    heads: 8,
    kvHeads: 4,
    headDim: 256,
    vocabulary: 262_208,
    tied: true,
    endIds: [1, 106],
  });
  expect(config.windows).toEqual([16, 16, 16, null, 16, 16, 16, null]);
  expect(config.layerRopes).toEqual([1, 1, 1, 0, 1, 1, 1, 0]);
  expect(config.ropes.map(({ theta }) => theta)).toEqual([1e6, 1e4]);
  expect(config.ropes.map(({ frequencies }) => frequencies[0])).toEqual([1 / 8, 1]); // θ⁰, global layers by 8
});

it("refuses sequences beyond the length at which a rope changes its frequencies", () => {
  const rope = (parameters: object) =>
    parseConfig({ ...geometry, model_type: "llama", rope_parameters: parameters }, "config.json").ropes[0]!;
  const dynamic = rope({ rope_type: "dynamic", factor: 2 });
  expect(ropeTables(dynamic, Int32Array.of(0, 31)).cos).toHaveLength(16);
  expect(() => ropeTables(dynamic, Int32Array.of(32))).toThrow(InputError);
  const longrope = rope({
    rope_type: "longrope",
    original_max_position_embeddings: 8,
    short_factor: [1, 1, 1, 1, 1, 1, 1, 2],
  });
  expect(longrope.amplitude).toBeCloseTo(Math.sqrt(1 + Math.log(4) / Math.log(8)), 12); // 32 / 8 = 4
  expect(() => ropeTables(longrope, Int32Array.of(8))).toThrow(/more than 8 tokens.*longrope/);
});

it("takes the original context from beside the rope's parameters before the one among them", () => {
  const yarn = { rope_type: "yarn", rope_theta: 1e4, factor: 4 };
  const read = (inside: object, beside: object) =>
    parseConfig({ ...geometry, ...beside, model_type: "llama", rope_parameters: { ...yarn, ...inside } }, "config.json")
      .ropes[0]!.frequencies;
  const original = { original_max_position_embeddings: 1024 };
  // LlamaConfig's standardize_rope_params: hasattr(self, "original_max_position_embeddings") overwrites.
  expect(read({}, original)).toEqual(read(original, {}));
  expect(read({ original_max_position_embeddings: 16 }, original)).toEqual(read(original, {}));
  expect(read({}, original)).not.toEqual(read({}, {}));
});

it("passes over a rope_scaling that is empty", () => {
  const rope = { rope_scaling: {}, rope_parameters: { rope_type: "linear", rope_theta: 3e5, factor: 2 } };
  const config = parseConfig({ ...geometry, ...rope, model_type: "llama" }, "config.json");
  expect(config.ropes[0]).toMatchObject({ theta: 3e5 });
  expect(config.ropes[0]!.frequencies[0]).toBe(1 / 2);
});

it("says which families it knows", () => {
  expect(() => parseConfig({ ...geometry, model_type: "mamba" }, "config.json")).toThrow(
    /"mamba" is not supported; supported: llama, mistral, qwen2, qwen3, phi3, olmo2, smollm3, gemma2, gemma3_text, gemma3$/,
  );
});
