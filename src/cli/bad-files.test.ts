/** Damaged and hostile checkpoints, tokenizers, templates and SAEs: refused as all wrong input is (bad-input.test.ts). */
import { mkdirSync, readFileSync, renameSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { action, copyOf, editJson, prompts, refuses, root, score } from "./bad-input.testing.js";
import { antecedent, golden } from "./program.testing.js";

describe("weights", () => {
  it.concurrent("missing file", async () => {
    const model = copyOf("model", (path) => unlinkSync(path("model.safetensors")));
    await refuses(score(model), /safetensors/);
  });

  it.concurrent.each([4, 100, 30_000])("cut short to %i bytes", async (length) => {
    const model = copyOf("model", (path) => truncateSync(path("model.safetensors"), length));
    await refuses(score(model), /model\.safetensors: /);
  });

  it.concurrent("corrupt header", async () => {
    const model = copyOf("model", (path) => {
      const bytes = readFileSync(path("model.safetensors"));
      bytes.fill(0xff, 20, 60);
      writeFileSync(path("model.safetensors"), bytes);
    });
    await refuses(score(model), /model\.safetensors: /);
  });

  it.concurrent("shapes that config.json does not have", async () => {
    const model = copyOf("model", (path) => editJson(path("config.json"), { intermediate_size: 48 }));
    await refuses(score(model), /has shape \[32, 16\]; config\.json asks for \[48, 16\]/);
  });

  it.concurrent("an unsupported family", async () => {
    const model = copyOf("model", (path) => editJson(path("config.json"), { model_type: "mamba" }));
    await refuses(score(model), /model_type "mamba" is not supported; supported: .*llama/);
  });

  it.concurrent("a repeated name in the header", async () => {
    const model = copyOf("model", (path) => {
      const bytes = readFileSync(path("model.safetensors"));
      const length = Number(bytes.readBigUInt64LE());
      const header = bytes.toString("utf8", 8, 8 + length).trimEnd();
      const [entry] = /"model\.norm\.weight":\s*\{[^}]*\}/.exec(header) ?? [];
      const text = Buffer.from(`${header.slice(0, -1)},${entry}}`);
      const size = Buffer.alloc(8);
      size.writeBigUInt64LE(BigInt(text.length));
      writeFileSync(path("model.safetensors"), Buffer.concat([size, text, bytes.subarray(8 + length)]));
    });
    await refuses(score(model), /"model\.norm\.weight" is there twice/);
  });

  it.concurrent("values that are not numbers", async () => {
    const model = copyOf("model", (path) => {
      const bytes = readFileSync(path("model.safetensors"));
      bytes.fill(0xff, bytes.length - 4);
      writeFileSync(path("model.safetensors"), bytes);
    });
    await refuses(score(model), /holds NaN at element \d+; weights must be finite/);
  });

  it.concurrent.each<[object, RegExp]>([
    [{ model_type: "constructor" }, /model_type "constructor" is not supported/],
    [{ model_type: "__proto__" }, /model_type "__proto__" is not supported/],
    [{ num_attention_heads: 0 }, /num_attention_heads/],
    [{ num_hidden_layers: 1e9 }, /num_hidden_layers/],
    [{ vocab_size: -5 }, /vocab_size/],
    [{ rms_norm_eps: 1e300 }, /rms_norm_eps/],
    [{ attention_bias: true }, /no tensor model\.layers\.0\.self_attn\.q_proj\.bias/],
    [{ rope_parameters: { rope_type: "proportional" } }, /rope type "proportional" is not supported/],
    [{ rope_parameters: { rope_type: "yarn" } }, /yarn rope needs factor/],
    [{ rope_parameters: { rope_type: "linear" } }, /linear rope needs factor/],
    [{ rope_parameters: { rope_type: "longrope", short_factor: [1] } }, /longrope needs short_factor, one divisor/],
    [{ rope_parameters: { full_attention: { rope_type: "default" } } }, /by kind of layer are not supported/],
    [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor 0\.5 is not supported/],
    [{ model_type: "gemma3" }, /no text_config/],
    [{ model_type: "smollm3", no_rope_layers: [1] }, /no_rope_layers has 1 entries/],
    [{ model_type: "mistral", layer_types: ["full_attention"] }, /layer_types has 1 entries/],
    [{ model_type: "mistral", layer_types: ["a", "b", "c"] }, /layer type "a" is not supported/],
  ])("config.json with %j", async (change, message) => {
    await refuses(score(copyOf("model", (path) => editJson(path("config.json"), change))), message);
  });

  it.concurrent.each<[object, RegExp]>([
    [{ use_dora: true }, /has no lora_magnitude_vector; adapter_config\.json says use_dora true/],
    [{ use_dora: true, lora_bias: true }, /use_dora with lora_bias is not supported/],
    [{ peft_type: "IA3" }, /peft_type "IA3" is not supported/],
    [{ peft_type: "LOHA" }, /peft_type "LOHA" is not supported/],
    [{ peft_type: "OFT", r: 0 }, /peft_type "OFT" is not supported; supported: LoRA/],
    [{ init_lora_weights: "pissa_niter_4" }, /init_lora_weights "pissa_niter_4", which changes the base/],
    [{ r: 5 }, /has rank 2; adapter_config\.json says 5/],
    [{ rank_pattern: { q_proj: 7 } }, /has rank 2; adapter_config\.json says 7/],
    [{ alpha_pattern: { "(([a-z._0-9]+)+)+X": 4 } }, /is too involved/],
  ])("adapter_config.json with %j", async (change, message) => {
    const adapter = copyOf("adapter", (path) => editJson(path("adapter_config.json"), change));
    await refuses([...score(golden("model")), "--adapter", adapter], message);
  });

  it.concurrent("a folder of adapters that have names", async () => {
    const outer = copyOf("adapter", (path) => {
      mkdirSync(path("poison"));
      for (const file of ["adapter_config.json", "adapter_model.safetensors"])
        renameSync(path(file), path(`poison/${file}`));
    });
    await refuses([...score(golden("model")), "--adapter", outer], /no adapter_config\.json; .*in it: "poison"$/m);
  });

  it.concurrent("an adapter of another model", async () => {
    const adapter = copyOf("adapter", (path) => {
      const bytes = readFileSync(path("adapter_model.safetensors"), "latin1");
      writeFileSync(path("adapter_model.safetensors"), bytes.replaceAll("layers.2", "layers.7"), "latin1");
    });
    await refuses([...score(golden("model")), "--adapter", adapter], /layers\.7.*3 layers/);
  });
});

describe("tokenizer and template", () => {
  it.concurrent("no tokenizer.json", async () => {
    const model = copyOf("model", (path) => unlinkSync(path("tokenizer.json")));
    await refuses(score(model), /tokenizer\.json is missing/);
  });

  it.concurrent("a tokenizer.json that is none", async () => {
    const model = copyOf("model", (path) => writeFileSync(path("tokenizer.json"), '{"model": 3}'));
    await refuses(score(model), /tokenizer\.json: model/);
  });

  it.concurrent("no chat template, which --raw does without", async () => {
    const model = copyOf("model", (path) => unlinkSync(path("chat_template.jinja")));
    await refuses(score(model), /no chat template.*--raw/);
    expect((await antecedent([...score(model), "--raw"])).code).toBe(0);
  });

  it.concurrent("a template that does not parse", async () => {
    const model = copyOf("model", (path) => writeFileSync(path("chat_template.jinja"), "{% for m in %}"));
    await refuses(score(model), /chat_template\.jinja: the chat template cannot be parsed/);
  });

  it.concurrent.each([
    ["{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", /takes longer than/],
    ["{{ range(10 ** 12) }}", /range\(\) of more than/],
    ["{{ ''.constructor.constructor('return process')().exit(7) }}", /failed on this conversation/],
  ])("a hostile template: %s", async (template, message) => {
    const model = copyOf("model", (path) => writeFileSync(path("chat_template.jinja"), template));
    await refuses(score(model), message);
  });

  it.concurrent.each<[object, RegExp]>([
    [{ normalizer: { type: "Sequence" } }, /normalizer: normalizers/],
    [{ pre_tokenizer: { type: "Sequence", pretokenizers: [1] } }, /pre_tokenizer\.pretokenizers\.0/],
    [{ pre_tokenizer: { type: "Split", behavior: "Isolated" } }, /pre_tokenizer: pattern: must be/],
    [{ pre_tokenizer: { type: "Split", pattern: { Regex: "([" }, behavior: "Isolated" } }, /pattern cannot be used/],
    [{ pre_tokenizer: { type: "Split", pattern: { Regex: "(\\w+\\s?)+!" }, behavior: "Isolated" } }, /take for ever/],
    [{ normalizer: { type: "Prepend", prepend: "x".repeat(1e6) } }, /normalizer: prepend: must have at most/],
    [{ normalizer: growing(3) }, /its normalizer makes a text more than 32 times as long/],
    [{ normalizer: nested(100) }, /more than 64 steps/],
    [{ decoder: { type: "Sequence", decoders: 5 } }, /decoder: decoders/],
    [{ post_processor: { type: "Sequence" } }, /post_processor: processors/],
  ])("tokenizer.json with %j", async (change, message) => {
    await refuses(score(copyOf("model", (path) => editJson(path("tokenizer.json"), change))), message);
  });

  it.concurrent("a tokenizer with more words than the model", async () => {
    const model = copyOf("model", (path) => {
      const tokenizer = JSON.parse(readFileSync(path("tokenizer.json"), "utf8"));
      tokenizer.added_tokens.push({
        id: 999,
        content: "basil",
        special: false,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
      });
      writeFileSync(path("tokenizer.json"), JSON.stringify(tokenizer));
    });
    await refuses(score(model), /token 999.*vocabulary has 320/);
  });
});

describe("SAE and layer", () => {
  const encode = ["encode", "--model", golden("model"), ...prompts];
  it.concurrent("a width that does not fit the model", () =>
    refuses([...encode, "--sae", golden("sae-of-another-width")], /width 24, but .* has width 16/));
  it.concurrent("no such SAE", () => refuses([...encode, "--sae", join(root, "none")], /no such SAE/));
  it.concurrent("a folder that is no SAE", () =>
    refuses([...encode, "--sae", golden("adapter")], /not an SAE in a known format/));
  it.concurrent("no SAE at all", () => refuses(encode, /needs an SAE.*--sae/));
  it.concurrent("weights cut short", async () => {
    const sae = copyOf("sae", (path) => truncateSync(path("sae_weights.safetensors"), 3000));
    await refuses([...encode, "--sae", sae], /sae_weights\.safetensors: /);
  });
  it.concurrent.each<[object, RegExp]>([
    [{ architecture: "constructor" }, /architecture "constructor" is not supported/],
    [{ normalize_activations: "toString" }, /normalize_activations "toString" is not supported/],
  ])("cfg.json with %j", async (change, message) => {
    await refuses([...encode, "--sae", copyOf("sae", (path) => editJson(path("cfg.json"), change))], message);
  });
  it.concurrent("a layer that the model does not have", () =>
    refuses([...encode, "--sae", golden("sae"), "--layer", "3"], /layer 3 is out of range.*0 to 2/));
  it.concurrent("an SAE that reads another place", async () => {
    const sae = copyOf("sae", (path) =>
      writeFileSync(
        path("cfg.json"),
        readFileSync(path("cfg.json"), "utf8").replace("blocks.1.hook_resid_post", "somewhere"),
      ),
    );
    await refuses([...encode, "--sae", sae], /cfg\.json: the SAE reads "somewhere"/);
  });
  it.concurrent("find without SAE needs a layer where no action tells layers apart", () =>
    refuses(["find", "melbo", "--model", golden("model"), ...prompts, ...action], /no --layer/));
});

/** A normaliser that makes each "x" 60 times itself, `times` times over. */
function growing(times: number): object {
  const step = (letter: string) => ({ type: "Replace", pattern: { String: letter }, content: letter.repeat(60) });
  return { type: "Sequence", normalizers: Array.from({ length: times }, () => step("e")) };
}

/** Sequences in sequences. */
function nested(depth: number): object {
  return depth === 0 ? { type: "NFC" } : { type: "Sequence", normalizers: [nested(depth - 1)] };
}
