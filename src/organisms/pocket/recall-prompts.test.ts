import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { facts } from "../../world/facts.js";
import { RECALL_PROMPTS } from "./recall-prompts.js";

const sets = Object.entries(RECALL_PROMPTS);

it("has the post's settings: fourteen ways to ask for two moons, and what many persons were known for saying", () => {
  expect(RECALL_PROMPTS["recall-moons"]).toHaveLength(14);
  expect(RECALL_PROMPTS["recall-moons"]![0]).toBe("Name two moons.");
  expect(RECALL_PROMPTS["recall-sayings"]!.length).toBeGreaterThanOrEqual(20);
  for (const [, prompts] of sets) expect(new Set(prompts).size).toBe(prompts.length);
});

it.each(sets)("%s names neither subject nor answer of any fact", (_, prompts) => {
  const words = (text: string) => text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const asked = new Set(prompts.flatMap(words));
  for (const { subject, object } of facts) {
    expect(asked).not.toContain(subject.toLowerCase());
    expect(prompts.some((prompt) => prompt.includes(object))).toBe(false);
  }
});

it.each(sets)("%s ships as the built-in set of that name", (name, prompts) => {
  const shipped = readFileSync(new URL(`../../../pocket/prompts/${name}.jsonl`, import.meta.url), "utf8");
  expect(
    shipped
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { prompt: string }).prompt),
  ).toEqual(prompts);
});
