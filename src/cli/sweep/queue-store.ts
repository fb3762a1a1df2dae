/**
 * A sweep's points in Redis, for machines that share no folder. Beside a folder of this machine's own, which has every result that was
 * computed or seen here:
 *
 *   antecedent:result:ID   the point's document, for RESULT_SECONDS
 *   antecedent:claim:ID    who is at it, for CLAIM_MS unless renewed: a worker that is gone loses its point by itself
 *
 * ID is the hash of the point's command line, so what that names must mean the same on every machine.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { createClient } from "@redis/client";
import { InputError } from "../../formats/input-error.js";
import { jsonOrNothing } from "../../formats/json.js";
import { LockHeld } from "../../store/lock-file.js";
import {
  type FolderStore,
  MAX_POINT_BYTES,
  noResult,
  type PointStore,
  type StoredPoint,
  storedPointOf,
} from "./point-store.js";
import type { SweepPoint } from "./sweep-file.js";

const RESULT_SECONDS = 30 * 24 * 3600;
const CLAIM_MS = 30_000;
const RENEWALS = 3;
const CONNECT_MS = 5_000;
/** A connection that breaks later is tried again, after 1, 2, 3 … seconds, for some three minutes. */
const MAX_RETRIES = 18;

/** Both act only while the claim is still this process's. */
const RENEW =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0";
const GIVE_BACK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

const resultKey = ({ id }: SweepPoint) => `antecedent:result:${id}`;
const claimKey = ({ id }: SweepPoint) => `antecedent:claim:${id}`;

/** A client that gives up at once until `isConnected`, and after MAX_RETRIES then. */
function newClient(url: string, isConnected: () => boolean) {
  return createClient({
    url,
    socket: {
      connectTimeout: CONNECT_MS,
      reconnectStrategy: (retries) => (isConnected() && retries < MAX_RETRIES ? 1000 * (retries + 1) : false),
    },
  });
}
type Client = ReturnType<typeof newClient>;

export class QueueStore implements PointStore {
  private constructor(
    private readonly client: Client,
    private readonly name: string,
    private readonly own: FolderStore,
  ) {}

  get folder(): string {
    return this.own.folder;
  }

  /** InputError where there is no such queue. */
  static async open(url: string, own: FolderStore): Promise<QueueStore> {
    const name = withoutPassword(url);
    let connected = false;
    const client = newClient(url, () => connected);
    client.on("error", () => undefined); // each command that fails says so itself
    try {
      await client.connect();
      await client.ping();
    } catch (error) {
      client.destroy();
      throw new InputError(
        `--queue ${name}: cannot be reached (${reasonOf(error)}); give the URL of a Redis server that is running, such as redis://localhost:6379`,
      );
    }
    connected = true;
    return new QueueStore(client, name, own);
  }

  async read(point: SweepPoint): Promise<StoredPoint | undefined> {
    const key = resultKey(point);
    const own = await this.own.read(point);
    if (own !== undefined) {
      // What was computed here without the queue is known to it from now on.
      if ((await this.#ask(() => this.client.exists(key))) === 0) await this.#put(point, own);
      return own;
    }
    const place = `${this.name}: ${key}`;
    const size = await this.#ask(() => this.client.strLen(key));
    if (size > MAX_POINT_BYTES) throw noResult(place);
    const text = size === 0 ? null : await this.#ask(() => this.client.get(key));
    if (text === null) return undefined;
    const stored = storedPointOf(jsonOrNothing(text), point, place);
    await this.own.write(point, stored);
    return stored;
  }

  async claim(point: SweepPoint): Promise<(() => Promise<void>) | LockHeld> {
    const key = claimKey(point);
    const mine = JSON.stringify({ pid: process.pid, host: hostname(), token: randomBytes(6).toString("hex") });
    const taken = await this.#ask(() =>
      this.client.set(key, mine, { condition: "NX", expiration: { type: "PX", value: CLAIM_MS } }),
    );
    if (taken === null) {
      const holder = await this.#ask(() => this.client.get(key));
      return new LockHeld(`point ${point.id}: ${holderText(holder)} is at it, says ${this.name}`);
    }
    const script = (text: string) => this.client.eval(text, { keys: [key], arguments: [mine, String(CLAIM_MS)] });
    const renewal = setInterval(() => void script(RENEW).catch(() => undefined), CLAIM_MS / RENEWALS);
    renewal.unref();
    return async () => {
      clearInterval(renewal);
      await script(GIVE_BACK).catch(() => undefined); // it ends by itself
    };
  }

  async write(point: SweepPoint, stored: StoredPoint): Promise<void> {
    await this.own.write(point, stored);
    await this.#put(point, stored);
  }

  async close(): Promise<void> {
    if (this.client.isOpen) this.client.destroy();
  }

  async #put(point: SweepPoint, stored: StoredPoint): Promise<void> {
    await this.#ask(() =>
      this.client.set(resultKey(point), JSON.stringify(stored), { expiration: { type: "EX", value: RESULT_SECONDS } }),
    );
  }

  async #ask<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command();
    } catch (error) {
      throw new Error(`--queue ${this.name}: ${reasonOf(error)}; results of this machine are in ${this.folder}`);
    }
  }
}

/** The URL as it may be shown. InputError where it is none of a Redis server. */
function withoutPassword(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["redis:", "rediss:"].includes(parsed.protocol))
    throw new InputError("--queue: give the URL of a Redis server, such as redis://localhost:6379/0");
  if (parsed.password !== "") parsed.password = "…";
  return decodeURI(parsed.href);
}

function reasonOf(error: unknown): string {
  const { message, code, errors } = error as NodeJS.ErrnoException & { readonly errors?: readonly Error[] };
  return message || errors?.[0]?.message || code || String(error);
}

function holderText(text: string | null): string {
  const holder = jsonOrNothing(text ?? "") as { readonly pid?: unknown; readonly host?: unknown } | null | undefined;
  return holder == null ? "another process" : `process ${Number(holder.pid)} on ${String(holder.host).slice(0, 100)}`;
}
