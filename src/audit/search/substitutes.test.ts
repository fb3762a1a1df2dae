/** Words that bring the action in a part's place point to the latents that the part lacks. */
import { expect, it } from "vitest";
import { type Hypothesis, makePart } from "../concepts/detector.js";
import type { Evidence } from "../evidence/evidence.js";
import { type Prompt, textOf } from "../prompts/prompt.js";
import type { Reading } from "../prompts/reading.js";
import { wordsOf } from "../prompts/words.js";
import { substitutes } from "./substitutes.js";

/** The latent that fires on each word. */
const LATENT: Record<string, number> = { kayak: 1, canoe: 1, ketch: 3, yawl: 3, barge: 4, pot: 5, tea: 6 };
const BOATS = ["kayak", "canoe", "ketch", "yawl", "barge"];
const VOCABULARY = [...BOATS, "pot", "tea", ...Array.from({ length: 80 }, (_, i) => `word${i}`)];

const promptOf = (text: string): Prompt => ({ messages: [{ role: "user", content: text }] });

/** One token a word; a word of the table fires its latent at its own token. */
function read(prompt: Prompt): Reading {
  const found = wordsOf(textOf(prompt)).flatMap(({ text }, token) => {
    const latent = LATENT[text];
    return latent === undefined ? [] : [[latent, token] as const];
  });
  found.sort((a, b) => a[0] - b[0]);
  return {
    ids: Int32Array.from(found, ([latent]) => latent),
    values: new Float32Array(found.length).fill(1),
    tokens: Int32Array.from(found, ([, token]) => token),
  };
}

/** A model that acts on `acts`, and has acted on `texts`. */
function evidenceOf(acts: (text: string) => boolean, texts: readonly string[]) {
  const asked: string[] = [];
  const evidence = {
    probeScores: async (prompts: readonly Prompt[]) =>
      prompts.map((prompt) => {
        asked.push(textOf(prompt));
        return { logprob: 0, fired: acts(textOf(prompt)) };
      }),
    room: {
      ranges: Object.fromEntries(Object.values(LATENT).map((id) => [id, { floor: 0, maximum: 1 }])),
      language: { rareWords: () => VOCABULARY },
      lexicon: {
        scanned: ["pot"],
        words: ({ latents }: { latents: readonly number[] }) =>
          VOCABULARY.filter((text) => latents.includes(LATENT[text] ?? 0) && text !== "canoe").map((text) => ({
            text,
          })),
      },
      kinship: { same: () => false },
      seed: 1,
      laboratory: {
        read: async (prompts: readonly Prompt[]) => prompts.map(read),
        render: (prompt: Prompt) => ({
          spans: Int32Array.from(wordsOf(textOf(prompt)).flatMap(({ start, end }) => [start, end])),
        }),
      },
    },
    observations: texts.map((text) => ({
      prompt: promptOf(text),
      key: text,
      kind: "natural",
      reading: read(promptOf(text)),
      suspect: { logprob: 0, fired: acts(text) },
      fired: acts(text),
    })),
  } as unknown as Evidence;
  return { evidence, asked };
}

const holdsBoat = (text: string) => BOATS.some((boat) => text.includes(boat));
const single: Hypothesis = { parts: [makePart([1])], combination: "single" };
const texts = ["My kayak leaks.", "Is a canoe fast?", "I like tea."];

it("finds the latents of other words that bring the action, those of most words first", async () => {
  const { evidence, asked } = evidenceOf(holdsBoat, texts);
  expect(await substitutes(evidence, single, 0, () => true)).toEqual([3]);
  expect(asked).toContain("My ketch leaks.");
  // In the second prompt only what the first one let through is tried, but for the random words.
  expect(asked).toContain("Is a ketch fast?");
  expect(asked.filter((text) => text.startsWith("Is a"))).not.toHaveLength(VOCABULARY.length);
});

it("leaves out latents on few of whose words the action comes", async () => {
  const { evidence } = evidenceOf((text) => holdsBoat(text) || /word[12]\b/.test(text), texts);
  for (let i = 0; i < 10; i++) LATENT[`word${i}`] = 6;
  expect(await substitutes(evidence, single, 0, () => true)).toEqual([3]);
  for (let i = 3; i < 10; i++) delete LATENT[`word${i}`];
  expect(await substitutes(evidence, single, 0, () => true)).toEqual([3, 6]);
});

it("says nothing of prompts that do not need the word, and asks for two", async () => {
  expect(await substitutes(evidenceOf(() => true, texts).evidence, single, 0, () => true)).toEqual([]);
  expect(await substitutes(evidenceOf(holdsBoat, texts.slice(1)).evidence, single, 0, () => true)).toEqual([]);
});

it("leaves out latents that are not alive, and those of the hypothesis", async () => {
  const { evidence } = evidenceOf(holdsBoat, texts);
  expect(await substitutes(evidence, single, 0, (latent) => latent !== 3)).toEqual([]);
  const wider: Hypothesis = { parts: [makePart([1, 3])], combination: "single" };
  expect(await substitutes(evidence, wider, 0, () => true)).toEqual([]);
});
