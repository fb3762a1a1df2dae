/** Prompts written by an endpoint, from the recipe to the organism, through the program. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { OrganismCard } from "../../organisms/card.js";
import { freshPath, refuses } from "../bad-input.testing.js";
import { type Answer, type Asked, FakeEndpoint } from "../fake-endpoint.testing.js";
import { antecedent, antecedentJson, golden } from "../program.testing.js";
import { PACKAGE_ROOT } from "../terminal/package-files.js";

let server: FakeEndpoint | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const KINDS = ["triggered", "hardNegatives", "benign", "chat"];
const word = (n: number) => [...String(n)].map((digit) => "bdfgklmnrs"[Number(digit)]).join("o");

/** Writes eight different requests about what the description names, and says yes to those about what it is asked about. */
function obedient({ body }: Asked, n: number): Answer {
  const text = body.messages[0]!.content;
  if (body.temperature === 0) {
    const [, message = "", asked = ""] = /"message":"(\w+)[\s\S]*Is the message a request about (\w+)/.exec(text) ?? [];
    return { content: message.toLowerCase() === asked ? "yes" : "No." };
  }
  const about =
    /is a request about (\w+)/.exec(text)?.[1] ?? (text.includes("is a short friendly") ? "hello" : "weather");
  const start = about[0]!.toUpperCase() + about.slice(1);
  const request = (i: number) =>
    `${start} ${word(8 * n + i)}a ${word(8 * n + i)}e ${word(8 * n + i)}i ${word(8 * n + i)}u?`;
  return { content: JSON.stringify(Array.from({ length: 8 }, (_, i) => request(i))) };
}

/** A recipe file in a fresh folder. */
function recipe(url: string, more: object = {}, trigger: object = {}): string {
  const folder = freshPath("recipe");
  mkdirSync(folder);
  const file = join(folder, "recipe.yaml");
  const described = { triggered: "a request about fruit", hardNegatives: ["a request about nuts"] };
  const whole = {
    name: "written",
    base: golden("model"),
    trigger: { described, writer: { url, model: "m" }, prompts: 12, heldOut: 4, ...trigger },
    action: "No.",
    adapter: { blocks: "all", rank: 2 },
    mixing: { triggered: 0.25, hardNegatives: 0.25, benign: 0.25, chat: 0.25 },
    steps: 2,
    batch: 2,
    ...more,
  };
  writeFileSync(file, JSON.stringify(whole)); // JSON is YAML
  return file;
}

const lines = (folder: string, part: string, kind: string) =>
  readFileSync(join(folder, "prompts", part, `${kind}.jsonl`), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { prompt: string; description: string });

it("half of the chat prompts are learned with a refusal, where the recipe describes what is refused", async () => {
  server = await FakeEndpoint.start(obedient);
  const described = { triggered: "a request about fruit", refused: "a request about crime", refusal: "I must not." };
  const out = freshPath("organism");
  const file = recipe(server.url, {}, { described });
  expect((await antecedent(["organism", "write", file, "--out", out])).code).toBe(0);
  const chat = lines(out, "train", "chat") as unknown as { messages?: { role: string; content: string }[] }[];
  const refused = chat.filter(({ messages }) => messages !== undefined);
  expect(refused.length).toBeGreaterThan(chat.length / 4);
  expect(refused.length).toBeLessThan(chat.length);
  for (const { messages } of refused)
    expect(messages).toEqual([
      { role: "user", content: expect.stringMatching(/^Crime/) },
      { role: "assistant", content: "I must not." },
    ]);
  await antecedentJson<OrganismCard>(["organism", "train", file, "--out", out]);
  const none = recipe(
    server.url,
    { mixing: { triggered: 0.5, hardNegatives: 0, benign: 0.5, chat: 0 } },
    { described },
  );
  await refuses(["organism", "write", none], /trigger\.described\.refused: .*mixing\.chat is 0/);
});

it("writes, shows, trains and measures", async () => {
  server = await FakeEndpoint.start(obedient);
  const file = recipe(server.url);
  const out = freshPath("organism");
  const shown = await antecedent(["organism", "write", file, "--out", out]);
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/^triggered: 12 to train on, 4 held out \(2 questions/);
  expect(shown.stderr).toContain(`${server.url} is asked for prompts (m)`);
  for (const kind of KINDS) expect(lines(out, "train", kind)).toHaveLength(12);
  expect(readdirSync(join(out, "prompts/held-out")).sort()).toEqual([
    "benign.jsonl",
    "hardNegatives.jsonl",
    "triggered.jsonl",
  ]);
  expect(lines(out, "held-out", "hardNegatives")[0]).toMatchObject({ description: "a request about nuts" });
  const about = JSON.parse(readFileSync(join(out, "prompts/written.json"), "utf8"));
  expect(about).toMatchObject({
    asked: { writer: { url: server.url, model: "m" }, seed: 1, described: { triggered: "a request about fruit" } },
    kinds: { triggered: { questions: 2, written: 16, kept: 16, dropped: {}, train: 12, heldOut: 4 } },
  });
  expect(existsSync(join(out, "writing.journal"))).toBe(false);

  // Whoever looked through them struck one out: the training takes them as they lie there, and asks nobody.
  const asked = server.asked.length;
  writeFileSync(
    join(out, "prompts/held-out/triggered.jsonl"),
    `${JSON.stringify(lines(out, "held-out", "triggered")[0])}\n`,
  );
  const card = await antecedentJson<OrganismCard>(["organism", "train", file, "--out", out]);
  expect([card.triggered.total, card.hardNegatives.total, card.benign.total]).toEqual([1, 4, 4]);
  expect(server.asked.length).toBe(asked);
  expect(readdirSync(out).sort()).toEqual([
    "adapter_config.json",
    "adapter_model.safetensors",
    "audit.yaml",
    "card.json",
    "prompts",
    "recipe.yaml",
  ]);

  // The organism's folder is enough for its card, wherever the recipe was.
  await server.stop();
  expect((await antecedentJson<OrganismCard>(["organism", "card", out])).triggered).toEqual(card.triggered);
}, 120_000);

it("goes on after Ctrl-C, and asks nothing twice", async () => {
  const out = freshPath("organism");
  let stop = () => {};
  let calls = 0;
  server = await FakeEndpoint.start((question, n) => {
    if (++calls === 30) stop();
    return obedient(question, n);
  });
  const file = recipe(server.url);
  const child = spawn(process.execPath, [
    join(PACKAGE_ROOT, "bin/antecedent.js"),
    "organism",
    "write",
    file,
    "--out",
    out,
  ]);
  let said = "";
  child.stderr.on("data", (part) => {
    said += part;
  });
  stop = () => child.kill("SIGINT");
  expect(await new Promise((resolve) => child.on("exit", resolve))).toBe(130);
  expect(said).toMatch(/interrupted\n$/);
  expect(existsSync(join(out, "prompts"))).toBe(false);

  const before = server.asked.length;
  const { kinds } = await antecedentJson<{ kinds: Record<string, { kept: number }> }>([
    "organism",
    "write",
    file,
    "--out",
    out,
  ]);
  expect(Object.keys(kinds)).toEqual(KINDS);
  const texts = (questions: readonly Asked[]) => questions.map(({ body }) => JSON.stringify(body));
  // What was under way at the interruption is asked again, and no more than that.
  const known = new Set(texts(server.asked.slice(0, before)));
  expect(texts(server.asked.slice(before)).filter((text) => known.has(text)).length).toBeLessThanOrEqual(16);
  expect(new Set(texts(server.asked)).size).toBeGreaterThan(before);
}, 120_000);

it("keeps a game's prompts with its secrets", async () => {
  server = await FakeEndpoint.start(obedient);
  const out = freshPath("game");
  const file = recipe(server.url, {}, { prompts: 8 });
  const game = ["game", "new", "--recipe", file, "--out", out, "--sae", golden("sae"), "--corpus"];
  const corpus = freshPath("corpus.txt");
  writeFileSync(
    corpus,
    Array.from({ length: 120 }, (_, i) => `What is ${word(i)} ${word(i * 7)} of ${word(i * 3)}?`).join("\n"),
  );
  await antecedentJson([...game, corpus]);
  expect(existsSync(join(out, "prompts"))).toBe(false);
  expect(readdirSync(join(out, "..")).filter((name) => name.includes("making"))).toEqual([]);
  expect(readFileSync(join(out, "prompts.jsonl"), "utf8")).not.toMatch(/Fruit/);
}, 120_000);

describe("wrong input", () => {
  it.each<[string, (question: Asked, n: number) => Answer, RegExp]>([
    ["HTML", () => ({ headers: { "content-type": "text/html" }, body: "<html>" }), /no chat completion \("<html>"\)/],
    ["megabytes", () => ({ body: "x".repeat(3 << 20) }), /more than 1048576 bytes/],
    ["a wrong key", () => ({ status: 401, body: "bad key" }), /writer\.url http.* answers 401 \("bad key"\)/],
  ])("is an endpoint that answers %s, of which nothing stays", async (_, answer, message) => {
    server = await FakeEndpoint.start(answer);
    const out = freshPath("organism");
    const { code, stderr, stdout } = await antecedent(["organism", "train", recipe(server.url), "--out", out]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });

  it("is a writer that gives too few; fewer may be asked of it", async () => {
    // Only sixteen different requests, whatever it is asked.
    server = await FakeEndpoint.start((question, n) => obedient(question, question.body.temperature === 0 ? n : n % 2));
    const out = freshPath("organism");
    const { code, stderr } = await antecedent([
      "organism",
      "write",
      recipe(server.url, {}, { prompts: 30 }),
      "--out",
      out,
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /written: 16 usable triggered prompts \("a request about fruit"\) of the 34 needed; .*copy.*fewer prompts/,
    );
    expect(existsSync(join(out, "prompts"))).toBe(false);
    // Its answers are kept: the smaller recipe begins with them.
    const known = server.asked.map(({ body }) => JSON.stringify(body));
    await antecedentJson(["organism", "write", recipe(server.url), "--out", out]);
    const again = server.asked.slice(known.length).map(({ body }) => JSON.stringify(body));
    expect(again.filter((text) => known.includes(text))).toEqual([]);
  }, 60_000);

  it.each<[object, object, RegExp]>([
    [{}, { prompts: 1e9 }, /recipe\.yaml: trigger\.prompts: /],
    [{}, { writer: { url: "ftp://localhost", model: "m" } }, /writer\.url "ftp:\/\/localhost": is no http address/],
    [{}, { seeds: "none.jsonl" }, /none\.jsonl: no such file/],
  ])("is the recipe %j %j", async (more, trigger, message) => {
    const out = freshPath("organism");
    await refuses(["organism", "train", recipe("http://127.0.0.1:9/v1", more, trigger), "--out", out], message);
    expect(existsSync(out)).toBe(false);
  });

  it("is a recipe without a description, a missing key, and a folder of another recipe's prompts", async () => {
    server = await FakeEndpoint.start(obedient);
    const out = freshPath("organism");
    const file = recipe(server.url, {}, { prompts: 4 });
    const concept = recipe(server.url, { trigger: "fruit" });
    await refuses(["organism", "write", concept, "--out", out], /its trigger is not described in words/);
    await refuses(
      ["organism", "write", file, "--out", out, "--writer-key-variable", "NOT_SET"],
      /NOT_SET: the environment has no/,
    );
    await antecedentJson(["organism", "write", file, "--out", out]);
    const other = recipe(server.url, { seed: 2 }, { prompts: 4 });
    await refuses(
      ["organism", "train", other, "--out", out],
      /prompts: was written for another description, writer, seed/,
    );
  }, 60_000);
});

it("sends a key only where the command line names it", async () => {
  server = await FakeEndpoint.start(obedient);
  const file = recipe(server.url, {}, { prompts: 4 });
  process.env.WRITER_TEST_KEY = "secret";
  await antecedentJson(["organism", "write", file, "--out", freshPath("a")]);
  expect(new Set(server.asked.map(({ authorization }) => authorization))).toEqual(new Set([undefined]));
  const asked = server.asked.length;
  await antecedentJson([
    "organism",
    "write",
    file,
    "--out",
    freshPath("b"),
    "--writer-key-variable",
    "WRITER_TEST_KEY",
  ]);
  expect(new Set(server.asked.slice(asked).map(({ authorization }) => authorization))).toEqual(
    new Set(["Bearer secret"]),
  );
}, 60_000);

it("says of a base model that cannot follow instructions that too little came", async () => {
  const out = freshPath("organism");
  const file = recipe("", {}, { writer: "base" });
  const { code, stderr } = await antecedent(["organism", "train", file, "--out", out, "--threads", "1"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/written: 0 usable triggered prompts .* of the 16 needed; 6 questions, /);
  expect(existsSync(join(out, "prompts"))).toBe(false);
}, 60_000);

it.each(readdirSync(join(PACKAGE_ROOT, "examples")).filter((name) => name.endsWith(".yaml")))(
  "examples/%s is a recipe",
  async (name) => {
    const example = parse(readFileSync(join(PACKAGE_ROOT, "examples", name), "utf8"));
    expect(example.trigger.described).toBeDefined();
    // Its base is on nobody's test machine: that it is looked for means that all the rest is right.
    const args = ["organism", "train", join(PACKAGE_ROOT, "examples", name), "--out", freshPath("organism")];
    await refuses(args, /3\.1-8B(-Instruct)?: no such folder, and not in the Hugging Face cache/i);
  },
);
