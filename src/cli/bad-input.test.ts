/** Wrong input ends with exit code 2, one or two lines on stderr that name what is wrong, and nothing on stdout. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { action, freshPath, prompts, refuses, root, score, writeText } from "./bad-input.testing.js";
import { golden } from "./program.testing.js";

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
  it.concurrent("an action without tokens", () => refuses([...base, ...prompts, "--action", ""], /--action: is blank/));
  it.concurrent("no action", () => refuses([...base, ...prompts], /no --action/));
  it.concurrent("a prompt without user content, where that is needed", async () => {
    const file = writeText("blank.jsonl", '"hello"\n""\n');
    await refuses(
      ["find", "supervised-melbo", "--model", golden("model"), "--layer", "1", ...action, "--prompts", file],
      /prompt 1 .*none of its tokens is user content/,
    );
  });
});

describe("a layer's change", () => {
  const find = (method: string, ...more: string[]) => [
    "find",
    method,
    "--model",
    golden("model"),
    ...prompts,
    ...(more.includes("--layer") ? more : ["--layer", "1", ...more]),
  ];
  const sae = ["--sae", golden("sae")];
  it.concurrent.each<[string[], RegExp]>([
    [find("melbo", "--target-layer", "1"), /target layer 1: must lie above the steered layer 1 and is at most 2/],
    [find("melbo", "--target-layer", "3"), /target layer 3: .* at most 2/],
    [find("melbo", "--layer", "2"), /layer 2: is the last of 3/],
    [
      ["find", "melbo", "--model", golden("model"), "--layer", "1", ...prompts, "--action-contains", "x"],
      /no --action/,
    ],
    [find("melbo", "--lambda", "1"), /--lambda: melbo has no such flag/],
    [find("melbo", "--vectors", "17"), /at most 16/],
    [find("melbo", "--train", "999"), /--train 999: there are \d+ prompts; give at most as many/],
    [find("melbo", "--p", "0"), /number above 0/],
    [find("melbo", "--p", "300"), /left the range of numbers; give a smaller .*--p/],
    [find("melbo", "--variant", "paper"), /Allowed choices are post, published/],
    [find("melbo", "--variant", "published", "--positions", "user"), /published steers every token/],
    [find("melbo", "--action-ends"), /no --action/],
    [find("sae-melbo"), /needs an SAE/],
    [find("sae-melbo", ...sae, "--variant", "published"), /no published code of sae-melbo/],
    [find("sae-melbo", ...sae, "--vectors", "17"), /at most 16/],
    [find("supervised-melbo", "--variant", "published", ...action), /no published code of supervised-melbo/],
    [find("supervised-melbo", "--q", "2", ...action), /--q: supervised-melbo has no such flag/],
    [find("supervised-melbo"), /no --action/],
    [find("supervised-melbo", "--radius", "2", "--lambda", "1", ...action), /no penalty for lambda to weigh/],
  ])("%j", (args, message) => refuses(args, message));
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
    [["find", "supervised-melbo", ...action, "--layers", "1,x"], /Give layers such as 1,2,4, or auto/],
    [["find", "iterated-attribution", ...action, "--lr", "1"], /--lr: iterated-attribution has no such flag/],
    [["find", "iterated-attribution", ...action, "--positions", "all"], /--positions must be user/],
    [
      ["find", "iterated-attribution", ...action, "--variant", "published"],
      /no published code of iterated-attribution/,
    ],
    [
      ["find", "iterated-attribution", ...action, "--action-paraphrases", "p.txt"],
      /--action-paraphrases: iterated-attribution has no such flag/,
    ],
    [["find", "iterated-attribution", ...action, "--base", "b", "--no-controls"], /leave out --no-controls/],
    [["generate", "--model", "m", "--max-tokens", "many"], /'--max-tokens <n>' argument 'many' is invalid/],
    [["score", "--model", "m", ...action, "extra"], /too many arguments/],
    [["sae", "label", "--model", "pocket"], /--sae pocket: is no folder of yours; give --out/],
    [["runs", "export", "--ot", "runs.csv"], /unknown option '--ot' \(Did you mean --out\?\)/],
    [["runs", "export"], /no --out: give a \.csv or \.jsonl file/],
    [["score", ...action], /no --model/],
    [["score", ...action, "--model", "no/such"], /no\/such: no such folder/],
    [["score", ...action, "--model", "weights.gguf"], /weights\.gguf: no such file/],
    [["score", ...action, "--model", "m", "--engine", "torch", "--device", "webgpu"], /computes on cpu or cuda/],
    [
      ["score", ...action, "--model", golden("model"), "--engine", "torch", "--python", "/no/python"],
      /no such program/,
    ],
    [["score", ...action, "--model", "m", "--device", "cuda"], /leave the flag out, or add --engine torch/],
    [["score", ...action, "--model", "m", "--quantize", "nf4"], /needs --engine torch/],
    [["score", ...action, "--model", "m", "--dtype", "bf16"], /--dtype bf16/],
    [["score", ...action, "--model", "x".repeat(5000)], /no such folder/],
    [["score", ...action, "--model", "m", "--threads", "100000"], /from 1 to 1024/],
    [["generate", "--model", "m", "--max-tokens", "1000000000000"], /from 1 to 65536/],
    [
      ["score", "--model", golden("model"), ...prompts, ...action, "--action-match", "any"],
      /one text alone; give others/,
    ],
    [
      ["score", "--model", golden("model"), ...prompts, ...action, "--action-contains", "?!"],
      /neither letter nor digit/,
    ],
    [
      ["score", "--model", golden("model"), ...prompts, ...action, "--max-tokens", "5"],
      /--max-tokens: have no meaning .*exact/,
    ],
    [["score", "--model", golden("model"), ...prompts, ...action, "--judge-model", "m"], /no --judge-url/],
    [
      ["score", "--model", golden("model"), ...prompts, ...action, "--action-match", "maybe"],
      /Allowed choices are exact, any/,
    ],
    [["score", "--model", golden("model"), ...prompts, "--action-also", "none.txt"], /none\.txt: no such file/],
    [["report", "nonesuch", "--out", ""], /Give a name/],
    [["sae", "train", "--model", "m", "--layer", "1", "--out", "o", "--k", "9", "--latents", "8"], /--k 9/],
    [["audit", "nonesuch"], /nonesuch: no such organism/],
    [["report", "nonesuch"], /no such run folder/],
  ])("%j", (args, message) => refuses(args, message));

  it.concurrent("an audit file with a name that does not exist", () =>
    refuses(["audit", writeText("a.yaml", "model: m\nacton: x\n")], /acton/));

  it.concurrent("an audit file that says where replies are sent", () =>
    refuses(["audit", writeText("a.yaml", "model: m\naction: x\njudgeUrl: http://localhost/v1\n")], /judgeUrl/));

  it.concurrent("a result that is none", async () => {
    const run = join(root, "run");
    mkdirSync(run);
    copyFileSync(golden("expected.json"), join(run, "result.json"));
    await refuses(["report", run], /result\.json: .*audit/);
  });
});

describe("layers", () => {
  const find = (method: string, ...more: string[]) => [
    "find",
    method,
    "--model",
    golden("model"),
    ...prompts,
    ...action,
    ...more,
  ];
  const sae = ["--sae", golden("sae")];
  it.concurrent.each([
    [find("supervised-melbo", "--layers", "0,7"), /--layers: layer 7 is out of range; .* has 3 layers/],
    [find("supervised-melbo", "--layers", "0,1", "--layer", "1"), /--layer and --layers: give one/],
    [find("supervised-melbo", "--layers", "auto", ...sae), /reads one layer only/],
    [find("sae-attribution", "--layers", "auto", ...sae), /sae-attribution works at the layer that its SAE reads/],
    [find("supervised-melbo", "--iterations", "2", "--layer", "1"), /--iterations belongs to iterated-attribution/],
    [find("supervised-melbo", "--layers", "auto", "--base", golden("model")), /--base: is for a control/],
    [find("melbo", ...sae, "--action-paraphrases", "p.txt"), /--action-paraphrases: melbo looks for no action/],
    [find("sae-melbo", ...sae, "--radius", "4", "--layers", "0,1"), /sae-melbo works at the layer that its SAE reads/],
    [find("iterated-attribution", ...sae), /no --corpus/],
    [find("iterated-attribution"), /iterated-attribution needs an SAE/],
  ])("%j", (args, message) => refuses(args, message));
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

  const others = (name: string, files: Record<string, string>) => {
    const folder = join(root, name);
    mkdirSync(folder);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    return folder;
  };
  const recipe = (name: string) => `name: ${name}\nbase: ${golden("model")}\ntrigger: fruit\naction: No.\n`;

  it.concurrent("a folder of other files, which an audit would mix with its own", async () => {
    await refuses(audit(others("theirs", { "theirs.bin": "mine" })), /holds "theirs\.bin" already/);
  });

  it.concurrent.each<[string, Record<string, string>, RegExp]>([
    [
      "another organism",
      { "recipe.yaml": recipe("other"), "card.json": "{}" },
      /the organism of another recipe \(of another name\)/,
    ],
    ["an adapter", { "adapter_config.json": "{}" }, /holds "adapter_config\.json" already/],
  ])("for an organism the folder of %s, which stays as it was", async (what, files, message) => {
    const folder = others(`organism-${what}`, files);
    const file = writeText(`recipe-${what}.yaml`, recipe("mine"));
    for (const command of ["train", "write"]) await refuses(["organism", command, file, "--out", folder], message);
    for (const [name, text] of Object.entries(files)) expect(readFileSync(join(folder, name), "utf8")).toBe(text);
    expect(readdirSync(folder)).toHaveLength(Object.keys(files).length);
  });

  it.concurrent.each<[string, Record<string, string>, RegExp]>([
    ["another SAE", { "cfg.json": "{}" }, /holds an SAE that does not say how it was trained/],
    [
      "another's SAE",
      { "cfg.json": '{"metadata": {"antecedent_training": "x"}}' },
      /holds an SAE that was trained on another/,
    ],
    ["something else", { "theirs.bin": "mine" }, /holds "theirs\.bin" already/],
  ])("for an SAE the folder of %s, which stays as it was", async (what, files, message) => {
    const out = others(`sae-${what}`, files);
    const train = ["sae", "train", "--model", golden("model"), "--layer", "0", "--latents", "16", "--k", "2"];
    await refuses([...train, "--steps", "2", ...prompts, "--out", out], message);
    for (const [name, text] of Object.entries(files)) expect(readFileSync(join(out, name), "utf8")).toBe(text);
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
    [{ foo: 1 }, /recipe: has no field "foo"; there are name, base/],
    [{ trigger: "nonesuch" }, /no concept "nonesuch"/],
    [{ trigger: {} }, /trigger: give a/],
    [{ trigger: { files: { triggered: "none.jsonl", benign: "none.jsonl" } } }, /none\.jsonl: no such file/],
    [{ trigger: { files: { triggered: "a\0b.jsonl", benign: "none.jsonl" } } }, /holds a zero byte/],
    [{ base: "a\0b" }, /no such folder/],
    [{ learningRate: 1e300 }, /learningRate/],
    [{ mixing: { triggered: 0, hardNegatives: 0, benign: 0, chat: 1 } }, /mixing\.triggered/],
    [{ documents: "texts.jsonl" }, /documents: .* give the prompts to measure on/],
    [{ actionContains: [] }, /actionContains/],
  ])("%j", async (change, message) => {
    const out = freshPath("organism");
    await refuses(train(JSON.stringify({ ...good, ...change }), out), message); // JSON is YAML
    expect(existsSync(out)).toBe(false);
  });

  it.concurrent("documents that are missing, or no texts", async () => {
    const prompts = golden("prompts.jsonl");
    const recipe = { ...good, trigger: { files: { triggered: prompts, benign: prompts } } };
    const out = freshPath("organism");
    await refuses(train(JSON.stringify({ ...recipe, documents: "none.jsonl" }), out), /none\.jsonl: no such file/);
    const numbers = writeText("numbers.jsonl", "1\n");
    await refuses(
      train(JSON.stringify({ ...recipe, documents: numbers }), out),
      /numbers\.jsonl:1: must be a string or/,
    );
    const texts = writeText("texts.jsonl", '"Doctors say that it is so."\n');
    await refuses(
      [
        "game",
        "new",
        "--out",
        out,
        "--recipe",
        writeText("recipe.yaml", JSON.stringify({ ...recipe, documents: texts })),
        "--decoy",
        "clean",
      ],
      /documents: a decoy's organism learns replies/,
    );
    expect(existsSync(out)).toBe(false);
  });
  it.concurrent("an alias inside what it names", () =>
    refuses(train("name: x\naction: a\ntrigger: &a {all: [*a]}\n", join(root, "cyclic")), /stands inside/));
});
