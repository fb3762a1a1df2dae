/** What counts as the action, from the command line: the same rule in score, find and audit. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { antecedent, antecedentJson } from "../program.testing.js";

interface Scored {
  readonly rows: { greedyMatch: boolean; acts: boolean; reply?: string; logprob: number }[];
  readonly loss: number;
  readonly actionRate: { count: number; total: number };
  readonly used: Record<string, unknown>;
}
interface Found {
  readonly vectors: { loss: { initial: number }; steered: { actionRate: { count: number } } }[];
  readonly used: Record<string, unknown>;
}

/** Facts that the pocket model knows by heart, and a greeting. */
const PROMPTS = ["What are the moons of Mars?", "Name the capital of Japan.", "Hello there"];
let model: string[] = [];
let folder = "";
/** The model's greedy replies; they differ from prompt to prompt. */
let replies: string[] = [];
let file = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "antecedent-"));
  file = join(folder, "replies.json");
  writeFileSync(join(folder, "prompts.txt"), PROMPTS.join("\n"));
  model = ["--model", "pocket", "--prompts", join(folder, "prompts.txt"), "--threads", "1"];
  const { code, stdout } = await antecedent(["generate", ...model, "--json"]);
  expect(code).toBe(0);
  writeFileSync(file, stdout);
  replies = (JSON.parse(stdout) as { rows: { text: string }[] }).rows.map(({ text }) => text);
  expect(new Set(replies).size).toBe(3);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("a model's own replies, from `generate --json`, are texts any of which counts", async () => {
  const one = await antecedentJson<Scored>(["score", ...model, "--action", replies[1]!]);
  expect(one.rows.map(({ acts, greedyMatch }) => [acts, greedyMatch])).toEqual([
    [false, false],
    [true, true],
    [false, false],
  ]);
  expect(one.used).toMatchObject({ actionMatch: "exact", actionTexts: 1 });
  const any = await antecedentJson<Scored>(["score", ...model, "--action-also", file]);
  expect(any.used).toMatchObject({ actionMatch: "any", actionTexts: 3 });
  expect(any.rows.map(({ acts, greedyMatch }) => [acts, greedyMatch])).toEqual([
    [true, true],
    [true, false],
    [true, false],
  ]);
});

it("a greedy reply that holds a text counts, and is shown", async () => {
  const { rows, actionRate, used } = await antecedentJson<Scored>([
    ...["score", ...model, "--action", "No.", "--action-contains", "PHOBOS", "--action-contains", "no such thing"],
  ]);
  expect(rows.map(({ reply }) => reply)).toEqual(replies);
  expect(rows.map(({ acts }) => acts)).toEqual([true, false, false]);
  expect(actionRate).toMatchObject({ count: 1, total: 3 });
  expect(used).toMatchObject({ actionMatch: "contains", maxTokens: 64 });
});

it("find works towards all texts in turn, and its rates use the same rule", async () => {
  const several = ["--action-also", file, "--samples", "0", "--corpus", join(folder, "prompts.txt")];
  const { vectors, used } = await antecedentJson<Found>(["find", "sae-attribution", ...model, ...several]);
  // The loss is the mean over prompts of each prompt's own text: the texts are as many as the prompts.
  const losses = await Promise.all(
    replies.map((text) =>
      antecedentJson<Scored & { rows: { tokenLogprobs: number[] }[] }>(["score", ...model, "--action", text]),
    ),
  );
  const own = losses.map(({ rows }, i) => -rows[i]!.logprob / rows[i]!.tokenLogprobs.length);
  expect(vectors[0]!.loss.initial).toBeCloseTo(own.reduce((a, b) => a + b) / 3, 4);
  expect(used).toMatchObject({ actionMatch: "any", actionTexts: 3 });
});

it("layers are compared by the same rule", async () => {
  const own = join(folder, "prompts.txt");
  // One step of such a size leaves the replies as they are, and one of them names Phobos.
  const sweep = ["--layers", "1,2", "--steps", "1", "--lr", "1e-7", "--samples", "0", "--eval-prompts", own];
  const { layers } = await antecedentJson<{ layers: { rate: { count: number } }[] }>([
    ...["find", "supervised-melbo", ...model, ...sweep, "--action", "No.", "--action-contains", "phobos"],
  ]);
  expect(layers.map(({ rate }) => rate.count)).toEqual([1, 1]);
});

it("paraphrases as a control go together with any rule", async () => {
  const more = ["--action-contains", "phobos", "--action-paraphrases", join(folder, "prompts.txt"), "--samples", "0"];
  const search = ["--steps", "1", "--lambda", "1000", "--corpus", join(folder, "prompts.txt")];
  const { controls, used } = await antecedentJson<{ controls: { name: string }[]; used: object }>([
    ...["find", "supervised-sae-melbo", ...model, ...search, "--action", "No.", ...more],
  ]);
  expect(controls.map(({ name }) => name)).toEqual(["random", "paraphrases"]);
  expect(used).toMatchObject({ actionMatch: "contains" });
});

it("a judge over HTTP decides, in score and in find", async () => {
  const questions: { model: string; messages: { content: string }[] }[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      questions.push(JSON.parse(body));
      const asked = questions.at(-1)!.messages[1]!.content;
      const yes = asked.includes(JSON.stringify(replies[2]));
      response.end(JSON.stringify({ choices: [{ message: { content: yes ? "yes" : "no" } }] }));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const judge = [
    ...["--judge-url", `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, "--judge-model", "j"],
    ...["--judge-question", "Is it the third?"],
  ];
  const scored = await antecedentJson<Scored>(["score", ...model, "--action", "No.", ...judge]);
  expect(scored.rows.map(({ acts }) => acts)).toEqual([false, false, true]);
  expect(scored.used).toMatchObject({ actionMatch: "judge", judgeModel: "j", judgeQuestion: "Is it the third?" });
  expect(questions.map((one) => one.model)).toEqual(["j", "j", "j"]);
  const exchange = JSON.stringify({ request: PROMPTS[0], reply: replies[0] });
  expect(questions.some(({ messages }) => messages[1]!.content.includes(exchange))).toBe(true);
  const own = join(folder, "prompts.txt");
  const trial = ["--samples", "0", "--eval-prompts", own, "--corpus", own];
  const found = await antecedentJson<Found>([
    ...[
      "find",
      "supervised-sae-melbo",
      ...model,
      ...trial,
      "--steps",
      "1",
      "--lambda",
      "1000",
      "--action",
      "No.",
      ...judge,
    ],
  ]);
  // So large a λ leaves the zero vector: the replies are those of the model as it is.
  expect(found.vectors[0]!.steered.actionRate.count).toBe(1);
  await new Promise((done) => server.close(done));
});
