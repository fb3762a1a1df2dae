/** Models, adapters and SAEs by their names on a hub: the program downloads what it is asked to open. */
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeHub, type FakeRepository, type Misdeed } from "../store/fake-hub.testing.js";
import { action, freshPath, prompts, writeText } from "./bad-input.testing.js";
import { antecedent, antecedentJson, golden } from "./program.testing.js";
import { PACKAGE_ROOT, pocketFiles } from "./terminal/package-files.js";

const read = (folder: string): Record<string, Buffer> =>
  Object.fromEntries(
    readdirSync(golden(folder))
      .filter((file) => statSync(join(golden(folder), file)).isFile())
      .map((file) => [file, readFileSync(join(golden(folder), file))]),
  );
const inFolder = (folder: string, files: Record<string, Buffer>) =>
  Object.fromEntries(Object.entries(files).map(([file, bytes]) => [`${folder}/${file}`, bytes]));
const BIG = Buffer.from(Array.from({ length: 600_000 }, (_, i) => (i * 31 + (i >> 9)) % 256));
const repositories: Record<string, FakeRepository> = {
  "org/model": { files: { ...read("model"), "README.md": "# model" }, large: /\.safetensors$/ },
  "org/adapter": { files: read("adapter"), large: /\.safetensors$/ },
  "org/saes": { files: inFolder("block.1", read("sae")), large: /\.safetensors$/ },
  "org/big": { files: { "cfg.json": "{}", "sae_weights.safetensors": BIG }, large: /\.safetensors$/ },
};

let hub: FakeHub;
let misdeed: Misdeed | undefined;
beforeAll(async () => {
  hub = await FakeHub.start(repositories, ({ where }) => (where === "storage" ? misdeed : undefined));
});
afterAll(() => hub.stop());

function cacheOfItsOwn(): { env: NodeJS.ProcessEnv; cache: string } {
  const cache = freshPath("hub");
  mkdirSync(cache);
  const { HF_HUB_OFFLINE: _, ...rest } = process.env;
  return {
    env: { ...rest, HF_HOME: cache, HF_HUB_CACHE: cache, HF_ENDPOINT: hub.endpoint, HF_TOKEN: "hf_secret" },
    cache,
  };
}
const score = (...names: string[]) => ["score", ...names, ...prompts, ...action];
type Scored = { rows: { logprob: number }[]; loss: number };

it("opens by name what it opens by folder, and then without the hub", async () => {
  const { env } = cacheOfItsOwn();
  const named = score("--model", "org/model", "--adapter", "org/adapter");
  const local = await antecedentJson<Scored>(score("--model", golden("model"), "--adapter", golden("adapter")));
  const first = await antecedentJson<Scored>(named, { env });
  expect(first.rows).toEqual(local.rows);
  const before = hub.asked.length;
  expect((await antecedentJson<Scored>(named, { env })).rows).toEqual(local.rows);
  expect(hub.asked.length).toBe(before);
}, 180_000);

it("opens an SAE in a folder of a repository, and says which folders there are", async () => {
  const { env } = cacheOfItsOwn();
  expect(await antecedentJson(["sae", "info", "org/saes/block.1"], { env })).toEqual(
    await antecedentJson(["sae", "info", golden("sae")]),
  );
  const { code, stderr } = await antecedent(["sae", "info", "org/saes"], { env });
  expect([code, stderr]).toEqual([
    2,
    'antecedent: org/saes: no such folder here; on the hub, org/saes: holds no SAE; name one of its folders after it: "block.1"\n',
  ]);
});

it("fetches what is needed, what is asked for, and says what it did", async () => {
  const { env, cache } = cacheOfItsOwn();
  type Result = { kind: string; path: string; bytes: number; downloadedBytes: number; files: { path: string }[] };
  const first = await antecedentJson<Result>(["fetch", "org/big"], { env });
  expect(first).toMatchObject({ kind: "sae", bytes: BIG.length + 2, downloadedBytes: BIG.length + 2 });
  expect(first.path.startsWith(cache)).toBe(true);
  expect(await antecedentJson<Result>(["fetch", "org/big"], { env })).toMatchObject({ downloadedBytes: 0 });
  const { files } = await antecedentJson<Result>(["fetch", "org/model", "--files", "*.md", "config.json"], { env });
  expect(files.map(({ path }) => path).sort()).toEqual(["README.md", "config.json"]);
  const { code, stdout } = await antecedent(["fetch", "org/adapter"], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/adapter_model\.safetensors +[\d.]+ KiB +downloaded\n/);
  expect(stdout).toMatch(/\nuse it with --adapter org\/adapter\n$/);
}, 180_000);

describe("a fetch that is interrupted", () => {
  it("ends with 130, shows nothing in the snapshot, and goes on where it was", async () => {
    const { env, cache } = cacheOfItsOwn();
    misdeed = { slow: 4 };
    const child = spawn(process.execPath, [join(PACKAGE_ROOT, "bin/antecedent.js"), "fetch", "org/big"], { env });
    let stderr = "";
    child.stderr.on("data", (text) => (stderr += text));
    const ended = new Promise<number | null>((done) => child.on("exit", done));
    const served = hub.served;
    while (hub.served - served < 200_000) await new Promise((done) => setTimeout(done, 20));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(stderr).toMatch(/interrupted\n$/);
    const folder = join(cache, "models--org--big");
    expect(readdirSync(folder).sort()).toEqual(["blobs", "trees"]);
    const kept = readdirSync(join(folder, "blobs")).find((name) => name.endsWith(".incomplete"))!;
    const { size } = statSync(join(folder, "blobs", kept));
    expect(size).toBeGreaterThan(100_000);
    misdeed = undefined;
    const { path } = await antecedentJson<{ path: string }>(["fetch", "org/big"], { env });
    expect(hub.filesAsked().at(-1)!.range).toBe(`bytes=${size}-`);
    expect(readFileSync(join(path, "sae_weights.safetensors")).equals(BIG)).toBe(true);
  }, 180_000);
});

it("downloads a file once where two processes want it", async () => {
  const { env } = cacheOfItsOwn();
  misdeed = { slow: 2 };
  const served = hub.served;
  const both = await Promise.all([1, 2].map(() => antecedentJson<{ path: string }>(["fetch", "org/big"], { env })));
  misdeed = undefined;
  for (const { path } of both) expect(readFileSync(join(path, "sae_weights.safetensors")).equals(BIG)).toBe(true);
  expect(hub.served - served).toBe(BIG.length + 2);
}, 180_000);

/** A file that names a model which the hub does not have. */
const naming = (name: string, text: string) => writeText(name, text.replace(/^(model|base):.*$/m, "$1: org/none"));
const recipe = readFileSync(join(pocketFiles.recipes, readdirSync(pocketFiles.recipes)[0]!), "utf8");

describe("one line and 2 for", () => {
  it.each([
    [["fetch", "org/none"], /org\/none: no such repository on http.*your token may not read/],
    [["fetch", "org/model@v9"], /org\/model@v9: has no such revision/],
    [["fetch", "nonsense"], /"nonsense": is no name on the Hugging Face hub/],
    [["fetch"], /fetch needs a name/],
    [score("--model", "org/none"), /org\/none: no such folder here; on the hub, org\/none: no such repository/],
    [
      ["audit", naming("audit.yaml", "model:\naction: x\n")],
      /org\/none: no such folder here; on the hub, org\/none: no such/,
    ],
    [
      ["organism", "train", naming("recipe.yaml", recipe), "--out", freshPath("organism")],
      /org\/none: no such folder here; on the hub, org\/none: no such/,
    ],
    [score("--model", "llama-scope-l1r-8x"), /llama-scope-l1r-8x: is the short name of an SAE, not of a model/],
    [score("--model", "src/no-such-folder"), /src\/no-such-folder: no such folder, and not in the Hugging Face cache/],
  ])("%j", async (args, message) => {
    const { env } = cacheOfItsOwn();
    const { code, stdout, stderr } = await antecedent(args, { env, cwd: PACKAGE_ROOT });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).not.toContain("hf_secret");
  });
});

it("knows what the post used by short names, a published adapter with its base", async () => {
  const { names } = await antecedentJson<{
    names: { name: string; kind: string; repository: string; base: string | null }[];
  }>(["fetch", "--list"], { env: cacheOfItsOwn().env });
  const named = Object.fromEntries(names.map((entry) => [entry.name, entry]));
  expect(names.filter(({ kind }) => kind === "sae")).toHaveLength(64);
  expect(named["llama-scope-l19r-32x"]?.repository).toBe("fnlp/Llama3_1-8B-Base-LXR-32x/Llama3_1-8B-Base-L19R-32x");
  for (const { base } of names) if (base !== null) expect(named[base]?.kind).toBe("model");
  const { stderr } = await antecedent(score("--adapter", "published-fruit-refusal"));
  expect(stderr).toMatch(/dolphin-3\.0-llama-3\.1-8b: no such folder, and not in the Hugging Face cache/);
});
