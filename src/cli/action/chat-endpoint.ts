/**
 * A client of one OpenAI-compatible chat completions endpoint that the user named, local servers included. What comes back is
 * a stranger's: bounded in size and time, parsed strictly, never followed elsewhere.
 */
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { InputError, quote } from "../../formats/input-error.js";
import { jsonOrNothing } from "../../formats/json.js";

/** A large model on a slow machine answers a short question within this; a hanging server must not hang us. */
const TIMEOUT_MS = 120_000;
/** An answer of MAX_ANSWER_TOKENS has some kB; the envelope a few more. */
const MAX_RESPONSE_BYTES = 1 << 20;
/** Models that think aloud before they answer need some hundred. */
const MAX_ANSWER_TOKENS = 1024;
/** Waits before the tries after the first, ms: half a minute bridges a rate limit or a server's restart. */
const RETRY_WAITS_MS = [500, 2000, 8000, 20_000];
/** A server may ask for a longer wait (Retry-After), up to this, ms. */
const LONGEST_WAIT_MS = 60_000;
/** Statuses that a later try may not meet: timeout, conflict, too early, rate limit; and every server error. */
const PASSING = new Set([408, 409, 425, 429]);
/** Without a seed, which strict servers refuse where they do not draw. */
const LIKELIEST = { temperature: 0 };
const LOCAL_HOSTS = /^(localhost|127(\.\d+){3}|\[::1\])$/;

const completion = z.looseObject({
  choices: z.array(z.looseObject({ message: z.looseObject({ content: z.string() }) })).min(1),
});

export interface ChatMessage {
  readonly role: "system" | "user";
  readonly content: string;
}

export interface ChatEndpointOptions {
  /** The API's root (…/v1) or the completions address itself. */
  readonly url: string;
  readonly model: string;
  readonly key?: string | undefined;
  /** What the URL came from, for messages. */
  readonly flag: string;
  /** In place of the waits between tries, ms. */
  readonly waits?: readonly number[];
}

/** How an answer is drawn. */
export interface AnswerSampling {
  readonly temperature: number;
  /** Endpoints that draw reproducibly go by it; others pass over it. */
  readonly seed: number;
}

/** Asks for one answer: the likeliest (temperature 0) unless `sampling` says otherwise. */
export type Ask = (
  messages: readonly ChatMessage[],
  signal?: AbortSignal,
  sampling?: AnswerSampling,
) => Promise<string>;

/**
 * InputError, at once, for an address that cannot be one; and from a call, where the endpoint cannot be reached, refuses the
 * question or answers something else than completions do. An Error where it fails on every try.
 */
export function chatEndpoint({ url, model, key, flag, waits = RETRY_WAITS_MS }: ChatEndpointOptions): Ask {
  const address = completionsAddress(url, key, flag);
  const where = `${flag} ${address.href}`;
  let everAnswered = false;
  return async (messages, signal, sampling: Partial<AnswerSampling> = LIKELIEST) => {
    for (let tries = 0; ; tries++) {
      signal?.throwIfAborted();
      const answer = await post(address, { model, key, messages, signal, sampling }).catch((error: unknown) => {
        signal?.throwIfAborted();
        return { failure: reasonOf(error), unreachable: true, retryAfter: 0 } as const;
      });
      if (!("unreachable" in answer && answer.unreachable)) everAnswered = true;
      if ("content" in answer) return answer.content;
      if ("refusal" in answer) throw new InputError(`${where}: ${answer.refusal}`);
      // A server that has never answered is most likely not there: waiting long for it helps nobody.
      const pause = everAnswered || tries === 0 ? waits[tries] : undefined;
      if (pause === undefined) {
        const said = `${where}: ${answer.failure}, ${tries + 1} times in a row`;
        if (answer.unreachable) throw new InputError(`${said}; start the server, or name another`);
        throw new Error(`${said}; the same command may work later`);
      }
      await wait(Math.max(pause, Math.min(answer.retryAfter, LONGEST_WAIT_MS)), undefined, signal ? { signal } : {});
    }
  };
}

function completionsAddress(text: string, key: string | undefined, flag: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new InputError(`${flag} ${quote(text)}: is no http address; give one such as http://localhost:8000/v1`);
  if (url.username !== "" || url.password !== "")
    throw new InputError(`${flag}: the address holds a user name or password; give the key in an environment variable`);
  if (key !== undefined && url.protocol === "http:" && !LOCAL_HOSTS.test(url.hostname))
    throw new InputError(`${flag} ${url.host}: a key is not sent over http; give an https address, or unset the key`);
  if (!url.pathname.endsWith("/chat/completions"))
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/chat/completions`;
  return url;
}

type Answer =
  | { readonly content: string }
  /** Another try would end the same. */
  | { readonly refusal: string }
  | { readonly failure: string; readonly unreachable: boolean; readonly retryAfter: number };

interface Question {
  readonly model: string;
  readonly key: string | undefined;
  readonly messages: readonly ChatMessage[];
  readonly signal: AbortSignal | undefined;
  readonly sampling: Partial<AnswerSampling>;
}

async function post(address: URL, { model, key, messages, signal, sampling }: Question): Promise<Answer> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ model, messages, ...sampling, max_tokens: MAX_ANSWER_TOKENS, stream: false }),
    redirect: "manual", // the key and the replies are for the named host alone
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
  const text = await boundedText(response);
  const { status } = response;
  if (PASSING.has(status) || status >= 500)
    return { failure: `answers ${status}`, unreachable: false, retryAfter: retryAfterOf(response) };
  if (status !== 200) return { refusal: `answers ${status} (${quote(text ?? "", 200)})` };
  if (text === undefined) return { refusal: `answers more than ${MAX_RESPONSE_BYTES} bytes` };
  const parsed = completion.safeParse(jsonOrNothing(text));
  if (!parsed.success) return { refusal: `answers no chat completion (${quote(text, 200)})` };
  return { content: parsed.data.choices[0]!.message.content };
}

/** The body as text; undefined, and the rest unread, where it is longer than it may be. */
async function boundedText(response: Response): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_RESPONSE_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Seconds that the server asks for, in ms; 0 where it does not. */
function retryAfterOf({ headers }: Response): number {
  const seconds = Number(headers.get("retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? 1000 * seconds : 0;
}

/** What `fetch` says is "fetch failed"; the cause says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "cannot be reached";
  if (error.name === "TimeoutError") return `gives no answer within ${TIMEOUT_MS / 1000} s`;
  const { cause } = error;
  const why = cause instanceof Error ? ("code" in cause ? String(cause.code) : cause.message) : error.message;
  return `cannot be reached (${why})`;
}

/** An endpoint's key: from the variable that `flag` names, else from the usual one where there is such, which may be missing. An empty one is none. */
export function endpointKey(
  environment: NodeJS.ProcessEnv,
  flag: string,
  named: string | undefined,
  usual?: string,
): string | undefined {
  const variable = named ?? usual;
  const key = variable === undefined ? undefined : environment[variable] || undefined;
  if (named !== undefined && key === undefined)
    throw new InputError(`${flag} ${variable}: the environment has no such variable; set it, or leave the flag out`);
  return key;
}
