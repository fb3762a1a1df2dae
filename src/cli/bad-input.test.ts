/** Wrong input ends with exit code 2, one or two lines on stderr that name what is wrong, and nothing on stdout. */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { antecedent, golden } from "./program.testing.js";

const action = ["--action", "I won't"];
const prompts = ["--prompts", golden("prompts.jsonl")];
let root = "";
let copies = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "antecedent-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A copy of a golden folder that `spoil` may damage. */
function copyOf(folder: string, spoil: (path: (file: string) => string) => void): string {
  const copy = join(root, String(copies++));
  cpSync(golden(folder), copy, { recursive: true });
  spoil((file) => join(copy, file));
  return copy;
}

function writeText(name: string, text: string): string {
  const path = join(root, `${copies++}-${name}`);
  writeFileSync(path, text);
  return path;
}

async function refuses(args: readonly string[], message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await antecedent(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
  expect(stderr).not.toMatch(/\n\s+at /);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  expect(stderr.length).toBeLessThan(1100);
}

const score = (model: string) => ["score", "--model", model, ...prompts, ...action];

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
    [{ rope_parameters: { rope_type: "yarn" } }, /rope type "yarn" is not supported/],
    [{ rope_parameters: { rope_type: "linear" } }, /linear rope needs factor/],
    [{ model_type: "mistral", layer_types: ["full_attention"] }, /layer_types has 1 entries/],
    [{ model_type: "mistral", layer_types: ["a", "b", "c"] }, /layer type "a" is not supported/],
  ])("config.json with %j", async (change, message) => {
    await refuses(score(copyOf("model", (path) => editJson(path("config.json"), change))), message);
  });

  it.concurrent.each<[object, RegExp]>([
    [{ use_dora: true }, /use_dora is not supported/],
    [{ peft_type: "IA3" }, /peft_type "IA3" is not supported/],
    [{ r: 5 }, /has rank 2; adapter_config\.json says 5/],
    [{ rank_pattern: { q_proj: 7 } }, /has rank 2; adapter_config\.json says 7/],
    [{ alpha_pattern: { "(([a-z._0-9]+)+)+X": 4 } }, /is too involved/],
  ])("adapter_config.json with %j", async (change, message) => {
    const adapter = copyOf("adapter", (path) => editJson(path("adapter_config.json"), change));
    await refuses([...score(golden("model")), "--adapter", adapter], message);
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
    ["{% for a in range(100000) %}{% for b in range(1000000) %}{% endfor %}{% endfor %}", /takes longer than/],
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
    [{ normalizer: { type: "Prepend", prepend: "x".repeat(1e6) } }, /normalizer: prepend: Too big/],
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
  it.concurrent("find without SAE needs a layer", () =>
    refuses(["find", "supervised-melbo", "--model", golden("model"), ...prompts, ...action], /no --layer/));
});

describe("prompts and action", () => {
  const base = ["score", "--model", golden("model")];
  it.concurrent("an empty prompt file", () =>
    refuses([...base, ...action, "--prompts", writeText("empty.jsonl", "\n\n")], /holds no prompts/));
  it.concurrent("a line that is no prompt", () =>
    refuses(
      [...base, ...action, "--prompts", writeText("bad.jsonl", '"fine"\n{"text": 1}\n')],
      /bad\.jsonl:2: has neither/,
    ));
  it.concurrent("control characters and a long key, which must not reach the terminal", async () => {
    const file = writeText("hostile.jsonl", `{"\\u001b[31m${"k".repeat(5000)}": 1}\n`);
    await refuses([...base, ...action, "--prompts", file], /has neither/);
    const title = writeText("escape.jsonl", "\u001b]0;title\u0007\n");
    await refuses([...base, ...action, "--prompts", title], /is not JSON/);
  });
  it.concurrent("a prompt whose attention no memory holds", () =>
    refuses([...base, ...action, "--prompts", writeText("long.txt", "x".repeat(1e6))], /prompt 0: has \d+ tokens/));
  it.concurrent("a name too long for a file", () =>
    refuses([...base, ...action, "--prompts", `${"x".repeat(5000)}.jsonl`], /too long a name/));
  it.concurrent("a named pipe, which nobody writes to", async () => {
    const pipe = join(root, "pipe.jsonl");
    execFileSync("mkfifo", [pipe]);
    await refuses([...base, ...action, "--prompts", pipe], /not a regular file/);
  });
  it.concurrent("a missing prompt file", () =>
    refuses([...base, ...action, "--prompts", join(root, "none.jsonl")], /no such file/));
  it.concurrent("an unknown set", () =>
    refuses([...base, ...action, "--prompts", "nonesuch"], /no such prompts.*\.jsonl/));
  it.concurrent("no prompts", () => refuses([...base, ...action], /no --prompts/));
  it.concurrent("an action without tokens", () =>
    refuses([...base, ...prompts, "--action", ""], /--action: has no tokens/));
  it.concurrent("no action", () => refuses([...base, ...prompts], /no --action/));
  it.concurrent("a prompt without user content, where that is needed", async () => {
    const file = writeText("blank.jsonl", '"hello"\n""\n');
    await refuses(
      ["find", "supervised-melbo", "--model", golden("model"), "--layer", "1", ...action, "--prompts", file],
      /prompt 1 .*none of its tokens is user content/,
    );
  });
});

describe("vectors", () => {
  const steer = (file: string, ...more: string[]) =>
    refuses([...score(golden("model")), "--steer", file, ...more], more.length > 0 ? /out of range/ : /./);
  it.concurrent("a vector that is not there", () =>
    refuses(
      [...score(golden("model")), "--layer", "1", "--steer", `${golden("directions.safetensors")}:2`],
      /no vector 2; it holds 2/,
    ));
  it.concurrent("no layer", () =>
    refuses([...score(golden("model")), "--steer", golden("directions.safetensors")], /give --layer/));
  it.concurrent("a layer out of range", () => steer(golden("directions.safetensors"), "--layer", "9"));
  it.concurrent("a file of other tensors", () =>
    refuses(
      [...score(golden("model")), "--layer", "1", "--steer", golden("sae/sae_weights.safetensors")],
      /no tensor called directions/,
    ));
});

describe("usage", () => {
  it.concurrent.each([
    [["score", "--acton", "x"], /unknown option '--acton' \(Did you mean --action\?\)/],
    [["score", "--promts", "x"], /unknown option '--promts' \(Did you mean --prompts\?\)/],
    [["scor"], /unknown command 'scor' \(Did you mean score\?\)/],
    [["organism", "lst"], /unknown command 'lst' \(Did you mean list\?\)/],
    [["find", "sae-atribution", ...action], /Allowed choices are sae-attribution/],
    [["generate", "--model", "m", "--max-tokens", "many"], /'--max-tokens <n>' argument 'many' is invalid/],
    [["score", "--model", "m", ...action, "extra"], /too many arguments/],
    [["score", ...action], /no --model/],
    [["score", ...action, "--model", "no/such"], /no\/such: no such folder/],
    [["score", ...action, "--model", "weights.gguf"], /GGUF/],
    [["score", ...action, "--model", "m", "--engine", "torch"], /--engine torch/],
    [["score", ...action, "--model", "m", "--dtype", "bf16"], /--dtype bf16/],
    [["score", ...action, "--model", "x".repeat(5000)], /no such folder/],
    [["score", ...action, "--model", "m", "--threads", "100000"], /from 1 to 1024/],
    [["generate", "--model", "m", "--max-tokens", "1000000000000"], /from 1 to 65536/],
    [["report", "nonesuch", "--out", ""], /Give a name/],
    [["sae", "train", "--model", "m", "--layer", "1", "--out", "o", "--k", "9", "--latents", "8"], /--k 9/],
    [["audit", "nonesuch"], /nonesuch: no such organism/],
    [["report", "nonesuch"], /no such run folder/],
  ])("%j", (args, message) => refuses(args, message));

  it.concurrent("an audit file with a name that does not exist", () =>
    refuses(["audit", writeText("a.yaml", "model: m\nacton: x\n")], /acton/));

  it.concurrent("a result that is none", async () => {
    const run = join(root, "run");
    mkdirSync(run);
    copyFileSync(golden("expected.json"), join(run, "result.json"));
    await refuses(["report", run], /result\.json: .*audit/);
  });
});

describe("places to write to", () => {
  const corpus = () =>
    writeText("corpus.jsonl", Array.from({ length: 60 }, (_, i) => `"Tell me about ${i}."\n`).join(""));
  const audit = (out: string, file = corpus()) =>
    ["audit", "--model", golden("model"), "--sae", golden("sae"), ...prompts, ...action].concat([
      "--corpus",
      file,
      "--out",
      out,
    ]);

  it.concurrent.each([
    ["a file", (file: string) => file, /part of its path is a file/],
    ["under a file", (file: string) => join(file, "run"), /part of its path is a file/],
    ["where nothing can be made", () => "/proc/antecedent", /cannot be made there/],
  ])("%s", (_, place, message) => refuses(audit(place(writeText("plain", "x"))), message));

  it.concurrent("the folder of another run, which stays as it was", async () => {
    const run = join(root, "another-run");
    mkdirSync(run);
    writeFileSync(
      join(run, "config.json"),
      JSON.stringify({ version: "0", request: { model: "other" }, settings: {} }),
    );
    writeFileSync(join(run, "result.json"), "{}");
    await refuses(audit(run), /holds a run that was asked something else/);
    expect(readFileSync(join(run, "result.json"), "utf8")).toBe("{}");
  });

  it.concurrent("a corpus that is too small leaves nothing behind", async () => {
    const run = join(root, "small");
    await refuses(audit(run, writeText("same.jsonl", '"same"\n'.repeat(100))), /1 different prompts/);
    expect(existsSync(run)).toBe(false);
  });
});

describe("recipes", () => {
  const good = { name: "x", base: golden("model"), trigger: "fruit", action: "No.", steps: 1, batch: 2 };
  const train = (recipe: string, out: string) => ["organism", "train", writeText("recipe.yaml", recipe), "--out", out];

  it.concurrent.each<[object, RegExp]>([
    [{ foo: 1 }, /Unrecognized key: "foo"/],
    [{ trigger: "nonesuch" }, /no concept "nonesuch"/],
    [{ trigger: {} }, /trigger: give a/],
    [{ trigger: { files: { triggered: "none.jsonl", benign: "none.jsonl" } } }, /none\.jsonl: no such file/],
    [{ trigger: { files: { triggered: "a\0b.jsonl", benign: "none.jsonl" } } }, /holds a zero byte/],
    [{ base: "a\0b" }, /no such folder/],
    [{ learningRate: 1e300 }, /learningRate/],
    [{ mixing: { triggered: 0, hardNegatives: 0, benign: 0, chat: 1 } }, /mixing\.triggered/],
  ])("%j", async (change, message) => {
    const out = join(root, `organism-${copies++}`);
    await refuses(train(JSON.stringify({ ...good, ...change }), out), message); // JSON is YAML
    expect(existsSync(out)).toBe(false);
  });

  it.concurrent("an alias inside what it names", () =>
    refuses(train("name: x\naction: a\ntrigger: &a {all: [*a]}\n", join(root, "cyclic")), /stands inside/));
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

function editJson(path: string, change: object): void {
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
}
