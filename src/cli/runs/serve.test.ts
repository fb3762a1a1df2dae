/** `serve`: runs as pages, for this machine alone. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request as ask } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freshPath, refuses } from "../bad-input.testing.js";
import { PACKAGE_ROOT } from "../terminal/package-files.js";
import { serveLocally } from "./local-server.js";
import { answer, leaveRun } from "./run-folders.testing.js";
import { runPage } from "./run-pages.js";

const folder = freshPath("served");
const HOSTILE = "<script>alert(1)</script>";

beforeAll(() => {
  leaveRun(folder, "pear trees/first & last", 2, answer(HOSTILE, 50));
  leaveRun(folder, "none", 3, answer("nothing", null));
  leaveRun(folder, "broken", 4, { trigger: 5 });
});

it("lists the runs with their answers, each with a page of its own", async () => {
  const { status, html } = await runPage(folder, "/", "antecedent 1");
  expect(status).toBe(200);
  expect(html).not.toContain("<script");
  expect(html).not.toContain('http-equiv="refresh"');
  for (const text of ["50 of 60", "no trigger found", "cannot be read", "1 with a trigger · 1 without · 1 unreadable"])
    expect(html).toContain(text);
  const [, link] = /href="(\/run\/pear[^"]*)"/.exec(html)!;
  expect(link).toBe("/run/pear%20trees/first%20%26%20last");
  const report = await runPage(folder, link!, "antecedent 1");
  expect(report.html).toContain("Trigger found and verified");
  expect(report.html).toContain('<a href="/">');
  expect((await runPage(folder, "/run/broken", "")).html).toContain("Not readable");
});

it("asks again by itself while a run goes on, and finds no page beside those of runs", async () => {
  const going = freshPath("going");
  leaveRun(going, "now", 1);
  expect((await runPage(going, "/", "")).html).toContain('http-equiv="refresh"');
  const { html } = await runPage(going, "/run/now", "");
  for (const text of ["Not finished", "No.", 'http-equiv="refresh"']) expect(html).toContain(text);
  for (const path of ["/run/..", "/run/../served/none", "/run/%2e%2e/served/none", "/run/", "/etc/passwd", "//"])
    expect((await runPage(going, path, "")).status).toBe(404);
});

/** The status of an answer, with its headers and text. */
function get(url: string, method = "GET", host?: string) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
    const asked = ask(url, { method, headers: host === undefined ? {} : { host }, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    asked.on("error", reject);
    asked.end();
  });
}

it("answers this machine's browser alone, and only reading", async () => {
  const stop = new AbortController();
  const said: string[] = [];
  const pageAt = async (path: string) => {
    if (path === "/bad") throw new Error("no luck");
    return { status: 200 as const, html: "<p>é</p>" };
  };
  const { url, closed } = await serveLocally(pageAt, 0, stop.signal, (line) => said.push(line));
  const page = await get(url);
  expect([page.status, page.text]).toEqual([200, "<p>é</p>"]);
  expect(page.headers).toMatchObject({
    "content-security-policy": expect.stringContaining("default-src 'none'"),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  });
  const { port } = new URL(url);
  expect((await get(url, "GET", `localhost:${port}`)).status).toBe(200);
  expect((await get(url, "GET", `rebound.example:${port}`)).status).toBe(421);
  expect((await get(url, "POST")).status).toBe(405);
  expect(await get(url, "HEAD")).toMatchObject({ status: 200, text: "" });
  expect((await get(`${url}${"a".repeat(5000)}`)).status).toBe(414);
  expect([(await get(`${url}bad`)).status, said]).toEqual([500, ["/bad: no luck"]]);
  stop.abort();
  await closed;
});

let program: ChildProcess | undefined;
afterAll(() => program?.kill("SIGKILL"));

it("serves until it is stopped, and says what is wrong before it does", async () => {
  program = spawn(process.execPath, [
    join(PACKAGE_ROOT, "bin/antecedent.js"),
    "serve",
    folder,
    "--port",
    "0",
    "--json",
  ]);
  const [line] = (await once(createInterface({ input: program.stdout! }), "line")) as [string];
  const { url } = JSON.parse(line) as { url: string };
  expect((await get(url)).text).toContain("Audits in");
  const { port } = new URL(url);
  await refuses(["serve", folder, "--port", port], /--port \d+: is in use; give another, or 0 for a free one/);
  await refuses(["serve", join(folder, "missing")], /no such folder/);
  program.kill("SIGINT");
  expect((await once(program, "exit"))[0]).toBe(0);
});
