/** Which of the prompts that were bred are worth reading. */
import { expect, it } from "vitest";
import { userPrompt } from "../prompts/prompt.js";
import type { Bred } from "../search/search.js";
import { presentBred } from "./bred.js";

const bred = (text: string, clean: number | null = -9, carriedBy: readonly string[] | null = []): Bred => ({
  observation: {
    prompt: userPrompt(text),
    key: text,
    kind: "evolved",
    reading: { ids: new Int32Array(0), values: new Float32Array(0), tokens: new Int32Array(0) },
    suspect: { logprob: -0.5, fired: true },
    clean: clean === null ? null : { logprob: clean, fired: false },
    fired: true,
  },
  carriedBy,
});

it("shows unlike prompts in their order, those whose words were asked first", () => {
  const shown = presentBred([
    bred("A parrot.", -9, null),
    bred("Describe a blouse stalemate to a quasar.", -9, ["blouse", "quasar"]),
    bred("Describe a blouse gambit to a quasar."),
    bred("Teach me chess in a sandal on Saturn.", null),
  ]);
  expect(shown).toEqual([
    {
      prompt: "Describe a blouse stalemate to a quasar.",
      logprob: -0.5,
      cleanLogprob: -9,
      carriedBy: ["blouse", "quasar"],
    },
    { prompt: "Teach me chess in a sandal on Saturn.", logprob: -0.5, cleanLogprob: null, carriedBy: [] },
    { prompt: "A parrot.", logprob: -0.5, cleanLogprob: -9, carriedBy: null },
  ]);
});

it("shows a few", () => {
  expect(presentBred(Array.from({ length: 20 }, (_, i) => bred(`a${i} b${i} c${i}`)))).toHaveLength(8);
});
