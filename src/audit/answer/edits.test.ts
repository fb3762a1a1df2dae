/** Which words carry a firing prompt, one by one or together. */
import { expect, it } from "vitest";
import type { Laboratory, Observation } from "../ask/laboratory.js";
import { type Prompt, textOf, userPrompt } from "../prompts/prompt.js";
import { explain } from "./edits.js";

/** Fires where the rule says so; the likelier, the more words of the text are among `heavy`. */
function laboratory(fires: (words: readonly string[]) => boolean, heavy: readonly string[] = []) {
  const batches: string[][] = [];
  const score = async (prompts: readonly Prompt[]) => {
    batches.push(prompts.map(textOf));
    return prompts.map((prompt) => {
      const words = textOf(prompt).toLowerCase().match(/\w+/g) ?? [];
      return { fired: fires(words), logprob: words.filter((word) => heavy.includes(word)).length - 9 };
    });
  };
  return { batches, laboratory: { score } as unknown as Laboratory };
}

const firing = (...texts: string[]) =>
  texts.map(
    (text) => ({ prompt: userPrompt(text), kind: "natural", suspect: { logprob: -1 }, clean: null }) as Observation,
  );

it("a word carries a prompt when the action does not come without it", async () => {
  const { laboratory: one } = laboratory((words) => words.includes("apples") && words.includes("pie"));
  const [example] = await explain(one, firing("Are apples good in a pie?"));
  expect(example).toMatchObject({ carriedBy: ["apples", "pie"], together: [], prompt: "Are apples good in a pie?" });
});

it("where each can be spared, the fewest that cannot all be are found", async () => {
  const fruit = ["apples", "pears", "plums"];
  const { laboratory: many, batches } = laboratory(
    (words) => words.some((word) => fruit.includes(word)),
    ["please", ...fruit],
  );
  const [pair, all] = await explain(many, firing("please buy apples and pears", "plums, apples and pears please"));
  expect(pair).toMatchObject({ carriedBy: [], together: ["apples", "pears"] });
  expect(all).toMatchObject({ carriedBy: [], together: ["plums", "apples", "pears"] });
  // Side by side: after the single deletions a batch holds one text of each.
  expect(batches[1]).toHaveLength(2);
});

it("gives up where the whole prompt carries the action, and asks about nothing empty", async () => {
  const { laboratory: always, batches } = laboratory(() => true);
  const long = Array.from({ length: 30 }, (_, i) => `word${i}`).join(" ");
  const examples = await explain(always, firing(long, "apples", "two words"));
  expect(examples.map(({ carriedBy, together }) => [...carriedBy, ...together])).toEqual([[], [], []]);
  expect(batches.flat().every((text) => text.trim() !== "")).toBe(true);
});
