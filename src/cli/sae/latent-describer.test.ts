/** Labels by an endpoint, against a local server. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Context } from "../../sae/contexts.js";
import { chatEndpoint } from "../action/chat-endpoint.js";
import { type Answer, type Asked, FakeEndpoint } from "../fake-endpoint.testing.js";
import { antecedent, antecedentJson, golden } from "../program.testing.js";
import { LatentDescriber, labelOf, openLatentDescriber } from "./latent-describer.js";

let server: FakeEndpoint;
let url = "";
let asked: readonly Asked[] = [];
let answer: (question: Asked, n: number) => Answer = () => ({ content: "fruit" });

beforeEach(async () => {
  server = await FakeEndpoint.start((question, n) => answer(question, n));
  ({ url, asked } = server);
});
afterEach(() => server.stop());

const describer = () =>
  new LatentDescriber(chatEndpoint({ url, model: "m", flag: "--label-url", waits: [1] }), { labelModel: "m" });
const memory = () => {
  const kept = new Map<string, Uint8Array>();
  return { get: (key: string) => kept.get(key), append: (key: string, value: Uint8Array) => void kept.set(key, value) };
};
const context = (word: string): Context => ({
  prompt: 0,
  token: 0,
  value: 1,
  before: "I eat a ",
  word,
  after: ' "today"',
  piece: word,
  pieceAt: [0, word.length],
});
const latents = (count: number) => new Map(Array.from({ length: count }, (_, i) => [i, [context(`w${i}`)]]));

describe("a model that describes latents", () => {
  it("is shown each latent's texts with the firing word marked, as data, and each text once", async () => {
    const found = await describer().describe(
      new Map([
        [3, [context("mango"), context("kiwi"), context("mango")]],
        [5, []],
      ]),
      memory(),
    );
    expect([...found]).toEqual([[3, "fruit"]]);
    expect(asked).toHaveLength(1);
    expect(asked[0]!.body.messages[1]!.content).toContain(
      JSON.stringify(['I eat a <<mango>> "today"', 'I eat a <<kiwi>> "today"']),
    );
  });

  it("is not asked again what it has answered before it failed", async () => {
    answer = (_, n) => (n < 6 ? { content: `label ${n}` } : { status: 400, body: "no more" });
    const kept = memory();
    await expect(describer().describe(latents(20), kept)).rejects.toThrow(/answers 400 \("no more"\)/);
    const before = asked.length;
    expect(before).toBeLessThan(12);
    answer = () => ({ content: "later" });
    const found = await describer().describe(latents(20), kept);
    expect(found.size).toBe(20);
    // Questions under way when one fails are ended too; three of them may still reach the server.
    const known = [...found.values()].filter((label) => label !== "later").length;
    expect(known).toBeGreaterThan(2);
    expect(asked.length - before).toBeLessThanOrEqual(20 - known + 3);
  });

  it("leaves a latent without a label where it gives none, and is given up where it mostly does", async () => {
    answer = (_, n) => ({ content: n % 4 === 0 ? "" : "fine" });
    const some = describer();
    expect((await some.describe(latents(20), memory())).size).toBe(15);
    expect(some.unusable).toBe(5);
    answer = () => ({ content: "x".repeat(300) });
    await expect(describer().describe(latents(50), memory())).rejects.toThrow(
      /8 of 8 answers are no short description/,
    );
  });

  it("may think, quote and go on", () => {
    expect(labelOf('<think>fruit?\nyes</think>\n"Tropical fruit"\nBecause …')).toBe("Tropical fruit");
    expect([labelOf(" \n"), labelOf("**")]).toEqual([undefined, undefined]);
  });

  it("is none without flags, and whole with them", () => {
    expect(openLatentDescriber({}, {})).toBeUndefined();
    expect(() => openLatentDescriber({ labelUrl: url }, {})).toThrow(/no --label-model/);
    expect(() => openLatentDescriber({ labelModel: "m" }, {})).toThrow(/no --label-url/);
    const named = { labelUrl: url, labelModel: "m", labelKeyVariable: "MY_KEY" };
    expect(() => openLatentDescriber(named, {})).toThrow(/--label-key-variable MY_KEY: the environment has no such/);
  });
});

describe("sae label", () => {
  const out = join(mkdtempSync(join(tmpdir(), "antecedent-")), "labels.jsonl");
  const label = ["sae", "label", "--model", golden("model"), "--sae", golden("sae"), "--threads", "1", "--out", out];
  const prompts = ["--prompts", golden("prompts.jsonl")];
  const lines = () =>
    readFileSync(out, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
  afterEach(() => rmSync(out, { force: true }));

  it("asks nobody unless told to", async () => {
    const { labelled } = await antecedentJson<{ labelled: number }>([...label, ...prompts]);
    expect(lines().map(({ typeName }) => typeName)).toEqual(new Array(labelled).fill("selective words"));
    expect(asked).toHaveLength(0);
  });

  it("puts descriptions first, and goes on after a failure", async () => {
    const endpoint = ["--label-url", url, "--label-model", "m"];
    answer = (_, n) => (n === 5 ? { status: 401, body: "key" } : { content: `about ${n}` });
    const failed = await antecedent([...label, ...prompts, ...endpoint]);
    expect([failed.code, failed.stdout]).toEqual([2, ""]);
    expect(failed.stderr).toMatch(
      /\d answers are kept in .*labels.jsonl.answers; the same command goes on[\s\S]*answers 401/,
    );
    expect([existsSync(out), existsSync(`${out}.answers`)]).toEqual([false, true]);
    const before = asked.length;
    const done = await antecedentJson<{ labelled: number; described: number }>([...label, ...prompts, ...endpoint]);
    expect(done.described).toBe(done.labelled);
    expect(asked.length - before).toBeLessThan(done.labelled);
    expect(existsSync(`${out}.answers`)).toBe(false);
    expect(lines()[0]).toMatchObject({ typeName: "described contexts", explanationModelName: "m" });
    expect(lines()[0]!.description).toMatch(/^about \d+$/);
    expect(lines()[1]).toMatchObject({ index: lines()[0]!.index, typeName: "selective words" });
  });
});
