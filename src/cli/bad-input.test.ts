/** Wrong input ends with exit code 2, one or two lines on stderr that name what is wrong, and nothing on stdout. */
import {
  copyFileSync,
  cpSync,
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

function editJson(path: string, change: object): void {
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
}
