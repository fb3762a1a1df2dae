/** The variables that huggingface_hub and its kin go by: where the cache is, which hub is asked, with which token. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { InputError, quote } from "../formats/input-error.js";

const PUBLIC_HUB = "https://huggingface.co";
/** What counts as set, in capitals. */
const TRUE = new Set(["1", "ON", "YES", "TRUE"]);
/** Seconds without a byte after which a transfer has stalled, unless HF_HUB_DOWNLOAD_TIMEOUT says otherwise. */
const STALL_SECONDS = 30;
/** Tokens have some 40 characters; a longer file is something else. */
const MAX_TOKEN_CHARACTERS = 1000;
const LOCAL_HOSTS = /^(localhost|127(\.\d+){3}|\[::1\])$/;

export interface HubEnvironment {
  /** Folder of models--owner--name folders. */
  readonly cache: string;
  /** Whether the cache alone may be used. */
  readonly offline: boolean;
  /** Snapshots hold files rather than symbolic links to blobs. */
  readonly plainFiles: boolean;
}

/** Which hub, and who asks. */
export interface HubAccess {
  /** Scheme, host and perhaps a path, without a slash at the end. */
  readonly endpoint: string;
  /** Sent to the endpoint's origin alone. Never part of a message. */
  readonly token: string | undefined;
  /** There is a token that is not sent, because it would travel over http to another machine. */
  readonly tokenWithheld: boolean;
  /** Milliseconds without a byte after which a transfer has stalled. */
  readonly stallMs: number;
}

/** Where the cache is, as huggingface_hub finds it. */
export function hubEnvironment(environment: NodeJS.ProcessEnv = process.env): HubEnvironment {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE } = environment;
  const cache = HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE;
  return {
    cache: cache ? expanded(cache, environment) : join(hubHome(environment), "hub"),
    offline: isTrue(HF_HUB_OFFLINE || TRANSFORMERS_OFFLINE),
    plainFiles: isTrue(environment.HF_HUB_DISABLE_SYMLINKS),
  };
}

/** InputError where HF_ENDPOINT or HF_HUB_DOWNLOAD_TIMEOUT is none. */
export function hubAccess(environment: NodeJS.ProcessEnv = process.env): HubAccess {
  const endpoint = (environment.HF_ENDPOINT || PUBLIC_HUB).replace(/\/+$/, "");
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "")
    throw new InputError(
      `HF_ENDPOINT ${quote(endpoint)}: is no http address; unset it, or give one such as ${PUBLIC_HUB}`,
    );
  if (url.username !== "" || url.password !== "")
    throw new InputError("HF_ENDPOINT: the address holds a user name or password; give a token in HF_TOKEN");
  const token = tokenOf(environment);
  const safe = url.protocol === "https:" || LOCAL_HOSTS.test(url.hostname);
  return {
    endpoint,
    token: safe ? token : undefined,
    tokenWithheld: token !== undefined && !safe,
    stallMs: 1000 * stallSeconds(environment.HF_HUB_DOWNLOAD_TIMEOUT),
  };
}

function stallSeconds(text: string | undefined): number {
  if (!text) return STALL_SECONDS;
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 86_400))
    throw new InputError(`HF_HUB_DOWNLOAD_TIMEOUT ${quote(text)}: give seconds, more than 0 and at most a day`);
  return seconds;
}

/** HF_TOKEN, else the token that `hf auth login` left. */
function tokenOf(environment: NodeJS.ProcessEnv): string | undefined {
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HUB_DISABLE_IMPLICIT_TOKEN } = environment;
  if (isTrue(HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const given = (HF_TOKEN || HUGGING_FACE_HUB_TOKEN)?.trim();
  if (given) return plainToken(given, "HF_TOKEN");
  const path = HF_TOKEN_PATH ? expanded(HF_TOKEN_PATH, environment) : join(hubHome(environment), "token");
  try {
    return plainToken(readFileSync(path, "utf8").trim(), path) || undefined;
  } catch (error) {
    if (error instanceof InputError) throw error;
    return undefined; // nobody has logged in
  }
}

/** A line break in a token would be a header of its own; the token itself is not shown. */
function plainToken(token: string, where: string): string {
  if (token.length > MAX_TOKEN_CHARACTERS || !/^[\x21-\x7e]*$/.test(token))
    throw new InputError(`${where}: holds no Hugging Face token; one is a word such as hf_…`);
  return token;
}

function hubHome(environment: NodeJS.ProcessEnv): string {
  const { HF_HOME, XDG_CACHE_HOME } = environment;
  if (HF_HOME) return expanded(HF_HOME, environment);
  return join(XDG_CACHE_HOME ? expanded(XDG_CACHE_HOME, environment) : join(homedir(), ".cache"), "huggingface");
}

/** `~` and $VARIABLES replaced, as in a shell. */
function expanded(path: string, environment: NodeJS.ProcessEnv): string {
  return path
    .replace(/^~(?=\/|\\|$)/, homedir())
    .replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced, plain) => environment[braced ?? plain] ?? whole);
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && TRUE.has(value.toUpperCase());
}
