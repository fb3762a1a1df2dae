/** The layout is what huggingface_hub writes; test/python/hub_cache.py compares the two against one server. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { COMMIT, FakeHub, type FakeRepository, gitHash, type Misdeed, sha256Of } from "./fake-hub.testing.js";
import { findCached } from "./hub-cache.js";
import { hubAccess, hubEnvironment } from "./hub-environment.js";
import { type FetchOptions, fetchFromHub } from "./hub-fetch.js";
import { requireHubReference } from "./hub-reference.js";

const WEIGHTS = Buffer.from(Array.from({ length: 40_000 }, (_, i) => (i * i) % 251));
const MODEL: FakeRepository = {
  files: {
    "README.md": "# a model",
    "config.json": "{}",
    "tokenizer.json": '{"model": {}}',
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": "the same again",
    "onnx/model.onnx": "and again",
    "empty.txt": "",
  },
  large: /\.(safetensors|bin|onnx)$/,
  revisions: ["v1", "refs/pr/1"],
};

let root = "";
let hub: FakeHub | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "hub-"));
});
afterEach(async () => {
  await hub?.stop();
  hub = undefined;
  rmSync(root, { recursive: true, force: true });
});

async function start(
  repository: FakeRepository,
  misdeed?: (asked: FakeHub["asked"][0], n: number) => Misdeed | undefined,
) {
  hub = await FakeHub.start({ "owner/name": repository }, misdeed);
  return hub;
}
const folder = () => join(root, "models--owner--name");
const blob = (etag: string) => join(folder(), "blobs", etag);
const weights = () => blob(sha256Of(WEIGHTS));
const shown = (commit = COMMIT) =>
  (existsSync(join(folder(), "snapshots", commit))
    ? (readdirSync(join(folder(), "snapshots", commit), { recursive: true }) as string[])
    : []
  ).sort();

async function get(name = "owner/name", options: Partial<FetchOptions> = {}, variables: NodeJS.ProcessEnv = {}) {
  const environment = { HF_HUB_CACHE: root, HF_HOME: root, HF_ENDPOINT: hub?.endpoint, ...variables };
  return fetchFromHub(requireHubReference(name), {
    environment: hubEnvironment(environment),
    access: hubAccess(environment),
    waits: [1, 1, 1, 1],
    ...options,
  });
}
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(InputError);
  const { message } = error as Error;
  expect(message).not.toMatch(/\n|secret|hf_/);
  return message;
}

describe("what a fetch leaves in the cache", () => {
  it("is the files that a model needs, as links to blobs named by their hashes, and the ref", async () => {
    await start(MODEL);
    const fetched = await get();
    expect(fetched).toMatchObject({ kind: "model", commit: COMMIT, path: join(folder(), "snapshots", COMMIT) });
    expect(shown()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    expect(readlinkSync(join(fetched.path, "model.safetensors"))).toBe(`../../blobs/${sha256Of(WEIGHTS)}`);
    expect(readlinkSync(join(fetched.path, "config.json"))).toBe(`../../blobs/${gitHash("{}")}`);
    expect(readFileSync(join(fetched.path, "model.safetensors")).equals(WEIGHTS)).toBe(true);
    expect(readFileSync(join(folder(), "refs/main"), "utf8")).toBe(COMMIT);
    expect(readdirSync(join(folder(), "blobs")).sort()).toEqual(
      [gitHash("{}"), gitHash('{"model": {}}'), sha256Of(WEIGHTS)].sort(),
    );
    expect(readdirSync(join(root, ".locks/models--owner--name"))).toEqual([]);
    const tree = JSON.parse(readFileSync(join(folder(), `trees/${COMMIT}.json`), "utf8"));
    expect(Object.keys(tree.files)).toEqual(Object.keys(MODEL.files).sort());
    expect(tree.files["model.safetensors"]).toMatchObject({ lfs_sha256: sha256Of(WEIGHTS), lfs_size: WEIGHTS.length });
  });

  it("is complete, and is neither listed nor downloaded again", async () => {
    const { asked } = await start(MODEL);
    expect(await findCached(hubEnvironment({ HF_HUB_CACHE: root }), requireHubReference("owner/name"), "model")).toBe(
      undefined,
    );
    await get();
    const before = asked.length;
    const again = await get();
    expect(again.files.some(({ downloaded }) => downloaded)).toBe(false);
    expect(asked.slice(before).map(({ path }) => path)).toEqual(["/api/models/owner/name/revision/main"]);
    expect(
      await findCached(hubEnvironment({ HF_HUB_CACHE: root }), requireHubReference("owner/name"), "model"),
    ).toEqual({
      commit: COMMIT,
      path: again.path,
      complete: true,
    });
  });

  it("is made whole again where a blob has lost its end", async () => {
    await start(MODEL);
    await get();
    writeFileSync(weights(), WEIGHTS.subarray(0, 100));
    const { path, files } = await get();
    expect(files.filter(({ downloaded }) => downloaded).map((file) => file.path)).toEqual(["model.safetensors"]);
    expect(readFileSync(join(path, "model.safetensors")).equals(WEIGHTS)).toBe(true);
  });

  it.each([
    ["v1", "refs/v1"],
    ["refs/pr/1", "refs/refs/pr/1"],
  ])("notes the commit of the revision %s", async (revision, ref) => {
    await start(MODEL);
    await get(`owner/name@${revision}`);
    expect(readFileSync(join(folder(), ref), "utf8")).toBe(COMMIT);
  });

  it("has no ref for a commit, which is asked about only as a list", async () => {
    const { asked } = await start(MODEL);
    await get(`owner/name@${COMMIT}`);
    expect(existsSync(join(folder(), "refs"))).toBe(false);
    expect(asked.some(({ path }) => path.includes("/revision/"))).toBe(false);
  });

  it("is files in place of links where these are not wanted", async () => {
    await start(MODEL);
    const { path } = await get("owner/name", {}, { HF_HUB_DISABLE_SYMLINKS: "1" });
    expect(() => readlinkSync(join(path, "config.json"))).toThrow();
    expect(readFileSync(join(path, "model.safetensors")).equals(WEIGHTS)).toBe(true);
    expect((await get("owner/name", {}, { HF_HUB_DISABLE_SYMLINKS: "1" })).files.some((f) => f.downloaded)).toBe(false);
  });

  it("is what the patterns name, an empty file and files in folders too", async () => {
    await start(MODEL);
    const { kind } = await get("owner/name", { patterns: ["*.txt", "onnx/"] });
    expect(kind).toBe("files");
    expect(shown()).toEqual(["empty.txt", "onnx", "onnx/model.onnx"]);
    expect(readlinkSync(join(folder(), `snapshots/${COMMIT}/onnx/model.onnx`))).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\//);
    expect(await refusal(get("owner/name", { patterns: ["*.npz"] }))).toMatch(
      /^owner\/name: no file matches "\*\.npz"/,
    );
  });

  it("is used without the hub when offline, and refused where it is not whole", async () => {
    await start(MODEL);
    const offline = { HF_HUB_OFFLINE: "1" };
    expect(await refusal(get("owner/name", {}, offline))).toMatch(
      /^owner\/name: is not wholly in the cache .*HF_HUB_OFFLINE/,
    );
    const { path } = await get("owner/name", { patterns: ["config.json"] });
    expect(await refusal(get("owner/name", {}, offline))).toMatch(/is not wholly in the cache/);
    await get();
    await hub!.stop();
    expect((await get("owner/name", {}, offline)).path).toBe(path);
    // A cache of a version of huggingface_hub that stored no lists.
    rmSync(join(folder(), "trees"), { recursive: true });
    expect((await get("owner/name", {}, offline)).files.map((file) => file.path).sort()).toEqual(shown());
    hub = undefined;
  });

  it("goes by several pages of the list, at most four files at a time", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`part-${i}.json`, `{"n": ${i}}`.padEnd(3000)]),
    );
    const fake = await start({ files }, ({ path }) => (path.includes("/resolve/") ? { slow: 5 } : undefined));
    await get("owner/name", { patterns: ["*"] });
    expect(shown()).toEqual(Object.keys(files).sort());
    expect(fake.mostAtOnce).toBe(4);
  });
});

describe("what comes from a stranger", () => {
  it("gets the token at the hub alone, not where that redirects to", async () => {
    const { asked } = await start(MODEL);
    await get("owner/name", {}, { HF_TOKEN: "hf_token" });
    const tokens = (where: string) => new Set(asked.filter((a) => a.where === where).map((a) => a.authorization));
    expect(tokens("hub")).toEqual(new Set(["Bearer hf_token"]));
    expect(tokens("storage")).toEqual(new Set([undefined]));
  });

  it.each(["../../evil", "/etc/evil", "a/../../evil", "a//evil", "..\\evil", "C:/evil", "evil\u0000", "./evil", "a/."])(
    "is refused where a path is %j",
    async (path) => {
      await start({
        files: { ...MODEL.files, "x.json": "{}" },
        listed: (e) => (e.path === "x.json" ? { ...e, path } : e),
      });
      expect(await refusal(get())).toMatch(
        /^owner\/name: the hub's list is refused: .*must be a path inside the repository$/,
      );
      expect(readdirSync(root)).toEqual([]);
    },
  );

  it.each([
    ["a size beyond all bounds", { size: 1e15 }, /must be at most 50 GB/],
    ["a negative size", { size: -1 }, /size/],
    ["a hash that is none", { oid: "../../evil" }, /must be a SHA-1/],
    ["an entry that is none", { type: undefined, path: 7 }, /the hub's list is refused: path/],
  ])("is refused where the list has %s", async (_, wrong, message) => {
    await start({ ...MODEL, listed: (entry) => ({ ...entry, ...wrong }) });
    expect(await refusal(get())).toMatch(message);
  });

  it("is refused where the list goes on at another host, or is a web page", async () => {
    await start(MODEL, ({ path }) =>
      path.includes("/tree/") ? { headers: { link: '<http://127.0.0.1:1/more>; rel="next"' } } : undefined,
    );
    expect(await refusal(get())).toMatch(/goes on at another address/);
    await hub!.stop();
    await start(MODEL, () => ({ body: "<!doctype html><title>Please log in</title>" }));
    expect(await refusal(get())).toMatch(/^owner\/name: http.* answers with a web page, not with JSON/);
  });

  it("is refused where a file is also a folder", async () => {
    await start({ files: { a: "1", "a/b": "2" } });
    expect(await refusal(get("owner/name", { patterns: ["*"] }))).toMatch(/part of its path is a file/);
  });

  it("does not get through a link that leads out of the snapshot", async () => {
    await start(MODEL);
    const outside = join(root, "outside");
    mkdirSync(outside);
    mkdirSync(join(folder(), "snapshots", COMMIT), { recursive: true });
    symlinkSync(outside, join(folder(), "snapshots", COMMIT, "onnx"));
    expect(await refusal(get("owner/name", { patterns: ["onnx/*"] }))).toMatch(/a link leads out of the snapshot/);
    expect(readdirSync(outside)).toEqual([]);
  });

  it("does not get through a link in place of an unfinished download", async () => {
    await start(MODEL);
    writeFileSync(join(root, "victim"), "untouched");
    mkdirSync(join(folder(), "blobs"), { recursive: true });
    symlinkSync(join(root, "victim"), `${weights()}.antecedent.incomplete`);
    expect(await refusal(get())).toMatch(/symbolic link/);
    expect(readFileSync(join(root, "victim"), "utf8")).toBe("untouched");
    expect(shown()).toEqual([]);
  });
});

describe("what the hub refuses is one line that says what to do", () => {
  const answers =
    (status: number, headers: Record<string, string> = {}) =>
    () => ({ status, headers });
  it.each([
    [
      "a missing or private repository",
      401,
      { "x-error-code": "RepoNotFound" },
      {},
      /no such repository .* or a private one; .*HF_TOKEN/,
    ],
    [
      "the same with a token",
      404,
      { "x-error-code": "RepoNotFound" },
      { HF_TOKEN: "hf_x" },
      /one that your token may not read/,
    ],
    [
      "a gated one",
      401,
      { "x-error-code": "GatedRepo" },
      {},
      /is gated; ask for access at http.*\/owner\/name, then .*HF_TOKEN/,
    ],
    [
      "a gated one, no access yet",
      403,
      { "x-error-code": "GatedRepo" },
      { HF_TOKEN: "hf_x" },
      /the account of your token has no access/,
    ],
    [
      "a bad token",
      401,
      { "x-error-message": "Invalid credentials in Authorization header" },
      { HF_TOKEN: "hf_x" },
      /does not know your token; make one at/,
    ],
    [
      "no right",
      403,
      { "x-error-message": "no read scope" },
      { HF_TOKEN: "hf_x" },
      /refuses it \(403, "no read scope"\); check the token's rights/,
    ],
    ["nothing there", 404, {}, {}, /is not on http.* \(404\); check the name/],
  ])("%s", async (_, status, headers, variables, message) => {
    await start(MODEL, answers(status, headers as Record<string, string>));
    expect(await refusal(get("owner/name", {}, variables as NodeJS.ProcessEnv))).toMatch(message);
  });

  it("a revision that is not there", async () => {
    await start(MODEL);
    expect(await refusal(get("owner/name@nope"))).toMatch(/^owner\/name@nope: has no such revision/);
  });

  it("a hub that is not there", async () => {
    const { endpoint } = await start(MODEL);
    await hub!.stop();
    hub = undefined;
    expect(await refusal(get("owner/name", {}, { HF_ENDPOINT: endpoint }))).toMatch(
      /^owner\/name: cannot reach http:\/\/127\S+ \(ECONNREFUSED\); check the network/,
    );
  });
});
