/** Sweeps that are shared by a Redis server, with one that is started here; left out where there is none to start. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { LockHeld } from "../../store/lock-file.js";
import { refuses } from "../bad-input.testing.js";
import { antecedent, antecedentJson } from "../program.testing.js";
import { FolderStore } from "./point-store.js";
import { QueueStore } from "./queue-store.js";
import { writeGoldenSweep } from "./sweep.testing.js";
import type { SweepPoint } from "./sweep-file.js";

const root = mkdtempSync(join(tmpdir(), "antecedent-"));
const file = join(root, "grid.yaml");
writeGoldenSweep(file, "0.1, 1, 2");
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.runIf(spawnSync("redis-server", ["--version"]).status === 0)("a sweep by a queue", () => {
  let [server, url] = [undefined as ChildProcess | undefined, ""];
  const client = async () => {
    const one = createClient({ url });
    one.on("error", () => undefined);
    await one.connect();
    return one;
  };
  beforeAll(async () => {
    const port = await freePort();
    url = `redis://127.0.0.1:${port}/0`;
    const flags = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", root];
    server = spawn("redis-server", flags, { stdio: "ignore" });
    await vi.waitFor(async () => (await client()).destroy(), { timeout: 20_000, interval: 100 });
  }, 30_000);
  afterAll(() => server?.kill());

  it("is computed once by workers that share no folder, and brought together by the sweep", async () => {
    const worker = (name: string) => ["worker", file, "--out", join(root, name), "--queue", url];
    const both = await Promise.all([antecedentJson(worker("one")), antecedentJson(worker("two"))]);
    const computed = both.map((one) => (one as { computed: number }).computed);
    expect(computed[0]! + computed[1]!).toBe(3);
    const out = join(root, "here");
    const { code, stdout, stderr } = await antecedent(["sweep", file, "--out", out, "--queue", url, "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { points } = JSON.parse(stdout) as { points: { outcome: unknown; file: string }[] };
    expect(points.map(({ outcome }) => outcome !== null)).toEqual([true, true, true]);
    expect(readdirSync(out).sort()).toEqual(points.map(({ file: path }) => path.slice(out.length + 1)).sort());
  }, 60_000);

  const point: SweepPoint = { values: { seed: 1 }, args: ["find", "melbo", "--seed=1"], id: "0123456789ab" };
  const open = (name: string) => QueueStore.open(url, new FolderStore(join(root, name)));

  it("gives a point to one at a time", async () => {
    const [one, two] = await Promise.all([open("first"), open("second")]);
    const giveBack = (await one.claim(point)) as () => Promise<void>;
    const held = await two.claim(point);
    expect(held).toBeInstanceOf(LockHeld);
    expect(String(held)).toContain(`process ${process.pid} on `);
    await giveBack();
    const taken = (await two.claim(point)) as () => Promise<void>;
    expect(taken).toBeTypeOf("function");
    await giveBack(); // it is not the first one's any more
    expect(await one.claim(point)).toBeInstanceOf(LockHeld);
    await Promise.all([one.close(), two.close()]);
  });

  it("learns what a machine had before, and refuses what is no result", async () => {
    const [one, two, raw] = await Promise.all([open("first"), open("second"), client()]);
    const document = { args: [...point.args], seconds: 1, result: {} };
    await new FolderStore(join(root, "first")).write(point, document);
    expect(await two.read(point)).toBeUndefined();
    expect(await one.read(point)).toEqual(document);
    expect(await two.read(point)).toEqual(document);
    const other = { ...point, args: ["audit"], id: "ba9876543210" };
    await raw.set(`antecedent:result:${other.id}`, JSON.stringify(document));
    await expect(one.read(other)).rejects.toThrow(/antecedent:result:ba9876543210 is no result of this sweep/);
    raw.destroy();
    await Promise.all([one.close(), two.close()]);
  });
});

describe("wrong queues", () => {
  const sweep = (queue: string) => ["sweep", file, "--out", join(root, "none"), "--queue", queue];
  it.concurrent("no server, which leaves no folder behind", async () => {
    await refuses(
      sweep(`redis://:secret@127.0.0.1:${await freePort()}`),
      /^antecedent: --queue redis:\/\/:…@127\.0\.0\.1:\d+: cannot be reached \(.*ECONNREFUSED/,
    );
    expect(existsSync(join(root, "none"))).toBe(false);
  });
  it.concurrent.each(["localhost:6379", "http://localhost", "nonsense"])("%s", (queue) =>
    refuses(sweep(queue), /^antecedent: --queue: give the URL of a Redis server/),
  );
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
