import { expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { memorySource } from "../formats/memory-source.js";
import { readAdapterConfig, scaleOf } from "./adapter-config.js";

const read = (alphaPattern: Record<string, number>) =>
  readAdapterConfig(
    memorySource(
      "adapter_config.json",
      new TextEncoder().encode(JSON.stringify({ peft_type: "LORA", r: 4, lora_alpha: 4, alpha_pattern: alphaPattern })),
    ),
  );

it("matches a pattern that lists the layers of a large model", async () => {
  const layers = Array.from({ length: 64 }, (_, i) => i).join("|");
  const modules = "self_attn.q_proj|self_attn.k_proj|self_attn.v_proj|self_attn.o_proj|mlp.down_proj";
  const config = await read({ [`model.layers.(${layers}).(${modules})`]: 32 });
  expect(scaleOf(config, "model.layers.63.mlp.down_proj", 4)).toBe(8);
  expect(scaleOf(config, "model.layers.64.mlp.down_proj", 4)).toBe(1);
});

it.each([
  ["a named group", "(?P<layer>q_proj)"],
  ["a flag", "(?i)Q_PROJ"],
  ["Python's end of the text", "q_proj\\Z"],
  ["a group without an end", "(q_proj"],
  ["thousands of characters", "q".repeat(5000)],
])("refuses a pattern that it cannot read: %s", async (_, pattern) => {
  const refused = expect(read({ [pattern]: 32 })).rejects;
  await refused.toThrow(InputError);
  await refused.toThrow(/pattern .* cannot be read; write module names/);
});
