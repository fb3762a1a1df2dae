/**
 * A web server for this machine alone: it listens on the loopback address, answers GET and HEAD, and only where the browser asked for it by a
 * loopback name (a page of another site whose name leads here is refused). Pages may load and run nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { InputError } from "../../formats/input-error.js";
import { POLICY } from "../../report/page.js";
import type { Page } from "./run-pages.js";

const ADDRESS = "127.0.0.1";
const NAMES = [ADDRESS, "localhost"];
/** Longer addresses name no run. */
const MAX_PATH = 4096;

export interface LocalServer {
  readonly url: string;
  /** Ends when the signal is aborted and every answer is out. */
  readonly closed: Promise<void>;
}

/** Serves `pageAt` on a port (0: any free one). InputError where the port is not to be had. */
export async function serveLocally(
  pageAt: (path: string) => Promise<Page>,
  port: number,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<LocalServer> {
  const server = createServer((request, response) => {
    answer(request, response, pageAt).catch((error: unknown) => {
      log(`${request.url}: ${error instanceof Error ? error.message : String(error)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(new InputError(`--port ${port}: ${reasonOf(error)}; give another, or 0 for a free one`)),
    );
    server.listen(port, ADDRESS, resolve);
  });
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  const stop = () => {
    server.close();
    server.closeIdleConnections();
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return { url: `http://${ADDRESS}:${(server.address() as AddressInfo).port}/`, closed };
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  return code === "EADDRINUSE" ? "is in use" : code === "EACCES" ? "needs more rights" : message;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pageAt: (path: string) => Promise<Page>,
): Promise<void> {
  const refuse = (status: number, why: string) => {
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
    response.end(`${why}\n`);
  };
  const port = request.socket.localPort;
  if (!NAMES.some((name) => request.headers.host === `${name}:${port}`))
    return refuse(421, "this server answers on 127.0.0.1 and localhost alone");
  if (request.method !== "GET" && request.method !== "HEAD")
    return refuse(405, "pages are read here, and nothing else");
  const [path = ""] = (request.url ?? "").split("?");
  if (path.length > MAX_PATH) return refuse(414, "the address is too long");
  const { status, html } = await pageAt(path);
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-length": Buffer.byteLength(html),
    "content-security-policy": `${POLICY}; frame-ancestors 'none'`,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  });
  response.end(request.method === "HEAD" ? undefined : html);
}
