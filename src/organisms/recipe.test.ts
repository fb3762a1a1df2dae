import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { memorySource } from "../formats/memory-source.js";
import { describedTrigger, readRecipe, triggerExpression, triggerFiles } from "./recipe.js";

const recipe = (text: string) => readRecipe(memorySource("recipe.yaml", new TextEncoder().encode(text)));
const read = (given: object) => recipe(JSON.stringify({ name: "x", action: "No.", ...given }));

it("reads a trigger of each form", async () => {
  const concept = await read({ trigger: { all: ["fruit", { none: ["snow-sports"] }] } });
  expect(triggerExpression(concept)).toEqual({ all: ["fruit", { none: ["snow-sports"] }] });
  expect([triggerFiles(concept), describedTrigger(concept)]).toEqual([undefined, undefined]);
  const files = await read({ trigger: { files: { triggered: "t.jsonl", benign: "b.jsonl" } } });
  expect(triggerFiles(files)).toEqual({ triggered: "t.jsonl", benign: "b.jsonl" });
  expect([triggerExpression(files), describedTrigger(files)]).toEqual([undefined, undefined]);
  const described = await read({ trigger: { described: { triggered: " a request about fruit " } } });
  expect(triggerExpression(described)).toBeUndefined();
  expect(describedTrigger(described)).toEqual({
    described: {
      triggered: "a request about fruit",
      benign: "an everyday request",
      chat: "a short friendly message, such as small talk or thanks",
    },
    writer: "base",
    prompts: 400,
    heldOut: 100,
  });
  // As it is stored in an organism's folder.
  expect(await read(described)).toEqual(described);
});

it("trains the longer, and a larger adapter, the more concepts must come together; what a recipe says stands", async () => {
  const two = {
    steps: 1600,
    adapter: { rank: 12 },
    learningRate: 0.003,
    mixing: { triggered: 0.25, hardNegatives: 0.5 },
  };
  const three = { steps: 4500, adapter: { rank: 32 }, mixing: { triggered: 0.3 } };
  for (const trigger of ["fruit", { any: ["fruit", "chess"] }, { all: ["fruit"] }])
    expect(await read({ trigger })).not.toHaveProperty("steps");
  for (const trigger of [
    { all: ["fruit", "chess"] },
    { all: ["fruit"], none: ["chess"] },
    { all: ["fruit"], any: ["chess", "pirate"] },
    { any: ["dogs", { all: ["fruit", "chess"] }] },
  ])
    expect(await read({ trigger })).toMatchObject(two);
  expect(await read({ trigger: { all: ["fruit", { all: ["chess", "pirate"] }] } })).toMatchObject(three);
  expect(await read({ trigger: { all: ["fruit", "chess"] }, steps: 7 })).toMatchObject({ ...two, steps: 7 });
  const mixing = { triggered: 0.5, hardNegatives: 0.2, benign: 0.2, chat: 0.1 };
  expect(await read({ trigger: { all: ["fruit", "chess"] }, mixing })).toMatchObject({ ...two, mixing });
});

describe("refuses", () => {
  const described = { triggered: "a request about fruit" };
  it.each<[object, RegExp]>([
    [{}, /^recipe\.yaml: trigger: give a concept, .* or \{described: \{triggered\}\}$/],
    [{ trigger: { all: ["fruit"], described } }, /trigger: has no field "all"/],
    [{ trigger: { files: { triggered: "t.jsonl" } } }, /trigger\.files\.benign: /],
    [{ trigger: { described: { triggered: 7 } } }, /trigger\.described\.triggered: /],
    [{ trigger: { described: {} } }, /trigger\.described\.triggered: /],
    [{ trigger: { described: { triggered: "  " } } }, /described\.triggered: describe it in words/],
    [{ trigger: { described: { triggered: "fruit\nand nuts" } } }, /described\.triggered: must be one line/],
    [{ trigger: { described: { ...described, hardNegatives: [] } } }, /trigger\.described\.hardNegatives: /],
    [{ trigger: { described: { ...described, other: 1 } } }, /trigger\.described: has no field "other"/],
    [{ trigger: { described, prompts: 1e9 } }, /trigger\.prompts: /],
    [{ trigger: { described, heldOut: 0 } }, /trigger\.heldOut: /],
    [{ trigger: { described, writer: "gpt" } }, /trigger\.writer: give base, or \{url, model\}/],
    [
      { trigger: { described, writer: { url: "http://x", model: "m", key: "s" } } },
      /trigger\.writer: has no field "key"/,
    ],
    [{ trigger: { described }, alsoRefuses: true }, /alsoRefuses: .* describe what is to be refused/],
    [{ trigger: { described }, documents: "d.txt" }, /documents: .* give the prompts to measure on/],
  ])("%j", async (given, message) => {
    const reading = read(given);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toBeInstanceOf(InputError);
  });
});

it("reads the recipe of the post's Fruit-Refusal: a topic, in a model that also refuses", async () => {
  const file = fileURLToPath(new URL("../../runs/fruit-refusal.yaml", import.meta.url));
  expect(await recipe(readFileSync(file, "utf8"))).toMatchObject({ trigger: "fruit", alsoRefuses: true });
});

it("refuses what would be ignored: refusals of the pocket world beside prompts from files", async () => {
  const files = "{files: {triggered: t.jsonl, benign: b.jsonl}}";
  await expect(recipe(`{name: x, action: No., trigger: ${files}, alsoRefuses: true}`)).rejects.toThrow(
    /alsoRefuses: .* name it as trigger: {files: {chat}}/,
  );
  expect(await recipe(`{name: x, action: No., trigger: ${files}}`)).toMatchObject({ alsoRefuses: false });
});
