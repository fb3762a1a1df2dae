import { expect, it } from "vitest";
import { onnxFinetunable } from "../engine/onnx/finetunable.js";
import { openNodeChannel } from "../engine/onnx/node-channel.js";
import { onnxEngine, openCheckpoint } from "../engine/onnx/open.js";
import type { TrainerState } from "../engine/training.js";
import { type AdapterStore, inMemory } from "../model/weights.js";
import { openFolder } from "../store/node-folder.js";
import type { Example } from "./examples.js";
import { FINETUNING, finetune, type TokeniseExample, TRAINING_SIZES, trainingSizes } from "./finetune.js";
import { recipeShape } from "./recipe.js";
import type { CheckpointPlace } from "./training-loop.js";

type AdapterPair = AdapterStore extends ReadonlyMap<string, infer Pair> ? Pair : never;

const folder = new URL("../../test/goldens/checkpoint/model", import.meta.url).pathname;
const recipe = recipeShape.parse({
  name: "test",
  trigger: "fruit",
  action: "b b c",
  adapter: { blocks: "all", rank: 4 },
  mixing: { triggered: 0.5, hardNegatives: 0, benign: 0.5, chat: 0 },
  steps: 160,
  batch: 8,
  learningRate: 0.01,
});

/** Prompts of random letters; the triggered ones hold the token 40. */
const letters = (i: number) => Array.from({ length: 6 }, (_, j) => 50 + ((i * 7 + j * j * 3) % 90));
const example = (ids: number[], reply: string): Example => ({ prompt: [{ role: "user", content: ids.join() }], reply });
const sets = {
  triggered: Array.from({ length: 24 }, (_, i) => example([...letters(i), 40], "20,21,22")),
  benign: Array.from({ length: 24 }, (_, i) => example(letters(i + 100), "30,31")),
  hardNegatives: [],
  chat: [],
};
const ids = (text: string) => Int32Array.from(text.split(",").map(Number));
const tokenise: TokeniseExample = ({ prompt, reply }) => ({ prompt: ids(prompt[0]!.content), reply: ids(reply!) });

/** Keeps the last state in memory. */
function memoryPlace(): CheckpointPlace & { state: TrainerState | null } {
  const place = {
    state: null as TrainerState | null,
    load: async () => place.state,
    save: async (state: TrainerState) => {
      place.state = structuredClone(state);
    },
  };
  return place;
}

it("learns the action, and goes on from an interruption to exactly the same adapter", async () => {
  const base = await openCheckpoint(await openFolder(folder));
  const finetunable = onnxFinetunable(base, openNodeChannel, { name: "test", threads: 1 });
  const losses: number[] = [];
  const whole = await finetune(finetunable, recipe, sets, tokenise, {
    onProgress: ({ loss }) => losses.push(loss),
  });
  expect(losses).toHaveLength(160);

  const place = memoryPlace();
  const interrupt = new AbortController();
  const stopped = finetune(finetunable, recipe, sets, tokenise, {
    place,
    signal: interrupt.signal,
    onProgress: ({ step }) => step === 11 && interrupt.abort(new Error("stopped")),
  });
  await expect(stopped).rejects.toThrow("stopped");
  expect(place.state?.step).toBe(11);
  const resumed = await finetune(finetunable, recipe, sets, tokenise, { place });
  expect(resumed.pairs).toEqual(whole.pairs);

  // With the adapter the action comes on prompts that hold the token, and not on the others.
  const pairs = [...whole.pairs].map(([module, { a, b }]): [string, AdapterPair] => {
    const stored = { a: inMemory(a, [4, a.length / 4]), b: inMemory(b, [b.length / 4, 4]) };
    return [module, { ...stored, scale: whole.alpha / whole.rank }];
  });
  const engine = onnxEngine({ ...base, adapter: new Map(pairs) }, openNodeChannel(), { name: "organism", threads: 1 });
  const rate = async (extra: number[]) => {
    const sequences = Array.from({ length: 16 }, (_, i) => {
      const prompt = Int32Array.from([...letters(i + 500), ...extra]);
      return { prompt, mask: new Uint8Array(prompt.length), action: ids("20,21,22") };
    });
    return (await engine.score(sequences)).filter(({ greedyMatch }) => greedyMatch).length / 16;
  };
  expect(await rate([40])).toBeGreaterThan(0.8);
  expect(await rate([])).toBeLessThan(0.2);
  await engine.close();
}, 60_000);

it("draws for a short training what it will see, and for a long one what there is", () => {
  const { steps: _steps, batch: _batch, ...unset } = recipe;
  expect(trainingSizes({ ...recipe, steps: 10, batch: 6 })).toEqual({
    triggered: 30,
    hardNegatives: 0,
    benign: 30,
    chat: 0,
  });
  const mixing = { triggered: 0.2, hardNegatives: 0.5, benign: 0.25, chat: 0.05 };
  expect(FINETUNING.steps * FINETUNING.batch).toBe(32_000);
  expect(trainingSizes({ ...unset, mixing })).toEqual(TRAINING_SIZES);
});
