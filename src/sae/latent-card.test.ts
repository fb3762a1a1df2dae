/** A latent's card, on a corpus and a vocabulary of a few words. */
import { expect, it } from "vitest";
import type { Unembedding } from "../engine/engine.js";
import type { CorpusReading } from "./corpus-reading.js";
import { Firings } from "./firings.js";
import { latentCards } from "./latent-card.js";
import { logitEffects } from "./logit-effect.js";
import { toySae } from "./toy.testing.js";
import { latentUnits } from "./units.js";

const WORDS = [" mango", " pear", " snow", " the"];
/** Word i is written along W_U[i]; the fifth row is padding that the tokenizer does not know. */
const UNEMBEDDING = [
  [2, 0],
  [1, 0],
  [0, 3],
  [-1, -1],
  [99, 99],
];
const unembedding = {
  model: { dModel: 2, vocabulary: 5 },
  logitLens: async (rows: Float32Array) =>
    Float32Array.from({ length: (rows.length / 2) * 5 }, (_, at) => {
      const [x, y] = UNEMBEDDING[at % 5]!;
      return x! * rows[2 * Math.floor(at / 5)]! + y! * rows[2 * Math.floor(at / 5) + 1]!;
    }),
} as unknown as Unembedding;
const vocabulary = { unembedding, tokenText: (id: number) => WORDS[id] };

it("logit effects are W_U d less their mean over known tokens, largest first", async () => {
  const [first, second] = await logitEffects([Float32Array.of(1, 0), Float32Array.of(0, 2)], vocabulary, 2);
  // W_U d = (2, 1, 0, −1), mean 0.5; padding is neither listed nor in the mean.
  expect(first!.raised).toEqual([
    { token: 0, text: " mango", value: 1.5 },
    { token: 1, text: " pear", value: 0.5 },
  ]);
  expect(first!.lowered).toEqual([
    { token: 3, text: " the", value: -1.5 },
    { token: 2, text: " snow", value: -0.5 },
  ]);
  // (0, 0, 6, −2), mean 1: only one token is raised.
  expect(second!.raised).toEqual([{ token: 2, text: " snow", value: 5 }]);
  expect(second!.lowered.map(({ value }) => value)).toEqual([-3, -1]);
});

const TEXTS = ["eat the mango", "the mango", "snow"];
const TOKENS = [[3, 3, 0], [3, 0], [2]];
const firings = new Firings(
  [
    { ids: [0], values: [2], tokens: [2] },
    { ids: [0, 1], values: [3, 1], tokens: [1, 0] },
    { ids: [0], values: [0.5], tokens: [0] },
  ].map(({ ids, values, tokens }) => ({
    ids: Int32Array.from(ids),
    values: Float32Array.from(values),
    tokens: Int32Array.from(tokens),
  })),
  3,
);
const shown: number[] = [];
const corpus: CorpusReading = {
  firings,
  units: latentUnits(firings),
  tokens: { firing: Int32Array.of(4, 1, 0), read: 6 },
  text: (prompt) => {
    shown.push(prompt);
    const text = TEXTS[prompt]!;
    return { text, spans: [...text.matchAll(/ ?\w+/g)].map(({ index, 0: piece }) => [index, index + piece.length]) };
  },
  tokenId: (prompt, token) => TOKENS[prompt]![token]!,
};
const sae = toySae([
  [1, 0],
  [0, 2],
  [1, 1],
]);

it("shows what a latent fires on: rates, strongest contexts, tokens under its peaks", async () => {
  const label = (id: number) => (id === 0 ? "fruit" : undefined);
  const [fruit, the, dead] = await latentCards(
    [0, 1, 2],
    { sae, corpus, vocabulary, label },
    { contexts: 2, tokens: 2 },
  );
  expect(fruit).toMatchObject({
    id: 0,
    label: "fruit",
    corpus: {
      prompts: { firing: 3, read: 3 },
      tokens: { firing: 4, read: 6 },
      dead: false,
      maximum: 3,
      topTokens: [
        { token: 0, text: " mango", peaks: 2, largest: 3 },
        { token: 2, text: " snow", peaks: 1, largest: 0.5 },
      ],
    },
  });
  expect(fruit!.corpus!.contexts.map(({ before, word, value }) => [before, word, value])).toEqual([
    ["the ", "mango", 3],
    ["eat the ", "mango", 2],
  ]);
  expect(the).toMatchObject({ label: null, corpus: { prompts: { firing: 1, read: 3 } } });
  expect(the!.logitEffect!.raised[0]!.text).toBe(" snow");
  expect(dead!.corpus).toMatchObject({ dead: true, maximum: 0, contexts: [], topTokens: [] });
  // Texts are made for shown prompts alone.
  expect(shown).toEqual([1, 0, 1]);
});

it("leaves out what there are no sources for", async () => {
  expect(await latentCards([1], { sae })).toEqual([{ id: 1, label: null, corpus: null, logitEffect: null }]);
});
