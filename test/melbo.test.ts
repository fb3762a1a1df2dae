/** A later layer's change and MELBO's published loop against PyTorch: expected values come from test/goldens/melbo.py. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LayerChange } from "../src/engine/engine.js";
import { melbo } from "../src/methods/melbo.js";
import type { Sequence } from "../src/model/sequence.js";
import { Random } from "../src/random/random.js";
import { ENGINES, START_MS, type TestedEngine } from "./engines.testing.js";

interface Expected {
  layer: number;
  sequences: { prompt: number[]; mask: number[] }[];
  theta: number[];
  measures: (LayerChange & { loss: number; gradient: number[] })[];
  /** [masked tokens of all sequences, 32] at theta, target 3. */
  change: number[];
  direction: number[];
  jacobianProduct: number[];
  published: {
    radius: number;
    p: number;
    q: number;
    targetLayer: number;
    /** `losses` before each step, `iterates` after it. */
    vectors: { random: number[]; losses: number[]; iterates: number[][] }[];
  };
}

const folder = new URL("./goldens/decoder/", import.meta.url).pathname;
const expected = JSON.parse(readFileSync(`${folder}llama/melbo.json`, "utf8")) as Expected;
const sequences: Sequence[] = expected.sequences.map(({ prompt, mask }) => ({
  prompt: Int32Array.from(prompt),
  mask: Uint8Array.from(mask),
  action: new Int32Array(0),
}));
const everyToken = sequences.map((sequence) => ({ ...sequence, mask: sequence.mask.map(() => 1) }));
const theta = Float32Array.from(expected.theta);
const { layer } = expected;
const squares: LayerChange = { targetLayer: 3, p: 2, q: 1, norm: "token" };

/** Largest difference relative to the largest expected value. */
function difference(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  const values = Array.from(want);
  return Math.max(...values.map((value, i) => Math.abs(value - got[i]!))) / Math.max(...values.map(Math.abs));
}

describe.each(ENGINES)("$kind:", (kind) => {
  const engines: TestedEngine[] = [];
  afterAll(async () => {
    for (const engine of engines.reverse()) await engine.close(); // the first torch engine is the process of the others
  });
  async function open(family: string) {
    const engine = await kind.open(folder + family);
    engines.push(engine);
    return engine;
  }
  let llama: TestedEngine;
  beforeAll(async () => {
    llama = await open("llama");
  }, START_MS);

  describe("a later layer's change", () => {
    it.each(expected.measures)("to block $targetLayer with p $p, q $q, norms by $norm is PyTorch's", async (wanted) => {
      const { loss, gradient, ...measure } = wanted;
      const objective = await llama.layerChangeObjective(sequences, layer, measure);
      const got = await objective.evaluate(theta);
      expect(got.losses[0]! / loss).toBeCloseTo(1, 5);
      expect(difference(got.gradients, gradient)).toBeLessThan(1e-4);
      await objective.dispose();
    });

    it("and its Jacobian are PyTorch's", async () => {
      const objective = await llama.layerChangeObjective(sequences, layer, squares);
      expect(difference(await objective.change(theta), expected.change)).toBeLessThan(1e-5);
      const product = await objective.jacobianProduct(Float32Array.from(expected.direction));
      expect(difference(product, expected.jacobianProduct)).toBeLessThan(1e-5);
    });

    // gemma2: sliding windows of 4 tokens, soft-caps, norms after each part.
    it.each(["llama3", "qwen2", "gemma2"])("of %s has the gradient and Jacobian of its differences", async (family) => {
      const engine = await open(family);
      const random = new Random(1);
      const v = Float32Array.from({ length: 32 }, () => random.normal() / Math.sqrt(32));
      const along = (t: number, from = theta) => from.map((x, i) => x + t * v[i]!);
      for (const measure of [squares, { ...squares, p: 1.5, q: 2 }, { ...squares, p: 3, norm: "unit" as const }]) {
        const objective = await engine.layerChangeObjective(sequences, layer, measure);
        const step = 1e-2;
        const { gradients } = await objective.evaluate(theta);
        const [above, below] = [await objective.evaluate(along(step)), await objective.evaluate(along(-step))];
        const slope = gradients.reduce((sum, g, i) => sum + g * v[i]!, 0);
        const steepest = Math.hypot(...gradients);
        expect(Math.abs(slope - (above.losses[0]! - below.losses[0]!) / (2 * step)) / steepest).toBeLessThan(2e-3);
        await objective.dispose();
      }
      const objective = await engine.layerChangeObjective(sequences, layer, squares);
      const zero = new Float32Array(32);
      const step = 3e-3 * objective.unsteeredNorm;
      const [above, below] = [await objective.change(along(step, zero)), await objective.change(along(-step, zero))];
      const slopes = above.map((value, i) => (value - below[i]!) / (2 * step));
      expect(difference(await objective.jacobianProduct(v), slopes)).toBeLessThan(5e-3);
    });

    it("does not depend on the batch, on padding or on what follows the last masked token", async () => {
      const whole = await llama.layerChangeObjective(sequences, layer, squares);
      const together = await whole.evaluate(theta);
      let loss = 0;
      const gradient = new Float32Array(32);
      const changes: number[] = [];
      for (const { prompt, mask } of sequences) {
        const end = mask.lastIndexOf(1) + 1;
        const alone = { prompt: prompt.subarray(0, end), mask: mask.subarray(0, end), action: Int32Array.of(7) };
        const objective = await llama.layerChangeObjective([alone], layer, squares);
        const part = await objective.evaluate(theta);
        loss += part.losses[0]!;
        for (let i = 0; i < 32; i++) gradient[i] = gradient[i]! + part.gradients[i]!;
        changes.push(...(await objective.change(theta)));
      }
      expect(together.losses[0]! / loss).toBeCloseTo(1, 6);
      expect(difference(together.gradients, gradient)).toBeLessThan(1e-5);
      expect(difference(await whole.change(theta), changes)).toBeLessThan(1e-5);
      const two = await whole.evaluate(Float32Array.of(...theta, ...theta.map((x) => -x)), 2);
      expect(two.losses[0]! / together.losses[0]!).toBeCloseTo(1, 6);
      expect(two.losses[1]).not.toBe(two.losses[0]);
    });

    it("adds up over several batches", async () => {
      const copies = 900; // more tokens than one batch holds
      const many = Array.from({ length: copies }, () => sequences).flat();
      const [one, all] = [
        await llama.layerChangeObjective(sequences, layer, squares),
        await llama.layerChangeObjective(many, layer, squares),
      ];
      const [single, sum] = [await one.evaluate(theta), await all.evaluate(theta)];
      expect(sum.losses[0]! / single.losses[0]! / copies).toBeCloseTo(1, 5);
      expect(
        difference(
          sum.gradients.map((g) => g / copies),
          single.gradients,
        ),
      ).toBeLessThan(1e-4);
      const change = await one.change(theta);
      const changes = await all.change(theta);
      expect(changes.length).toBe(copies * change.length);
      for (const copy of [0, 417, copies - 1])
        expect(difference(changes.subarray(copy * change.length, (copy + 1) * change.length), change)).toBeLessThan(
          1e-5,
        );
      expect(all.unsteeredNorm).toBeCloseTo(one.unsteeredNorm, 4);
      await all.dispose();
    });

    it("is zero at θ = 0, with a gradient of zero whatever p is", async () => {
      for (const p of [1, 2, 3]) {
        const objective = await llama.layerChangeObjective(sequences, layer, { ...squares, p, q: 2 });
        const { losses, gradients } = await objective.evaluate(new Float32Array(32));
        expect(losses[0]).toBeCloseTo(0, 10);
        expect([...gradients]).toEqual(new Array(32).fill(0));
      }
    });

    it("refuses a target that is not later", async () => {
      await expect(llama.layerChangeObjective(sequences, layer, { ...squares, targetLayer: layer })).rejects.toThrow(
        RangeError,
      );
    });
  });

  it("the published loop makes PyTorch's iterates", async () => {
    const { radius, p, q, targetLayer, vectors } = expected.published;
    const measure: LayerChange = { targetLayer, p, q, norm: "unit" };
    const objective = await llama.layerChangeObjective(everyToken, layer, measure);
    const starts = vectors.map(({ random }) => Float32Array.from(random));
    for (const steps of [1, vectors[0]!.iterates.length]) {
      const found = await melbo.run({
        objective,
        dModel: 32,
        options: { variant: "published", radius, vectors: vectors.length, steps },
        starts,
      });
      // After another number of steps the first vector is another, and with it what the second is orthogonal to.
      const comparable = steps === 1 ? vectors.slice(0, 1) : vectors;
      comparable.forEach(({ iterates, losses }, i) => {
        const { vector, log } = found.vectors[i]!;
        expect(difference(vector, iterates[steps - 1]!)).toBeLessThan(1e-4);
        log.slice(0, steps).forEach(({ loss }, k) => expect(loss / losses[k]!).toBeCloseTo(1, 4));
      });
    }
  });

  it("steering after the prompt reaches the reply, and the action when scored", async () => {
    const { prompt } = expected.sequences[0]!;
    const sequence = {
      prompt: Int32Array.from(prompt),
      mask: new Uint8Array(prompt.length),
      action: Int32Array.of(7, 30),
    };
    const steering = { layer, vector: theta.map((x) => 5 * x), afterPrompt: true };
    const [plain] = await llama.score([sequence]);
    const [steered] = await llama.score([sequence], { steering });
    // The first token of the action is predicted by the prompt alone, the second by a steered token.
    expect(steered!.tokenLogprobs[0]).toBeCloseTo(plain!.tokenLogprobs[0]!, 6);
    expect(Math.abs(steered!.tokenLogprobs[1]! - plain!.tokenLogprobs[1]!)).toBeGreaterThan(0.1);
    // Greedy decoding under steering is what teacher-forced scores under steering say.
    const [reply] = await llama.generate([sequence], { maxTokens: 6, stop: [], steering });
    const [forced] = await llama.score([{ ...sequence, action: reply!.tokens }], { steering });
    expect(forced!.greedyMatch).toBe(true);
    const [unsteered] = await llama.generate([sequence], { maxTokens: 6, stop: [] });
    expect([...reply!.tokens]).not.toEqual([...unsteered!.tokens]);
  });
});
