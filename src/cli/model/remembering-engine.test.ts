/** What a journal knows is not computed again, gives the same numbers, and is never taken for something else. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Engine, GenerateOptions } from "../../engine/engine.js";
import type { Sequence } from "../../model/sequence.js";
import { Journal } from "../../store/journal.js";
import { RememberingEngine } from "./remembering-engine.js";

let folder = "";
let asked = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "remembering-"));
  asked = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Answers are functions of the question; `asked` counts the sequences and evaluations computed. */
const cost = { forwardTokens: 0, backwardTokens: 0 };
const inner = {
  model: { name: "fake", dModel: 2, layers: 3, vocabulary: 9, dtype: "f32", engine: "fake" },
  cost,
  score: async (sequences: readonly Sequence[], { steering }: { steering?: { vector: Float32Array } } = {}) =>
    sequences.map(({ prompt, action }) => {
      asked++;
      const greedyMatch = prompt[0] === 1;
      return {
        greedyMatch,
        tokenLogprobs: Float32Array.from(action, (id) => -id - prompt[0]! - (steering?.vector[0] ?? 0)),
      };
    }),
  residuals: async (sequences: readonly Sequence[], layer: number) =>
    sequences.map(({ prompt }) => {
      asked++;
      return { tokens: Int32Array.of(1, 2), values: Float32Array.of(prompt[0]!, layer, 0.5, -0.5) };
    }),
  generate: async (sequences: readonly Sequence[], { steering, maxTokens }: GenerateOptions) =>
    sequences.map(({ prompt }) => {
      asked++;
      cost.forwardTokens += 100;
      const made = Math.min(maxTokens, prompt[0]! + 1);
      return { tokens: new Int32Array(made).fill(steering?.vector[0] ?? 7), stopped: made < maxTokens };
    }),
  steeringObjective: async () => ({
    layer: 1,
    sequences: 2,
    evaluate: async (theta: Float32Array) => {
      asked++;
      cost.forwardTokens += 10;
      cost.backwardTokens += 5;
      return { losses: Float64Array.of(theta[0]! / 3), gradients: theta.slice() };
    },
    attribute: async () => {
      asked++;
      return { losses: Float64Array.of(1, 2), gradients: Float32Array.of(1, 2, 3, 4) };
    },
    dispose: async () => {},
  }),
} as unknown as Engine;

const sequence = (first: number, mask = 1): Sequence => ({
  prompt: Int32Array.of(first, 3),
  mask: Uint8Array.of(0, mask),
  action: Int32Array.of(5, 6),
});
const sequences = [sequence(1), sequence(2), sequence(3)];

/** One sitting: opens the journal, works, and closes it. */
async function sitting<T>(work: (engine: RememberingEngine) => Promise<T>, fingerprint = "model"): Promise<T> {
  const journal = await Journal.open(join(folder, "journal"));
  try {
    return await work(new RememberingEngine(inner, journal, fingerprint, 1000));
  } finally {
    journal.close();
  }
}

async function everything(engine: RememberingEngine) {
  const objective = await engine.steeringObjective(sequences, 1);
  return {
    scores: await engine.score(sequences),
    residuals: await engine.residuals(sequences, 2),
    evaluation: await objective.evaluate(Float32Array.of(0.1, 0.2)),
    attribution: await objective.attribute(),
    cost: { ...engine.cost },
  };
}

it("gives the same answers and costs again without computing", async () => {
  const first = await sitting(everything);
  expect(asked).toBe(3 + 3 + 1 + 1);
  asked = 0;
  expect(await sitting(everything)).toEqual(first);
  expect(asked).toBe(0);
  expect(first.scores.map(({ greedyMatch }) => greedyMatch)).toEqual([true, false, false]);
  expect(first.cost).toEqual({ forwardTokens: 9 + 6 + 10, backwardTokens: 5 });
});

it("keeps greedy replies, by prompt, steering, length and end tokens, and counts the tokens that were read", async () => {
  const options = { maxTokens: 3, stop: [9] };
  const steering = { layer: 1, vector: Float32Array.of(4) };
  const first = await sitting(async (engine) => ({
    plain: await engine.generate(sequences, options),
    steered: await engine.generate(sequences, { ...options, steering }),
    tokens: engine.cost.forwardTokens,
  }));
  expect(first.plain.map(({ tokens, stopped }) => [[...tokens], stopped])).toEqual([
    [[7, 7], true],
    [[7, 7, 7], false],
    [[7, 7, 7], false],
  ]);
  expect([...first.steered[0]!.tokens]).toEqual([4, 4]);
  // each prompt, and each reply but for its last token
  expect(first.tokens).toBe(2 * (3 * 2 + 1 + 2 + 2));
  asked = 0;
  const again = await sitting(async (engine) => ({
    plain: await engine.generate(sequences, options),
    steered: await engine.generate(sequences, { ...options, steering }),
    tokens: engine.cost.forwardTokens,
  }));
  expect(again).toEqual(first);
  expect(asked).toBe(0);
  await sitting((engine) => engine.generate(sequences, { ...options, maxTokens: 2 }));
  await sitting((engine) => engine.generate(sequences, { ...options, stop: [8] }));
  expect(asked).toBe(6);
});

it("makes sampled replies anew, and counts what they cost", async () => {
  const sampled = { maxTokens: 3, stop: [9], temperature: 1 };
  await sitting((engine) => engine.generate(sequences, sampled));
  const tokens = await sitting(async (engine) => {
    await engine.generate(sequences, sampled);
    return engine.cost.forwardTokens;
  });
  expect(asked).toBe(6);
  expect(tokens).toBe(300);
});

it("computes only what is new", async () => {
  await sitting((engine) => engine.score(sequences.slice(0, 2)));
  asked = 0;
  const scores = await sitting((engine) => engine.score(sequences));
  expect(asked).toBe(1);
  expect(scores.map(({ tokenLogprobs }) => tokenLogprobs[0])).toEqual([-6, -7, -8]);
});

it("keeps models, steering, layers, masks and vectors apart", async () => {
  const steering = { layer: 1, vector: Float32Array.of(1, 0) };
  await sitting((engine) => engine.score(sequences, { steering }));
  await sitting((engine) => engine.residuals(sequences, 1));
  await sitting(async (engine) => (await engine.steeringObjective(sequences, 1)).evaluate(Float32Array.of(1, 1)));
  asked = 0;
  await sitting((engine) => engine.score(sequences));
  await sitting((engine) => engine.score(sequences, { steering: { ...steering, scale: 2 } }));
  await sitting((engine) => engine.score(sequences, { steering: { ...steering, afterPrompt: true } }));
  await sitting((engine) => engine.score([sequence(1, 0)], { steering }));
  await sitting((engine) => engine.score(sequences, { steering }), "another model");
  await sitting((engine) => engine.residuals(sequences, 2));
  await sitting(async (engine) => (await engine.steeringObjective(sequences, 1)).evaluate(Float32Array.of(1, 2)));
  await sitting(async (engine) => (await engine.steeringObjective(sequences, 2)).evaluate(Float32Array.of(1, 1)));
  expect(asked).toBe(3 + 3 + 3 + 1 + 3 + 3 + 1 + 1);
});

it("keeps what was answered before an interruption", async () => {
  const abort = new AbortController();
  const long = Array.from({ length: 8 }, (_, i) => ({ ...sequence(i), prompt: new Int32Array(20_000).fill(i) }));
  const onProgress = (done: number) => {
    if (done >= 3) abort.abort(new Error("stop"));
  };
  await expect(sitting((engine) => engine.residuals(long, 1, { signal: abort.signal, onProgress }))).rejects.toThrow(
    "stop",
  );
  const before = asked;
  expect(before).toBeLessThan(8);
  await sitting((engine) => engine.residuals(long, 1));
  expect(asked).toBe(8);
});
