/** A local chat completions server that answers, and misbehaves, as a test says. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: { model: string; temperature: number; seed?: number; messages: { role: string; content: string }[] };
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** In place of a completion. */
  readonly body?: string;
  readonly content?: string;
}

export class FakeEndpoint {
  /** Every question so far. */
  readonly asked: Asked[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @param answer what it answers to the n-th question, from 0 */
  static async start(answer: (question: Asked, n: number) => Answer): Promise<FakeEndpoint> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const endpoint = new FakeEndpoint(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
    server.on("request", async (request, response) => {
      const question: Asked = {
        url: request.url ?? "",
        authorization: request.headers.authorization,
        body: JSON.parse(await textOf(request)),
      };
      const { status = 200, headers = {}, body, content } = answer(question, endpoint.asked.push(question) - 1);
      response.writeHead(status, headers);
      response.end(body ?? JSON.stringify({ choices: [{ message: { role: "assistant", content } }] }));
    });
    return endpoint;
  }

  stop(): Promise<void> {
    return new Promise((done) => {
      this.server.close(() => done());
      this.server.closeAllConnections();
    });
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}
