/** Which words carry a firing prompt, and what of it is enough. */
import { expect, it } from "vitest";
import { deletions, explain } from "./edits.js";
import type { Laboratory, Observation } from "./laboratory.js";
import { type Prompt, textOf, userPrompt } from "./prompt.js";

/** Runs the search against a rule; the texts it asked about, and its answer. */
function shortened(text: string, fires: (text: string) => boolean): { asked: string[]; left: string | null } {
  const asked: string[] = [];
  const search = deletions(text);
  let step = search.next();
  while (!step.done) {
    asked.push(step.value);
    step = search.next(fires(step.value));
  }
  return { asked, left: step.value };
}

const holds =
  (...words: string[]) =>
  (text: string) =>
    words.every((word) => text.split(/\W+/).includes(word));

it("no word of what is left can be spared", () => {
  const text = "Please tell me which apples and which pears to buy for a pie, and why";
  expect(shortened(text, holds("apples", "pie")).left).toBe("apples pie,");
  expect(shortened(text, holds("why")).left).toBe(", why");
  expect(shortened(text, (one) => one === text).left).toBe(text);
});

it("needs far fewer questions than words squared, and never asks about nothing", () => {
  const text = Array.from({ length: 40 }, (_, i) => `word${i}`).join(" ");
  const { asked, left } = shortened(text, holds("word17", "word33"));
  expect(left).toBe("word17 word33");
  expect(asked.length).toBeLessThan(60);
  expect(shortened("apples", () => true)).toEqual({ asked: [], left: "apples" });
  expect(shortened(Array.from({ length: 61 }, () => "word").join(" "), () => true).left).toBeNull();
});

it("prompts are shortened side by side, and a word that comes twice carries none", async () => {
  const batches: number[] = [];
  const laboratory = {
    score: async (prompts: readonly Prompt[]) => {
      batches.push(prompts.length);
      return prompts.map((prompt) => ({ logprob: 0, fired: textOf(prompt).includes("apples") }));
    },
  } as unknown as Laboratory;
  const firing = ["are apples red", "apples, apples and more"].map(
    (text) => ({ prompt: userPrompt(text), kind: "natural", suspect: { logprob: -1 }, clean: null }) as Observation,
  );
  const [one, twice] = await explain(laboratory, firing);
  expect(one).toMatchObject({ carriedBy: ["apples"], shortest: "apples" });
  expect(twice).toMatchObject({ carriedBy: [], shortest: expect.stringContaining("apples") });
  expect(batches.slice(1).some((size) => size === 2)).toBe(true);
});
