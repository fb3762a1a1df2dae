/** Downloads that go wrong: each ends with the right bytes under their hash, or with nothing and a reason. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { type Asked, COMMIT, FakeHub, type Misdeed, sha256Of } from "./fake-hub.testing.js";
import { hubAccess, hubEnvironment } from "./hub-environment.js";
import { type FetchOptions, fetchFromHub } from "./hub-fetch.js";
import { requireHubReference } from "./hub-reference.js";
import { takeLock } from "./lock-file.js";

const BYTES = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7 + (i >> 8)) % 256));
const FILE = "model.safetensors";

let root = "";
let hub: FakeHub;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "blob-"));
});
afterEach(async () => {
  await hub.stop();
  rmSync(root, { recursive: true, force: true });
});

const atFile = (misdeed: (n: number, asked: Asked) => Misdeed | undefined) => (asked: Asked, n: number) =>
  asked.where === "storage" ? misdeed(n, asked) : undefined;
async function start(misdeed: (n: number, asked: Asked) => Misdeed | undefined): Promise<void> {
  hub = await FakeHub.start({ "owner/name": { files: { [FILE]: BYTES }, large: /safetensors/ } }, atFile(misdeed));
}
const blobs = () => join(root, "models--owner--name/blobs");
const blob = () => join(blobs(), sha256Of(BYTES));
const partial = () => `${blob()}.antecedent.incomplete`;
const lock = () => join(root, `.locks/models--owner--name/${sha256Of(BYTES)}.antecedent.lock`);
const ranges = () => hub.asked.filter(({ where }) => where === "storage").map(({ range }) => range);

function get(options: Partial<FetchOptions> = {}, variables: NodeJS.ProcessEnv = {}) {
  const environment = { HF_HUB_CACHE: root, HF_HOME: root, HF_ENDPOINT: hub.endpoint, ...variables };
  return fetchFromHub(requireHubReference("owner/name"), {
    patterns: [FILE],
    environment: hubEnvironment(environment),
    access: hubAccess(environment),
    waits: [1, 1, 1],
    ...options,
  });
}
async function arrives(promise: Promise<{ path: string }>): Promise<void> {
  const { path } = await promise;
  expect(readFileSync(join(path, FILE)).equals(BYTES)).toBe(true);
  expect(readdirSync(blobs())).toEqual([sha256Of(BYTES)]);
}
async function failure(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(Error);
  expect(existsSync(join(root, "models--owner--name/snapshots", COMMIT, FILE))).toBe(false);
  expect(existsSync(join(root, "models--owner--name/refs"))).toBe(false);
  expect(existsSync(blob())).toBe(false);
  expect(existsSync(lock())).toBe(false);
  return error as Error;
}

it("goes on where the connection broke", async () => {
  await start((n) => (n < 2 ? { cutAfter: 40_000 } : undefined));
  const seen: number[] = [];
  await arrives(get({ onProgress: (done) => seen.push(done) }));
  expect(ranges()).toHaveLength(3);
  const starts = ranges()
    .slice(1)
    .map((range) => Number(/^bytes=(\d+)-$/.exec(range!)![1]));
  expect(starts[0]).toBeGreaterThan(0);
  expect(starts[1]).toBeGreaterThan(starts[0]!);
  expect(seen.at(-1)).toBe(BYTES.length);
});

it("goes on where an earlier process ended", async () => {
  await start(() => undefined);
  mkdirSync(blobs(), { recursive: true });
  writeFileSync(partial(), BYTES.subarray(0, 60_000));
  let here = 0;
  await arrives(get({ onStart: (have) => (here = have) }));
  expect(ranges()).toEqual(["bytes=60000-"]);
  expect(here).toBe(60_000);
  expect(hub.served).toBe(40_000);
});

it.each([
  ["what it left is damaged", Buffer.alloc(60_000), ["bytes=60000-", undefined]],
  ["what it left is too long", Buffer.alloc(200_000), [undefined]],
  ["what it left is whole", BYTES, []],
  ["what it left is damaged and as long as the file", Buffer.alloc(100_000), [undefined]],
])("starts again as far as it must where %s", async (_, left, asked) => {
  await start(() => undefined);
  mkdirSync(blobs(), { recursive: true });
  writeFileSync(partial(), left);
  await arrives(get());
  expect(ranges()).toEqual(asked);
});

it("takes the whole file from a server that knows no ranges", async () => {
  await start((n) => (n === 0 ? { cutAfter: 40_000 } : { ignoreRange: true }));
  await arrives(get());
});

it.each([
  ["416", { status: 416 }],
  ["another range", { status: 206, headers: { "content-range": "bytes 5-9/100000" }, body: "12345" }],
])("starts again where a range is answered with %s", async (_, misdeed) => {
  await start((n) => (n === 0 ? { cutAfter: 40_000 } : n === 1 ? misdeed : undefined));
  await arrives(get());
  expect(ranges().map((range) => range === undefined)).toEqual([true, false, true]);
});

it("waits out server errors and rate limits", async () => {
  await start((n) => [{ status: 500 }, { status: 429, headers: { "retry-after": "0.01" } }, { status: 503 }][n]);
  await arrives(get());
});

it("gives up a server that fails on every try, and says that the same command may go on", async () => {
  await start(() => ({ status: 503 }));
  const error = await failure(get());
  expect(error).not.toBeInstanceOf(InputError);
  expect(error.message).toMatch(
    /^owner\/name\/model\.safetensors: 127\S+ answers 503, 4 times in a row; the same command may/,
  );
});

it("gives up at once where a longer wait is asked for than anybody has patience for", async () => {
  await start(() => ({ status: 429, headers: { "retry-after": "3600" } }));
  expect((await failure(get())).message).toMatch(/asks to wait 3600 s/);
  expect(ranges()).toHaveLength(1);
});

it("goes on after a transfer has stalled", async () => {
  await start((n) => (n === 0 ? { stallAfter: 30_000 } : undefined));
  await arrives(get({}, { HF_HUB_DOWNLOAD_TIMEOUT: "0.3" }));
  expect(ranges()).toEqual([undefined, "bytes=30000-"]);
});

it.each([
  ["other bytes", { body: Buffer.alloc(BYTES.length) }, /another checksum \([0-9a-f]{64}\) than the hub's list says/],
  [
    "more bytes than it should",
    { headers: { "content-length": "200000" }, body: Buffer.concat([BYTES, BYTES]) },
    /announces 200000 bytes, but its list says 100000/,
  ],
  [
    "more bytes than it announces",
    { headers: { "transfer-encoding": "chunked" }, body: Buffer.concat([BYTES, BYTES]) },
    /sends more than the 100000 bytes/,
  ],
  [
    "a web page",
    { headers: { "content-type": "text/html; charset=utf-8" }, body: "<html>" },
    /a web page in place of the file/,
  ],
])("refuses %s, and keeps nothing of it", async (_, misdeed, message) => {
  await start(() => misdeed);
  const error = await failure(get());
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(message);
  expect(error.message).not.toMatch(/signature|\n/);
  expect(readdirSync(blobs())).toEqual([]);
});

it("tries again, and then gives up, where the body is always shorter than the list says", async () => {
  await start(() => ({ body: BYTES.subarray(0, 50_000) }));
  const error = await failure(get());
  expect(error.message).toMatch(/another checksum|times in a row/);
});

it("keeps what came when it is interrupted, and goes on", async () => {
  await start((n) => (n === 0 ? { slow: 10 } : undefined));
  const abort = new AbortController();
  const error = await failure(
    get({ signal: abort.signal, onProgress: (done) => done > 20_000 && abort.abort(new Error("interrupted")) }),
  );
  expect(error.message).toBe("interrupted");
  const kept = readFileSync(partial());
  expect(kept.length).toBeGreaterThan(20_000);
  expect(kept.equals(BYTES.subarray(0, kept.length))).toBe(true);
  await arrives(get());
  expect(ranges().at(-1)).toBe(`bytes=${kept.length}-`);
});

it("waits for a process that downloads the same, and takes what that has brought", async () => {
  await start(() => undefined);
  mkdirSync(join(lock(), ".."), { recursive: true });
  mkdirSync(blobs(), { recursive: true });
  const release = takeLock(lock(), "the other process");
  const fetching = get();
  await new Promise((done) => setTimeout(done, 400));
  expect(ranges()).toEqual([]);
  writeFileSync(blob(), BYTES);
  release();
  await arrives(fetching);
  expect(ranges()).toEqual([]);
});

it("refuses before the first byte what the disk has no room for", async () => {
  // As many files as no disk has room for.
  const files = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`${i}.safetensors`, `${i}`]));
  hub = await FakeHub.start({
    "owner/name": {
      files,
      large: /safetensors/,
      page: 1000,
      listed: (entry) => ({ ...entry, lfs: { oid: sha256Of(String(entry.path)), size: 49e9 } }),
    },
  });
  const error = await failure(get({ patterns: ["*"] }));
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(
    /the disk of .* is full \(147000\.0 GB to come, .* GB free\); free some of it, or .*HF_HUB_CACHE/,
  );
  expect(ranges()).toEqual([]);
});
