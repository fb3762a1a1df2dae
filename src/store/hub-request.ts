/**
 * Requests to a hub. Redirects are followed here, one by one, so that the token goes to the hub's own origin and nowhere
 * else. A transfer that stalls ends; whatever a later try may not meet is a PassingFailure, and `persistently` tries again.
 */
import { setTimeout as wait } from "node:timers/promises";
import { InputError } from "../formats/input-error.js";
import type { HubAccess } from "./hub-environment.js";
import { refuseStatus } from "./hub-errors.js";

/** The hub redirects a renamed repository, then to its storage, which may redirect to a mirror. */
const MAX_REDIRECTS = 5;
/** Waits before the tries after the first, ms; 30 s bridge a rate limit or a server's restart. */
const RETRY_WAITS_MS = [500, 1000, 2000, 5000, 10_000, 15_000];
/** A server may ask for a longer wait (Retry-After), up to this, ms. */
const LONGEST_WAIT_MS = 60_000;
/** A try that brought this many bytes was no failure: a line that drops now and then still downloads 16 GB. */
const PROGRESS_BYTES = 1 << 20;
/** Statuses that a later try may not meet: timeout, conflict, too early, rate limit; and every server error. */
const PASSING = new Set([408, 409, 425, 429]);
/** Nobody is there: said at once of a hub that has never answered. */
const UNREACHABLE = new Set(["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH"]);

/** A failure that a later try may not meet. */
export class PassingFailure extends Error {
  constructor(
    message: string,
    /** What the server asks to wait, ms. */
    readonly retryAfter = 0,
  ) {
    super(message);
  }
}

export interface Hub extends HubAccess {
  readonly signal: AbortSignal | undefined;
  /** In place of the waits between tries, ms. */
  readonly waits: readonly number[];
  /** Whether it has ever answered. */
  answered: boolean;
}

export function openHub(access: HubAccess, signal?: AbortSignal, waits: readonly number[] = RETRY_WAITS_MS): Hub {
  return { ...access, signal, waits, answered: false };
}

export interface HubResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The body as it comes. Rejects with PassingFailure where the connection breaks or stalls. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * GETs `url` and lets `use` read the answer, a 200 or 206; afterwards the connection is closed, read to the end or not. `what`
 * is what messages call the thing asked for. InputError for an answer that no later try will change, else PassingFailure.
 */
export async function request<T>(
  hub: Hub,
  { url, what, range }: { readonly url: string; readonly what: string; readonly range?: string },
  use: (response: HubResponse) => Promise<T>,
): Promise<T> {
  const stalled = new AbortController();
  const why = new PassingFailure(`${what}: sent nothing for ${hub.stallMs / 1000} s`);
  const timer = setTimeout(() => stalled.abort(why), hub.stallMs);
  const close = new AbortController();
  const signals = [stalled.signal, close.signal, ...(hub.signal ? [hub.signal] : [])];
  const translate = (error: unknown): never => {
    hub.signal?.throwIfAborted();
    if (stalled.signal.aborted) throw why;
    return refuseConnection(hub, what, error);
  };
  try {
    const response = await follow(hub, url, range, what, AbortSignal.any(signals)).catch(translate);
    hub.answered = true;
    const { status, headers } = response;
    if (PASSING.has(status) || status >= 500)
      throw new PassingFailure(`${what}: ${hostOf(url)} answers ${status}`, retryAfterOf(headers));
    if (status !== 200 && status !== 206 && status !== 416) refuseStatus(hub, what, response);
    const body = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for await (const part of response.body ?? []) {
          timer.refresh();
          yield part;
        }
      } catch (error) {
        translate(error);
      }
    };
    return await use({ status, headers, body: body() });
  } finally {
    clearTimeout(timer);
    close.abort();
  }
}

async function follow(
  hub: Hub,
  first: string,
  range: string | undefined,
  what: string,
  signal: AbortSignal,
): Promise<Response> {
  let url = new URL(first);
  for (let hops = 0; ; hops++) {
    const response = await fetch(url, {
      headers: {
        "user-agent": "antecedent",
        "accept-encoding": "identity", // ranges and sizes count the file's own bytes
        ...(range === undefined ? {} : { range }),
        ...(hub.token !== undefined && url.origin === new URL(hub.endpoint).origin
          ? { authorization: `Bearer ${hub.token}` }
          : {}),
      },
      redirect: "manual",
      signal,
    });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel();
    if (hops === MAX_REDIRECTS)
      throw new InputError(`${what}: ${url.host} redirects more than ${MAX_REDIRECTS} times; is HF_ENDPOINT right?`);
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (!next || !/^https?:$/.test(next.protocol) || (url.protocol === "https:" && next.protocol === "http:"))
      throw new InputError(`${what}: ${url.host} redirects to an address that is not https; is HF_ENDPOINT right?`);
    url = next;
  }
}

/**
 * Tries again, with growing waits, what fails in passing. `bytes` counts what has come so far, where a try can go on where the
 * last one ended. An Error, whose message ends the same way for all, where it fails on every try.
 */
export async function persistently<T>(hub: Hub, attempt: () => Promise<T>, bytes: () => number = () => 0): Promise<T> {
  let failures = 0;
  for (;;) {
    const before = bytes();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error;
      failures = bytes() - before >= PROGRESS_BYTES ? 1 : failures + 1;
      const pause = hub.waits[failures - 1];
      if (pause === undefined)
        throw new Error(`${error.message}, ${failures} times in a row; the same command may go on later`);
      if (error.retryAfter > LONGEST_WAIT_MS)
        throw new Error(`${error.message} and asks to wait ${Math.ceil(error.retryAfter / 1000)} s; try again then`);
      await wait(Math.max(pause, error.retryAfter), undefined, hub.signal ? { signal: hub.signal } : {});
    }
  }
}

/** The whole body as text. InputError beyond `limit` bytes. */
export async function textOf({ body }: HubResponse, what: string, limit: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > limit) throw new InputError(`${what}: the hub sends more than ${limit} bytes; is HF_ENDPOINT right?`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

const hostOf = (url: string) => new URL(url).host;

/** Seconds that the server asks for, in ms; 0 where it does not. */
function retryAfterOf(headers: Headers): number {
  const seconds = Number(headers.get("retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? 1000 * seconds : 0;
}

/** What `fetch` says is "fetch failed"; the cause says why. */
function refuseConnection(hub: Hub, what: string, error: unknown): never {
  if (error instanceof InputError || error instanceof PassingFailure) throw error;
  const { cause } = error as Error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : (error as Error).message;
  const certificate = /CERT|TLS|SSL|SIGNATURE/.test(code);
  if (!certificate && (hub.answered || !UNREACHABLE.has(code)))
    throw new PassingFailure(`${what}: the connection broke (${code})`);
  const proxy = process.env.HTTPS_PROXY || process.env.https_proxy;
  const hint = certificate
    ? "NODE_EXTRA_CA_CERTS names the certificate of a proxy in between"
    : proxy
      ? "HTTPS_PROXY needs NODE_USE_ENV_PROXY=1 and Node 24"
      : "check the network, or name a mirror in HF_ENDPOINT";
  throw new InputError(`${what}: cannot reach ${hub.endpoint} (${code}); ${hint}`);
}
