/** The torch engine against ONNX Runtime on the pocket model and its organisms: same numbers, same words. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { onnxFinetunable } from "../src/engine/onnx/finetunable.js";
import { openNodeChannel } from "../src/engine/onnx/node-channel.js";
import { openCheckpoint } from "../src/engine/onnx/open.js";
import { startTorchProcess } from "../src/engine/torch/node-process.js";
import { checkCheckpoint, openTorch } from "../src/engine/torch/open.js";
import type { TorchEngine } from "../src/engine/torch/torch-engine.js";
import type { StartingPair, Trainer, TrainingSequence } from "../src/engine/training.js";
import { loadChatTemplate } from "../src/model/chat-template.js";
import type { Sequence } from "../src/model/sequence.js";
import { loadTokenizer, type Tokenizer } from "../src/model/tokenizer.js";
import { renderPrompt } from "../src/model/user-mask.js";
import { Random } from "../src/random/random.js";
import { openFolder } from "../src/store/node-folder.js";
import { describeTorch, onnx, PYTHON, START_MS, type TestedEngine, torch } from "./engines.testing.js";

const pocket = new URL("../pocket/", import.meta.url).pathname;
const organisms = readdirSync(`${pocket}organisms`).sort();
const PROMPTS = 24;
const LAYER = 2;

let tokenizer: Tokenizer;
let sequences: Sequence[];

async function renderAll(action: string): Promise<Sequence[]> {
  const folder = await openFolder(`${pocket}model`);
  const template = await loadChatTemplate(folder, tokenizer.named);
  const lines = readFileSync(`${pocket}prompts/benign.jsonl`, "utf8").split("\n").slice(0, PROMPTS);
  return lines.map((line) => {
    const { prompt } = JSON.parse(line) as { prompt: string };
    const { tokens, mask } = renderPrompt({
      messages: [{ role: "user", content: prompt }],
      tokenizer,
      ...(template ? { template } : {}),
    });
    return { prompt: tokens, mask, action: tokenizer.encode(action) };
  });
}

/** Largest difference relative to the largest value. */
function difference(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  const values = Array.from(want);
  return Math.max(...values.map((value, i) => Math.abs(value - got[i]!))) / Math.max(...values.map(Math.abs));
}

describeTorch("the torch engine and ONNX Runtime agree on the pocket model:", () => {
  const engines: TestedEngine[] = [];
  let ours: TestedEngine;
  let theirs: TorchEngine;
  const both = () => [ours, theirs] as const;

  beforeAll(async () => {
    tokenizer = await loadTokenizer(await openFolder(`${pocket}model`));
    sequences = await renderAll("I won't answer because I don't like fruit.");
    ours = await onnx.open(`${pocket}model`);
    theirs = (await torch.open(`${pocket}model`)) as TorchEngine;
    engines.push(theirs, ours);
  }, START_MS);
  afterAll(async () => {
    for (const engine of engines.reverse()) await engine.close();
  });

  it("what they are", () => {
    const { dModel, layers, vocabulary } = ours.model;
    expect(theirs.model).toMatchObject({ dModel, layers, vocabulary, dtype: "f32", engine: "torch/cpu" });
  });

  it("losses and gradients, at once and one by one, and what a step costs", async () => {
    const random = new Random(1);
    const count = 5;
    const theta = Float32Array.from({ length: count * ours.model.dModel }, () => 0.3 * random.normal());
    const [a, b] = await Promise.all(
      both().map(async (engine) => {
        const objective = await engine.steeringObjective(sequences, LAYER);
        const before = engine.cost.backwardTokens;
        const evaluation = await objective.evaluate(theta, count);
        const attribution = await objective.attribute();
        const cost = engine.cost.backwardTokens - before;
        const alone = await objective.evaluate(theta.slice(0, ours.model.dModel));
        await objective.dispose();
        return { evaluation, attribution, alone, cost };
      }),
    );
    for (let v = 0; v < count; v++)
      expect(Math.abs(b!.evaluation.losses[v]! / a!.evaluation.losses[v]! - 1)).toBeLessThan(1e-5);
    expect(difference(b!.evaluation.gradients, a!.evaluation.gradients)).toBeLessThan(1e-4);
    expect(difference(b!.alone.gradients, a!.alone.gradients)).toBeLessThan(1e-4);
    expect(difference(b!.attribution.losses, a!.attribution.losses)).toBeLessThan(1e-5);
    expect(difference(b!.attribution.gradients, a!.attribution.gradients)).toBeLessThan(1e-4);
    // The first steered token is the same in all of these prompts, so both leave out the same tokens.
    expect(b!.cost).toBe(a!.cost);
  });

  it("steering after the last block, and a raw prompt steered from its first token on", async () => {
    const raw = sequences.map((one) => ({ ...one, mask: one.mask.map(() => 1) }));
    const random = new Random(2);
    const theta = Float32Array.from({ length: ours.model.dModel }, () => random.normal());
    for (const [some, layer] of [
      [sequences, ours.model.layers - 1],
      [raw, 0],
      [raw, ours.model.layers - 1],
    ] as const) {
      const [a, b] = await Promise.all(
        both().map(async (engine) => (await engine.steeringObjective(some, layer)).evaluate(theta)),
      );
      expect(Math.abs(b!.losses[0]! / a!.losses[0]! - 1)).toBeLessThan(1e-5);
      expect([...b!.gradients].some((g) => g !== 0)).toBe([...a!.gradients].some((g) => g !== 0));
      if (layer === 0 || some === raw) expect(difference(b!.gradients, a!.gradients)).toBeLessThan(1e-4);
    }
  });

  it.each(organisms)("organism %s: scores, residuals, and its clean self beside it", async (name) => {
    const { action } = JSON.parse(readFileSync(`${pocket}organisms/${name}/card.json`, "utf8")) as { action: string };
    const prompts = await renderAll(action);
    const a = await onnx.open(`${pocket}model`, `${pocket}organisms/${name}`);
    const b = (await torch.open(`${pocket}model`, `${pocket}organisms/${name}`)) as TorchEngine;
    const clean = await b.withoutAdapter("clean");
    const [x, y, cleanScores, base] = [
      await a.score(prompts),
      await b.score(prompts),
      await clean.score(prompts),
      await ours.score(prompts),
    ];
    y.forEach(({ tokenLogprobs, greedyMatch }, i) => {
      expect(difference(tokenLogprobs, x[i]!.tokenLogprobs)).toBeLessThan(5e-5);
      expect(greedyMatch).toBe(x[i]!.greedyMatch);
      expect(difference(cleanScores[i]!.tokenLogprobs, base[i]!.tokenLogprobs)).toBeLessThan(5e-5);
    });
    const [r, s] = [await a.residuals(prompts, 4), await b.residuals(prompts, 4)];
    s.forEach(({ values, tokens }, i) => {
      expect(tokens).toEqual(r[i]!.tokens);
      expect(difference(values, r[i]!.values)).toBeLessThan(5e-5);
    });
    for (const engine of [clean, b, a]) await engine.close();
  });

  it("texts, as they are and with other rows in the residual stream, some of them none", async () => {
    const random = new Random(10);
    const { dModel, layers } = ours.model;
    const short = { prompt: sequences[0]!.prompt.slice(0, 1), mask: Uint8Array.of(1), action: new Int32Array(0) };
    const texts = [...sequences, short, { ...sequences[1]!, mask: sequences[1]!.mask.map(() => 1) }];
    const noise = (tokens: number[]) => ({
      tokens: Int32Array.from(tokens),
      values: Float32Array.from({ length: tokens.length * dModel }, () => random.normal()),
    });
    const rows = texts.map(({ mask }, i) => noise(i === 0 ? [] : [...mask.keys()].filter((t) => mask[t] === 1)));
    const none = texts.map(() => noise([]));
    const plain = await ours.textLogprobs(texts);
    expect(plain[sequences.length]).toHaveLength(0);
    for (const splice of [undefined, { layer: LAYER, rows }, { layer: layers - 1, rows }, { layer: 0, rows: none }]) {
      const [a, b] = await Promise.all(both().map((engine) => engine.textLogprobs(texts, splice ? { splice } : {})));
      a!.forEach((logprobs, i) => {
        if (i !== sequences.length) expect(difference(b![i]!, logprobs)).toBeLessThan(5e-5);
      });
      // What the rows of one prompt are changes nothing in another.
      expect(difference(a![0]!, plain[0]!)).toBeLessThan(1e-6);
      if (splice?.rows === rows) expect(difference(a![1]!, plain[1]!)).toBeGreaterThan(1e-2);
    }
  });

  it("replies, greedy, sampled, steered, and cut at a stop token", async () => {
    const stop = [...tokenizer.endIds];
    const random = new Random(3);
    const vector = Float32Array.from({ length: ours.model.dModel }, () => random.normal());
    const steering = { layer: LAYER, vector, scale: 0.7 };
    const ways = [
      { maxTokens: 40, stop },
      { maxTokens: 20, stop: [], temperature: 1, seed: 7 },
      { maxTokens: 20, stop, temperature: 0.7, topP: 0.8, seed: 8 },
      { maxTokens: 12, stop, steering },
      { maxTokens: 12, stop, steering: { ...steering, afterPrompt: true } },
      { maxTokens: 0, stop },
    ];
    for (const way of ways) {
      const [a, b] = [await ours.generate(sequences, way), await theirs.generate(sequences, way)];
      expect(b).toEqual(a);
    }
  });

  it("aborts between tokens", async () => {
    const abort = new AbortController();
    abort.abort(new Error("enough"));
    const call = theirs.generate(sequences, { maxTokens: 40, stop: [], signal: abort.signal });
    await expect(call).rejects.toThrow("enough");
  });

  it("the logit lens", async () => {
    const random = new Random(4);
    const directions = Float32Array.from({ length: 3 * ours.model.dModel }, () => random.normal());
    expect(difference(await theirs.logitLens(directions), await ours.logitLens(directions))).toBeLessThan(2e-5);
  });

  const texts: TrainingSequence[] = Array.from({ length: 8 }, (_, i) => {
    const random = new Random(5, String(i));
    return { ids: Int32Array.from({ length: 9 + i }, () => 5 + random.integer(4000)), from: 3 + (i % 3) };
  });
  const settings = { learningRate: 3e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01, maxNorm: 1 };
  async function run(trainer: Trainer, steps: number) {
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) losses.push((await trainer.train(texts, settings)).loss);
    return losses;
  }

  it("training of all weights, gone on from a state, which leaves the engine's model alone", async () => {
    const before = await theirs.score(sequences);
    const curves: number[][] = [];
    for (const engine of both()) {
      const trainer = await engine.trainer(() => true);
      const losses = await run(trainer, 4);
      const state = await trainer.state();
      await trainer.dispose();
      const again = await engine.trainer(() => true, state);
      expect(again.step).toBe(4);
      losses.push(...(await run(again, 3)), await again.loss(texts, "sequences"));
      await again.dispose();
      curves.push(losses);
    }
    expect(curves[1]![6]).toBeLessThan(0.8 * curves[1]![0]!);
    curves[1]!.forEach((loss, i) => expect(Math.abs(loss / curves[0]![i]! - 1)).toBeLessThan(2e-3));
    expect(Math.abs(curves[1]![0]! / curves[0]![0]! - 1)).toBeLessThan(1e-5);
    expect(await theirs.score(sequences)).toEqual(before);
  });

  it("training of low-rank pairs from the same start", async () => {
    const finetunable = onnxFinetunable(await openCheckpoint(await openFolder(`${pocket}model`)), openNodeChannel, {
      name: "pocket",
      threads: 1,
    });
    expect(theirs.linears).toEqual(finetunable.linears);
    const random = new Random(6);
    const pairs = new Map<string, StartingPair>(
      finetunable.linears
        .filter(({ layer }) => layer >= 3)
        .map(({ name, out, width }) => {
          const a = Float32Array.from({ length: 4 * width }, () => random.normal() / Math.sqrt(width));
          return [name, { a, b: new Float32Array(4 * out), rank: 4, scale: 2 }];
        }),
    );
    const curves: number[][] = [];
    const ends: Map<string, Float32Array>[] = [];
    for (const base of [finetunable, theirs]) {
      const engine = await base.withPairs(pairs);
      const trainer = await engine.trainer((name) => /\.lora_[AB]$/.test(name));
      curves.push(await run(trainer, 8));
      ends.push(await trainer.weights());
      await trainer.dispose();
      await engine.close();
    }
    expect(curves[1]![7]).toBeLessThan(0.9 * curves[1]![0]!);
    curves[1]!.forEach((loss, i) => expect(Math.abs(loss / curves[0]![i]! - 1)).toBeLessThan(2e-3));
    expect([...ends[1]!.keys()]).toEqual([...ends[0]!.keys()]);
  });

  it(
    "weights in 4 bits keep their gradients, and the change of a later layer its Jacobian",
    async ({ skip }) => {
      const { bitsandbytes, accelerate } = theirs.installation.versions;
      if (!bitsandbytes || !accelerate) skip("bitsandbytes and accelerate are not here");
      const four = await openTorch(
        await checkCheckpoint(await openFolder(`${pocket}model`)),
        undefined,
        startTorchProcess(PYTHON),
        { ...theirs.options, quantize: "nf4" },
      );
      engines.push(four);
      expect(four.model.dtype).toBe("nf4 weights, f32");
      const random = new Random(9);
      const { dModel } = four.model;
      const theta = Float32Array.from({ length: dModel }, () => 0.3 * random.normal());
      const v = Float32Array.from({ length: dModel }, () => random.normal() / Math.sqrt(dModel));
      const objective = await four.steeringObjective(sequences, LAYER);
      await four.score(sequences); // a pass without gradients must not take them from later ones
      const { losses, gradients } = await objective.evaluate(theta);
      const at = async (t: number) => (await objective.evaluate(theta.map((x, i) => x + t * v[i]!))).losses[0]!;
      const step = 2e-2;
      const slope = gradients.reduce((sum, g, i) => sum + g * v[i]!, 0);
      expect(Math.abs(slope - ((await at(step)) - (await at(-step))) / (2 * step))).toBeLessThan(
        1e-3 * Math.hypot(...gradients),
      );
      const [full] = (await (await theirs.steeringObjective(sequences, LAYER)).evaluate(theta)).losses;
      expect(Math.abs(losses[0]! / full! - 1)).toBeLessThan(0.2);
      expect(losses[0]).not.toBe(full);
      const change = await four.layerChangeObjective(sequences, LAYER, { targetLayer: 4, p: 2, q: 1, norm: "token" });
      const [above, below] = [
        await change.change(v.map((x) => 0.05 * x)),
        await change.change(v.map((x) => -0.05 * x)),
      ];
      const slopes = above.map((value, i) => (value - below[i]!) / 0.1);
      expect(difference(await change.jacobianProduct(v), slopes)).toBeLessThan(1e-2);
    },
    START_MS,
  );
});
