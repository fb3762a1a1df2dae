/**
 * A hub on this machine: the API and small files at one port, large files at another, which the first redirects to, with the
 * headers that the real one sends. It misbehaves as a test says.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
/** Entries of a page of the list of files: few, so that lists have several pages. */
const PAGE = 3;

export interface FakeRepository {
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** Paths that git holds a pointer to. */
  readonly large?: RegExp;
  /** Branches and tags besides main. */
  readonly revisions?: readonly string[];
  /** Entries of a page in place of PAGE. */
  readonly page?: number;
  /** Put over the entries of the list. */
  readonly listed?: (entry: Record<string, unknown>) => Record<string, unknown>;
}

export interface Asked {
  readonly where: "hub" | "storage";
  /** Decoded, without the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** What it does in place of the right answer. */
export interface Misdeed {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | string;
  /** The connection is cut after so many bytes of the right body. */
  readonly cutAfter?: number;
  /** Nothing more comes after so many bytes of the right body. */
  readonly stallAfter?: number;
  /** A range is answered with the whole. */
  readonly ignoreRange?: boolean;
  /** Milliseconds before each kilobyte. */
  readonly slow?: number;
}

export const gitHash = (bytes: Uint8Array | string) => {
  const data = Buffer.from(bytes);
  return createHash("sha1").update(`blob ${data.length}\0`).update(data).digest("hex");
};
export const sha256Of = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

export class FakeHub {
  readonly asked: Asked[] = [];
  /** Bytes of files that have left. */
  served = 0;
  /** Most answers of files under way at once. */
  mostAtOnce = 0;
  #atOnce = 0;

  private constructor(
    private readonly servers: readonly Server[],
    readonly endpoint: string,
    private readonly storage: string,
    private readonly repositories: Readonly<Record<string, FakeRepository>>,
    private readonly misdeed: (asked: Asked, n: number) => Misdeed | undefined,
  ) {}

  /** @param misdeed told of the n-th request (from 0) for that path at that place */
  static async start(
    repositories: Readonly<Record<string, FakeRepository>>,
    misdeed: (asked: Asked, n: number) => Misdeed | undefined = () => undefined,
  ): Promise<FakeHub> {
    const servers = [createServer(), createServer()];
    const [hub, storage] = await Promise.all(
      servers.map(async (server) => {
        await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
        return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      }),
    );
    const fake = new FakeHub(servers, hub!, storage!, repositories, misdeed);
    servers[0]!.on("request", (request, response) => fake.#serve("hub", request, response));
    servers[1]!.on("request", (request, response) => fake.#serve("storage", request, response));
    return fake;
  }

  stop(): Promise<void> {
    return new Promise((done) => {
      let open = this.servers.length;
      for (const server of this.servers) {
        server.close(() => --open === 0 && done());
        server.closeAllConnections();
      }
    });
  }

  filesAsked(): Asked[] {
    return this.asked.filter(({ path }) => /\/resolve\//.test(path));
  }

  async #serve(where: Asked["where"], request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.endpoint);
    const path = decodeURIComponent(url.pathname);
    const { authorization, range } = request.headers;
    const asked = { where, path, authorization, range };
    const n = this.asked.filter((other) => other.where === where && other.path === path).length;
    this.asked.push(asked);
    const misdeed = this.misdeed(asked, n) ?? {};
    if (misdeed.status !== undefined || misdeed.body !== undefined) {
      response.writeHead(misdeed.status ?? 200, misdeed.headers ?? {});
      response.end(misdeed.body ?? "");
      return;
    }
    const api = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/(.+)$/.exec(path);
    if (api) return this.#api(api, url, response, misdeed);
    const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    const bytes = file && this.repositories[file[1]!]?.files[file[3]!];
    if (!file || bytes == null) return fail(response, 404, file ? "EntryNotFound" : "RepoNotFound");
    const data = Buffer.from(bytes);
    const large = this.repositories[file[1]!]!.large?.test(file[3]!) ?? false;
    if (large && where === "hub") {
      response.writeHead(302, {
        location: `${this.storage}${url.pathname}?signature=secret`,
        "x-linked-etag": `"${sha256Of(data)}"`,
        "x-linked-size": String(data.length),
        "x-repo-commit": COMMIT,
      });
      response.end();
      return;
    }
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    await this.#send(request, response, data, misdeed).finally(() => this.#atOnce--);
  }

  #api([, repository, verb, rest]: string[], url: URL, response: ServerResponse, misdeed: Misdeed): void {
    const held = this.repositories[repository!];
    const known = ["main", COMMIT, ...(held?.revisions ?? [])].includes(rest!);
    if (!held || !known) {
      fail(response, held ? 404 : 401, held ? "RevisionNotFound" : "RepoNotFound");
      return;
    }
    const json = { "content-type": "application/json" };
    if (verb === "revision") {
      response.writeHead(200, json);
      response.end(JSON.stringify({ id: repository, sha: COMMIT, siblings: [] }));
      return;
    }
    const entries = Object.entries(held.files).map(([path, bytes]) => {
      const size = Buffer.byteLength(Buffer.from(bytes));
      const large = held.large?.test(path) ? { lfs: { oid: sha256Of(bytes), size, pointerSize: 130 } } : {};
      const entry = {
        type: "file",
        path,
        oid: large.lfs ? gitHash(`pointer to ${path}`) : gitHash(bytes),
        size,
        ...large,
      };
      return held.listed?.(entry) ?? entry;
    });
    const start = Number(url.searchParams.get("cursor") ?? 0);
    const end = start + (held.page ?? PAGE);
    url.searchParams.set("cursor", String(end));
    const next = end < entries.length ? { link: `<${url.href}>; rel="next"` } : {};
    response.writeHead(200, { ...json, ...next, ...misdeed.headers });
    response.end(JSON.stringify(entries.slice(start, end)));
  }

  async #send(request: IncomingMessage, response: ServerResponse, data: Buffer, misdeed: Misdeed): Promise<void> {
    const { range } = request.headers;
    const from = range !== undefined && !misdeed.ignoreRange ? Number(/^bytes=(\d+)-$/.exec(range)![1]) : 0;
    const rest = data.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      etag: `"${gitHash(data)}"`,
      "content-type": "application/octet-stream",
      "content-length": String(rest.length),
      ...(from > 0 ? { "content-range": `bytes ${from}-${data.length - 1}/${data.length}` } : {}),
      ...misdeed.headers,
    });
    const end = misdeed.cutAfter ?? misdeed.stallAfter ?? rest.length;
    for (let at = 0; at < end && !response.destroyed; at += 1024) {
      if (misdeed.slow !== undefined) await wait(misdeed.slow);
      const part = rest.subarray(at, Math.min(at + 1024, end));
      this.served += part.length;
      if (!response.write(part)) await drained(response);
    }
    if (misdeed.cutAfter !== undefined) {
      await wait(20); // what was written leaves first
      response.destroy();
    } else if (misdeed.stallAfter === undefined) response.end();
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((done) => {
    const go = () => {
      response.off("drain", go).off("close", go);
      done();
    };
    response.on("drain", go).on("close", go);
  });
}

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "x-error-code": code, "content-type": "application/json" });
  response.end(JSON.stringify({ error: code }));
}
