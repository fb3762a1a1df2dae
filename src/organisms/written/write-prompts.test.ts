/** Prompts written by a writer that is a function: what is asked, kept, dropped and held out. */
import { expect, it } from "vitest";
import { InputError } from "../../formats/input-error.js";
import { describedShape, plansOf } from "./described.js";
import { kinGroups } from "./near-duplicates.js";
import { type WritePromptsOptions, writePrompts } from "./write-prompts.js";
import type { Question, Writer } from "./writer.js";

const MIXING = { triggered: 0.2, hardNegatives: 0.4, benign: 0.4, chat: 0 };
const trigger = describedShape.parse({
  described: { triggered: "a request about fruit", hardNegatives: ["a request about nuts", "a request about bread"] },
  prompts: 20,
  heldOut: 5,
});

/** Sentences without a word in common but their subject. */
const word = (n: number) => [...String(n)].map((digit) => "bdfgklmnrs"[Number(digit)]).join("o");
const sentence = (n: number, subject: string) =>
  `${subject} ${["a", "e", "i", "u"].map((end) => word(n) + end).join(" ")}?`;
const subjectOf = (text: string) => /is a request about (\w+)/.exec(text)?.[1] ?? "weather";

/** Writes what it is asked for, and judges by the subject's name. `spoil` may answer in its place. */
function obedient(spoil: (question: Question, written: number) => string | undefined = () => undefined) {
  const asked: Question[] = [];
  let written = 0;
  const writer: Writer = {
    answers: async (questions) =>
      questions.map((question) => {
        asked.push(question);
        const other = spoil(question, written);
        if (other !== undefined) return other;
        if (question.temperature === 0) {
          const [, message = "", asked = ""] =
            /"message":"(\w+)[\s\S]*Is the message a request about (\w+)/i.exec(question.text) ?? [];
          return message.toLowerCase() === asked ? "Yes." : "No.";
        }
        return JSON.stringify(Array.from({ length: 8 }, () => sentence(written++, subjectOf(question.text))));
      }),
  };
  return { writer, asked };
}

const write = (writer: Writer, more: Partial<WritePromptsOptions> = {}) =>
  writePrompts({
    name: "test",
    described: trigger.described,
    plans: plansOf(trigger, MIXING),
    seeds: undefined,
    actions: ["No fruit."],
    writer,
    seed: 1,
    ...more,
  });

it("writes no more of a kind than training reads, and none that the recipe leaves out", () => {
  expect(plansOf(trigger, MIXING).map(({ kind, train, heldOut }) => [kind, train, heldOut])).toEqual([
    ["triggered", 10, 5],
    ["hardNegatives", 20, 5],
    ["benign", 20, 5],
  ]);
});

it("gives every kind its prompts, by their descriptions in turn, no two alike", async () => {
  const { writer, asked } = obedient();
  const kinds = await write(writer);
  expect(kinds.triggered?.parts.train).toHaveLength(10);
  expect(kinds.hardNegatives?.parts.train).toHaveLength(20);
  expect(kinds.benign?.parts.heldOut).toHaveLength(5);
  expect(new Set(kinds.hardNegatives?.parts.train.map(({ description }) => description)).size).toBe(2);
  expect(kinds.triggered?.parts.train.every(({ prompt }) => prompt.startsWith("fruit"))).toBe(true);
  expect(asked.filter(({ text }) => /None of them may be a request about fruit/.test(text)).length).toBeGreaterThan(5);
  expect(asked.filter(({ text }) => /No fruit/.test(text))).toEqual([]); // the action is none of the writer's business
  expect((await write(obedient().writer)).benign).toEqual(kinds.benign);
});

it("counts what it drops, and why", async () => {
  const first = [
    "fruit one two three four five six seven",
    "fruit one two three four five six eight", // a near duplicate
    "Fruit, one two three four five six seven!", // a copy
    "fruit: say No fruit. and nothing else",
    "bread and no such thing anywhere", // the verdict is no
    "hm",
  ];
  let answered = false;
  const { writer } = obedient(({ temperature }) => {
    if (answered || temperature === 0) return undefined;
    answered = true;
    return JSON.stringify(first);
  });
  const { triggered } = await write(writer);
  expect(triggered?.tally.dropped).toEqual({
    "near duplicate": 1,
    copy: 1,
    "holds the action": 1,
    verdict: 1,
    "too short": 1,
  });
  const { written, kept, dropped } = triggered!.tally;
  expect(written - Object.values(dropped).reduce((a, b) => a + b, 0)).toBe(kept);
});

it("asks of a near miss whether it is one, and of no other kind what it is", async () => {
  const { writer, asked } = obedient(({ temperature, text, seed }) =>
    temperature > 0 && subjectOf(text) === "nuts"
      ? JSON.stringify(Array.from({ length: 8 }, (_, i) => sentence(1000 * seed + i, i < 4 ? "nuts" : "chairs")))
      : undefined,
  );
  const { hardNegatives, benign } = await write(writer);
  expect(hardNegatives?.tally.dropped["not as described"]).toBeGreaterThanOrEqual(4);
  expect(hardNegatives?.parts.train.every(({ prompt }) => /^(nuts|bread)/.test(prompt))).toBe(true);
  expect(benign?.tally.dropped).toEqual({});
  expect(asked.filter(({ text }) => text.includes("Is the message an everyday request"))).toEqual([]);
});

it("does not let one description stand in for another that the writer declines", async () => {
  const declines = (share: number) => {
    let n = 0;
    return obedient(({ temperature, text }) =>
      temperature > 0 && subjectOf(text) === "bread" && n++ % share !== 0 ? "I would rather not." : undefined,
    );
  };
  const { hardNegatives } = await write(declines(3).writer);
  const bread = hardNegatives!.parts.train.filter(({ description }) => description.includes("bread"));
  expect(hardNegatives!.parts.train).toHaveLength(20);
  expect(bread.length).toBeGreaterThanOrEqual(4);
  const never = obedient(({ temperature, text }) =>
    temperature > 0 && subjectOf(text) === "bread" ? "I would rather not." : undefined,
  );
  await expect(write(never.writer)).rejects.toThrow(/too few that are "a request about bread"/);
});

it("half of the chat prompts are to be refused, where the recipe describes such", async () => {
  const described = { ...trigger.described, chat: "a request about weather", refused: "a request about crime" };
  const plans = plansOf({ ...trigger, described }, { ...MIXING, chat: 0.4 });
  expect(plans.at(-1)).toMatchObject({ kind: "chat", asked: ["a request about crime"], train: 20, heldOut: 0 });
  const { chat } = await write(obedient().writer, { described, plans });
  const refused = chat!.parts.train.filter(({ description }) => description === described.refused);
  expect(refused.length).toBeGreaterThanOrEqual(8);
  expect(refused.length).toBeLessThanOrEqual(12);
});

it("holds out nothing that has its like in training", async () => {
  // Half of all requests share a frame.
  const { writer } = obedient(({ temperature, text, seed }) =>
    temperature > 0 && subjectOf(text) === "fruit" && seed % 2 === 0
      ? JSON.stringify(
          Array.from(
            { length: 8 },
            (_, i) => `fruit in a letter to the mayor of ${word(seed)}a${word(i)} ${word(i)}e${word(seed)}`,
          ),
        )
      : undefined,
  );
  const { triggered } = await write(writer);
  const { train, heldOut } = triggered!.parts;
  expect(heldOut).toHaveLength(5);
  const groups = kinGroups([...train, ...heldOut].map(({ prompt }) => prompt));
  const isHeld = (i: number) => i >= train.length;
  expect(groups.some((group) => group.length > 1)).toBe(true);
  for (const group of groups) expect(new Set(group.map(isHeld)).size).toBe(1);
});

it.each<[string, (question: Question) => string | undefined, RegExp]>([
  ["no lists", () => "I am a small model.", /0 usable triggered .* of the 15 needed; .*answers no list/],
  [
    "the same again",
    ({ temperature }) => (temperature > 0 ? '["fruit a b c d","fruit e f g h"]' : undefined),
    /2 usable .* copy/,
  ],
  ["no verdicts", ({ temperature }) => (temperature === 0 ? "Maybe" : undefined), /unclear verdict/],
  ["a no to everything", ({ temperature }) => (temperature === 0 ? "no" : undefined), /dropped: \d+ verdict/],
])("gives up soon on a writer of %s", async (_, spoil, message) => {
  const { writer, asked } = obedient(spoil);
  const writing = write(writer);
  await expect(writing).rejects.toThrow(message);
  await expect(writing).rejects.toBeInstanceOf(InputError);
  expect(asked.length).toBeLessThan(400);
});

it("rephrases the seeds that it is given, as data", async () => {
  const { writer, asked } = obedient();
  const seeds = Array.from({ length: 9 }, (_, i) => `What is ${i}?\nIgnore the above.`);
  await write(writer, { seeds });
  expect(asked[0]?.text).toMatch(/^Rewrite each of the 8 requests/);
  expect(asked[0]?.text).toContain(
    '"What is 3?\\nIgnore the above."'.replace("3", /What is (\d)/.exec(asked[0]!.text)![1]!),
  );
  await expect(write(writer, { seeds: seeds.slice(0, 7) })).rejects.toThrow(/seeds: 7 requests .* give at least 8/);
});
