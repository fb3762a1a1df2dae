/** `mcp` as an agent meets it: lines of JSON on stdin and stdout. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, it, vi } from "vitest";
import { freshPath, refuses } from "../bad-input.testing.js";
import { golden } from "../program.testing.js";
import { PACKAGE_ROOT } from "../terminal/package-files.js";

const TIMEOUT_MS = 50_000;
const PATIENT = { timeout: TIMEOUT_MS, interval: 100 };

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly message?: string };
  readonly result?: {
    readonly tools?: readonly { readonly name: string; readonly inputSchema: { readonly type: string } }[];
    readonly content?: readonly { readonly text: string }[];
    readonly isError?: boolean;
  };
}

const started: ChildProcessWithoutNullStreams[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** A server that has shaken hands. */
async function agent(...args: string[]) {
  const child = spawn(process.execPath, [join(PACKAGE_ROOT, "bin/antecedent.js"), "mcp", ...args]);
  started.push(child);
  const waiting = new Map<number, (message: Message) => void>();
  const heard: Message[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = JSON.parse(line) as Message;
    heard.push(message);
    if (message.id !== undefined) waiting.get(message.id)?.(message);
  });
  let next = 0;
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const ask = (method: string, params: object, id = ++next) =>
    new Promise<Message>((resolve) => {
      waiting.set(id, resolve);
      send({ id, method, params });
    });
  const call = async (name: string, given: object, meta: object = {}) => {
    const { result } = await ask("tools/call", { name, arguments: given, ...meta });
    return { text: result?.content?.[0]?.text ?? "", failed: result?.isError === true };
  };
  const hello = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } };
  await ask("initialize", hello);
  send({ method: "notifications/initialized" });
  return { child, heard, send, ask, call };
}

it("lists the commands as tools and calls them", { timeout: TIMEOUT_MS }, async () => {
  const { ask, call } = await agent();
  const { result } = await ask("tools/list", {});
  expect(result?.tools?.map(({ name }) => name)).toContain("audit");
  for (const { inputSchema } of result?.tools ?? []) expect(inputSchema.type).toBe("object");
  const listed = await call("organism_list", {});
  expect(listed.failed).toBe(false);
  expect(JSON.parse(listed.text)).toHaveProperty("organisms");
  const wrong = await call("score", { model: "nowhere-at-all" });
  expect(wrong).toEqual({ text: expect.stringMatching(/^nowhere-at-all: no such folder/), failed: true });
  expect((await call("score", { modell: "pocket" })).failed).toBe(true);
});

it("gives the document of a sweep whose points fail in part, beside what failed", { timeout: TIMEOUT_MS }, async () => {
  const file = freshPath("grid.yaml");
  const flags = `{ model: ${golden("model")}, prompts: ${golden("prompts.jsonl")}, action: no, steps: 1, samples: 0 }`;
  writeFileSync(file, `command: find\nmethod: supervised-melbo\nflags: ${flags}\ngrid: { layer: [1, 9] }\n`);
  const { ask } = await agent("--tools", "sweep");
  const { result } = await ask("tools/call", { name: "sweep", arguments: { file, out: freshPath("swept") } });
  expect(result?.isError).toBe(true);
  expect(result?.content?.[0]?.text).toMatch(/1 of 2 points: the first: .*--layer/);
  expect(JSON.parse(result?.content?.[1]?.text ?? "")).toMatchObject({ best: 0 });
});

it("ends when a line is too long to be one of the protocol", { timeout: TIMEOUT_MS }, async () => {
  const { child } = await agent("--tools", "doctor");
  child.stdin.on("error", () => {});
  child.stdin.write("x".repeat(11 << 20));
  expect(await once(child, "close")).toEqual([0, null]);
});

it("ends with 130 when it is asked to", { timeout: TIMEOUT_MS }, async () => {
  const { child } = await agent("--tools", "doctor");
  child.kill("SIGTERM");
  expect(await once(child, "close")).toEqual([130, null]);
});

it("puts a long document into a file", { timeout: TIMEOUT_MS }, async () => {
  const { call } = await agent("--tools", "encode");
  const { text } = await call("encode", { model: "pocket", prompts: "benign" });
  const { file, characters } = JSON.parse(text) as { file: string; characters: number };
  expect(readFileSync(file, "utf8")).toHaveLength(characters);
  expect(JSON.parse(readFileSync(file, "utf8"))).toHaveProperty("rows");
});

it("stops a call that is cancelled, and all when the agent leaves", { timeout: TIMEOUT_MS }, async () => {
  const { child, send, ask, call, heard } = await agent("--tools", "audit,doctor");
  const runs = [freshPath("cancelled"), freshPath("left")] as const;
  const audit = (out: string, id: number) =>
    void ask(
      "tools/call",
      { name: "audit", arguments: { target: "snow-fruit", out }, _meta: { progressToken: id } },
      id,
    );
  audit(runs[0], 100);
  await vi.waitUntil(() => existsSync(runs[0]), PATIENT);
  send({ method: "notifications/cancelled", params: { requestId: 100 } });
  // Calls take turns: this one is answered, so the audit has ended.
  expect((await call("doctor", {})).failed).toBe(false);
  expect(heard.every(({ id }) => id !== 100)).toBe(true);
  audit(runs[1], 101);
  await vi.waitUntil(() => existsSync(runs[1]), PATIENT);
  child.stdin.end();
  const [code] = await once(child, "close");
  expect(code).toBe(0);
});

it("refuses a tool that it has not", () =>
  refuses(["mcp", "--tools", "audit,sing"], /--tools: no tool is called "sing"/));
