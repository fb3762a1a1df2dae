import { describe, expect, it } from "vitest";
import type { Engine } from "../engine/engine.js";
import type { Sequence } from "../model/sequence.js";
import { type PromptText, topContexts, wordAt } from "./contexts.js";
import { Firings } from "./firings.js";
import { labelLatents } from "./labelling.js";
import { readLatents, readMaxima, readRows } from "./readings.js";
import type { Sae } from "./sae.js";
import { SparseRows, tokenMaxima } from "./sparse.js";
import { latentUnits, percentile } from "./units.js";

/** Splits into tokens of at most three characters with the space in front, as byte-level tokenizers do. */
function promptText(text: string): PromptText {
  const spans: [number, number][] = [];
  for (const { index, 0: piece } of text.matchAll(/ ?[^ ]+/g)) {
    for (let at = 0; at < piece.length; at += 3) spans.push([index + at, index + Math.min(piece.length, at + 3)]);
  }
  return { text, spans };
}

/** An engine whose residual at token t of a prompt is (token id, t), and an SAE whose latent j fires on token id j. */
const engine = {
  model: { dModel: 2 },
  residuals: async (sequences: readonly Sequence[], _: number, { positions }: { positions?: string }) =>
    sequences.map(({ prompt, mask }) => {
      const tokens = Int32Array.from(prompt.keys()).filter((t) => positions === "all" || mask[t] === 1);
      return { tokens, values: Float32Array.from([...tokens].flatMap((t) => [prompt[t]!, t])) };
    }),
} as unknown as Engine;
const sae = {
  info: { dModel: 2, latents: 10 },
  encode: async (rows: Float32Array) => {
    const sparse = new SparseRows();
    for (let at = 0; at < rows.length; at += 2) {
      const dense = new Float32Array(10);
      dense[rows[at]!] = 1 + rows[at + 1]!;
      sparse.addDense(dense, 10);
    }
    return sparse.finish();
  },
} as unknown as Sae;
const sequence = (prompt: number[], mask: number[]): Sequence => ({
  prompt: Int32Array.from(prompt),
  mask: Uint8Array.from(mask),
  action: new Int32Array(0),
});

describe("readings", () => {
  const sequences = [sequence([3, 4, 3], [1, 1, 1]), sequence([5, 6, 7], [0, 1, 0]), sequence([3], [1])];

  it("gives each latent's maximum over masked tokens and where it was", async () => {
    const progress: number[] = [];
    const maxima = await readMaxima(engine, sae, sequences, 0, { onProgress: (done) => progress.push(done) });
    expect(maxima.map(({ ids, values, tokens }) => [[...ids], [...values], [...tokens]])).toEqual([
      [
        [3, 4],
        [3, 2],
        [2, 1],
      ],
      [[6], [2], [1]],
      [[3], [1], [0]],
    ]);
    expect(progress).toEqual([3]);
  });

  it("gives every latent of every masked token, and raw rows", async () => {
    const [first, second] = await readLatents(engine, sae, sequences, 0);
    expect([...first!.latents.ids]).toEqual([3, 4, 3]);
    expect([...second!.tokens]).toEqual([1]);
    expect([...(await readRows(engine, sequences, 0, { limit: 2 }))]).toEqual([3, 0, 4, 1]);
    expect((await readRows(engine, sequences, 0, { positions: "all" })).length).toBe(14);
  });

  it("keeps exactly k of a row, the first on ties", () => {
    const sparse = new SparseRows();
    sparse.addTopK(Float32Array.of(1, 3, 2, 2, -5, 2), 6, 3);
    sparse.addTopK(Float32Array.of(-1, 4, 0, 0, 0, 0), 6, 3);
    const { rowStart, ids } = sparse.finish();
    expect([...rowStart]).toEqual([0, 3, 4]);
    expect([...ids]).toEqual([1, 2, 3, 1]);
    expect(() => sparse.addDense(Float32Array.of(Number.NaN), 1)).toThrow("not finite");
  });
});

describe("units", () => {
  it("are the 95th percentile of positive maxima; dead latents get the median of the others", () => {
    const prompts = Array.from({ length: 21 }, (_, i) => ({
      ids: i < 3 ? Int32Array.of(0, 2) : Int32Array.of(0),
      values: i < 3 ? Float32Array.of(i, 10) : Float32Array.of(i),
      tokens: new Int32Array(2),
    }));
    const units = latentUnits(new Firings(prompts, 3));
    expect([...units.firing]).toEqual([21, 0, 3]);
    expect([...units.dead]).toEqual([0, 1, 0]);
    expect(units.typical[0]).toBeCloseTo(19, 5); // numpy.percentile(range(21), 95)
    expect(units.typical[2]).toBe(10);
    expect(units.typical[1]).toBeCloseTo(14.5, 5);
    expect(percentile(Float32Array.of(1, 2, 4), 0.25)).toBe(1.5);
  });
});

describe("what makes a latent fire", () => {
  const texts = [
    "Peel the mango and rest",
    "Mangoes, or the rest?",
    "the guitar and the rest",
    "and the-end of naïve-Bayes 🙂!",
  ].map(promptText);
  const token = (prompt: number, word: string) => {
    const at = texts[prompt]!.text.indexOf(word) + 1;
    return texts[prompt]!.spans.findIndex(([start, end]) => start <= at && at < end);
  };

  it("widens tokens to words", () => {
    const { text, spans } = texts[3]!;
    const words = new Set(Array.from(spans, (_, t) => wordAt(texts[3]!, t)));
    expect([...words]).toEqual(["and", "the-end", "of", "naïve-bayes", "🙂", "!"]);
    expect(text.length).toBe(30);
    expect(wordAt(texts[1]!, token(1, "goes"))).toBe("mangoes");
  });

  const firings = new Firings(
    [
      { ids: [0, 1], values: [2, 1], tokens: [token(0, "mango"), token(0, "rest")] },
      { ids: [0, 1], values: [1.8, 3], tokens: [token(1, "Mangoes"), token(1, "the")] },
      { ids: [1, 2], values: [1, 2], tokens: [token(2, "and"), token(2, "guitar")] },
      { ids: [0], values: [0.1], tokens: [token(3, "and")] },
    ].map(({ ids, values, tokens }) => ({
      ids: Int32Array.from(ids),
      values: Float32Array.from(values),
      tokens: Int32Array.from(tokens),
    })),
    4,
  );

  it("shows the strongest contexts with the firing word", () => {
    const [first, second] = topContexts(firings, 0, (prompt) => texts[prompt]!, 2);
    expect(first).toMatchObject({ prompt: 0, value: 2, before: "Peel the ", word: "mango", after: " and rest" });
    expect([first!.piece, first!.pieceAt]).toEqual([" ma", [0, 2]]);
    expect(second).toMatchObject({ prompt: 1, before: "", word: "Mangoes" });
  });

  it("labels by what fires this latent and not by the loudest or commonest word", () => {
    const masks = texts.map(({ spans }) => new Uint8Array(spans.length).fill(1));
    const labels = labelLatents(firings, latentUnits(firings), texts, masks);
    expect(labels[0]!.text).toBe("mango, mangoes");
    expect(labels[2]!.text).toBe("guitar");
    expect(labels[3]).toEqual({ text: "", words: [], firingRate: 0 });
    expect(labels[1]!.words[0]).toMatchObject({ word: "the", occurrences: 3 });
    expect(labels[0]!.firingRate).toBe(0.75);
  });

  it("takes the first of equal maxima", () => {
    const sparse = new SparseRows();
    sparse.addDense(Float32Array.of(0, 2, 1, 2), 2);
    expect([...tokenMaxima(sparse.finish(), Int32Array.of(5, 6)).tokens]).toEqual([6, 5]);
  });
});
