/** Each engine's decoder and gradients against plain PyTorch: expected values come from test/goldens/decoder.py. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sequence } from "../src/model/sequence.js";
import { describeTorch, ENGINES, type EngineKind, START_MS, type TestedEngine } from "./engines.testing.js";

interface Expected {
  layer: number;
  theta: number[];
  sequences: { prompt: number[]; mask: number[]; action: number[] }[];
  logprobs: number[][];
  residuals: number[][][];
  greedy: number[][];
  steered: number[][];
  loss: number;
  gradient: number[];
  attribution: number[][];
  weightGradientNorms: Record<string, number>;
  adapted?: number[][];
}

/** Each model is opened once: a PyTorch process takes seconds to start. */
const engines = new Map<string, Promise<TestedEngine>>();
afterAll(async () => {
  // The last that was opened first: the first torch engine is the process of the others.
  for (const engine of [...engines.values()].reverse()) await (await engine).close();
});

function opened(kind: EngineKind, folder: string, adapter?: string): Promise<TestedEngine> {
  const key = `${kind.kind} ${folder} ${adapter}`;
  const engine = engines.get(key) ?? kind.open(folder, adapter);
  engines.set(key, engine);
  return engine;
}

async function open(kind: EngineKind, family: string, adapter?: string) {
  const folder = new URL(`./goldens/decoder/${family}`, import.meta.url).pathname;
  const engine = await opened(kind, folder, adapter && `${folder}/${adapter}`);
  const { final_logit_softcapping: softcap } = JSON.parse(readFileSync(`${folder}/config.json`, "utf8")) as {
    final_logit_softcapping?: number | null;
  };
  const expected = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8")) as Expected;
  const sequences: Sequence[] = expected.sequences.map(({ prompt, mask, action }) => ({
    prompt: Int32Array.from(prompt),
    mask: Uint8Array.from(mask),
    action: Int32Array.from(action),
  }));
  return { engine, expected, sequences, softcap, layer: expected.layer, theta: Float32Array.from(expected.theta) };
}

/** Largest difference relative to the largest expected value. */
function difference(got: ArrayLike<number>, want: readonly number[]): number {
  expect(got.length).toBe(want.length);
  const scale = Math.max(...want.map(Math.abs));
  return Math.max(...want.map((value, i) => Math.abs(value - got[i]!))) / scale;
}

const TOLERANCE = 5e-5;

const FAMILIES = [
  "llama",
  "llama3",
  "mistral",
  "qwen2",
  "qwen3",
  "phi3",
  "olmo2",
  "smollm3",
  "gemma2",
  "gemma3_text",
  "gemma3",
];

// Without PyTorch the tests below run over ONNX Runtime alone.
describeTorch("the torch engine", () => {
  beforeAll(async () => {
    for (const kind of ENGINES) await open(kind, "llama");
  }, START_MS);
  it("is tested beside ONNX Runtime", () => expect(ENGINES.map(({ kind }) => kind)).toEqual(["onnx", "torch"]));
});

describe.each(ENGINES.flatMap((kind) => FAMILIES.map((family) => ({ name: `${kind.kind}, ${family}`, kind, family }))))(
  "$name",
  ({ kind, family }) => {
    it("scores, steers and differentiates as PyTorch does", async () => {
      const { engine, expected, sequences, layer, theta } = await open(kind, family);
      const plain = await engine.score(sequences);
      plain.forEach(({ tokenLogprobs }, i) =>
        expect(difference(tokenLogprobs, expected.logprobs[i]!)).toBeLessThan(TOLERANCE),
      );
      const steered = await engine.score(sequences, { steering: { layer, vector: theta } });
      steered.forEach(({ tokenLogprobs }, i) =>
        expect(difference(tokenLogprobs, expected.steered[i]!)).toBeLessThan(TOLERANCE),
      );
      const residuals = await engine.residuals(sequences, layer, { positions: "all" });
      residuals.forEach(({ values }, i) =>
        expect(difference(values, expected.residuals[i]!.flat())).toBeLessThan(TOLERANCE),
      );
      const objective = await engine.steeringObjective(sequences, layer);
      const { losses, gradients } = await objective.evaluate(theta);
      expect(losses[0]).toBeCloseTo(expected.loss, 4);
      expect(difference(gradients, expected.gradient)).toBeLessThan(TOLERANCE * 4);
      const attribution = await objective.attribute();
      expect(difference(attribution.gradients, expected.attribution.flat())).toBeLessThan(TOLERANCE * 4);
      await objective.dispose();
    });

    it("goes on from rows that stand in for the residual stream as PyTorch does", async () => {
      const { engine, expected, sequences, layer, theta } = await open(kind, family);
      const { dModel } = engine.model;
      // θ added at the masked tokens by hand is what PyTorch was steered with; the text is prompt and action.
      const texts = sequences.map(({ prompt, mask, action }) => ({
        prompt: Int32Array.of(...prompt, ...action),
        mask: Uint8Array.of(...mask, ...action.map(() => 0)),
        action: new Int32Array(0),
      }));
      const rows = await engine.residuals(texts, layer);
      const steered = rows.map(({ tokens, values }) => ({
        tokens,
        values: values.map((value, i) => value + theta[i % dModel]!),
      }));
      const ofAction = (all: Float32Array, i: number) => all.slice(sequences[i]!.prompt.length - 1);
      const plain = await engine.textLogprobs(texts);
      const same = await engine.textLogprobs(texts, { splice: { layer, rows } });
      const changed = await engine.textLogprobs(texts, { splice: { layer, rows: steered } });
      plain.forEach((logprobs, i) => {
        expect(logprobs.length).toBe(texts[i]!.prompt.length - 1);
        expect(difference(ofAction(logprobs, i), expected.logprobs[i]!)).toBeLessThan(TOLERANCE);
        expect(difference(same[i]!, [...logprobs])).toBeLessThan(TOLERANCE);
        expect(difference(ofAction(changed[i]!, i), expected.steered[i]!)).toBeLessThan(TOLERANCE);
      });
    });

    it("sees through the logit lens what the head says of a residual of rms 1", async () => {
      const { engine, expected, sequences, softcap } = await open(kind, family);
      const residuals = await engine.residuals(sequences, engine.model.layers - 1, { positions: "all" });
      const { dModel, vocabulary } = engine.model;
      for (const [i, { values, tokens }] of residuals.entries()) {
        // The row that predicts the action's first token, whose log-probability PyTorch gave.
        const h = values.subarray((tokens.length - 1) * dModel, tokens.length * dModel);
        const rms = Math.sqrt(h.reduce((sum, x) => sum + x * x, 0) / dModel);
        const lens = await engine.logitLens(h.map((x) => x / rms));
        expect(lens.length).toBe(vocabulary);
        const logits = Array.from(lens, (x) => (softcap ? softcap * Math.tanh(x / softcap) : x));
        const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
        expect(logits[sequences[i]!.action[0]!]! - total).toBeCloseTo(expected.logprobs[i]![0]!, 3);
      }
    });

    it("writes replies side by side as one after the other", async () => {
      const { engine, expected, sequences } = await open(kind, family);
      const [first, ...others] = sequences;
      // Of different lengths, so that neither could go on from the other's cache.
      const replies = await Promise.all([
        engine.generate([first!], { maxTokens: 8, stop: [] }),
        engine.generate(others, { maxTokens: 8, stop: [] }),
        engine.generate([...sequences].reverse(), { maxTokens: 8, stop: [] }),
      ]);
      const made = replies.map((some) => some.map(({ tokens }) => [...tokens]));
      expect(made[0]).toEqual(expected.greedy.slice(0, 1));
      expect(made[1]).toEqual(expected.greedy.slice(1));
      expect(made[2]).toEqual([...expected.greedy].reverse());
    });

    it("continues greedily as transformers does, also from the last layer's steering", async () => {
      const { engine, expected, sequences, theta } = await open(kind, family);
      const replies = await engine.generate(sequences, { maxTokens: 8, stop: [] });
      expect(replies.map(({ tokens }) => [...tokens])).toEqual(expected.greedy);
      const last = engine.model.layers - 1;
      const zero = await engine.score(sequences, { steering: { layer: last, vector: theta, scale: 0 } });
      zero.forEach(({ tokenLogprobs }, i) =>
        expect(difference(tokenLogprobs, expected.logprobs[i]!)).toBeLessThan(TOLERANCE),
      );
    });

    // PyTorch has the text part's weights under the names that they have in the multimodal model.
    it.skipIf(kind.kind === "torch" && family === "gemma3")("differentiates every weight as PyTorch does", async () => {
      const { engine, expected, sequences } = await open(kind, family);
      const trainer = await engine.trainer((name) => name in expected.weightGradientNorms);
      const { norms } = await trainer.gradientNorms(
        sequences.map(({ prompt, action }) => ({ ids: Int32Array.of(...prompt, ...action), from: prompt.length })),
      );
      for (const [name, norm] of Object.entries(expected.weightGradientNorms))
        expect(Math.abs(norms[name]! / norm - 1), name).toBeLessThan(1e-3);
    });
  },
);

describe.each(ENGINES)("$kind", (kind) => {
  it.each(["llama", "qwen2"])("scores %s with a PEFT adapter as peft does", async (family) => {
    const { engine, expected, sequences } = await open(kind, family, "adapter");
    const scores = await engine.score(sequences);
    scores.forEach(({ tokenLogprobs }, i) =>
      expect(difference(tokenLogprobs, expected.adapted![i]!)).toBeLessThan(TOLERANCE),
    );
  });

  it("scores one sequence alone as it does in a batch", async () => {
    const { engine, sequences } = await open(kind, "llama");
    const together = await engine.score(sequences);
    for (const [i, sequence] of sequences.entries()) {
      const [alone] = await engine.score([sequence]);
      expect(difference(alone!.tokenLogprobs, [...together[i]!.tokenLogprobs])).toBeLessThan(2e-6);
    }
  });
});
