import { afterEach, expect, it, vi } from "vitest";
import { openNodeChannel } from "../engine/onnx/node-channel.js";
import { onnxEngine, openCheckpoint } from "../engine/onnx/open.js";
import { openFolder } from "../store/node-folder.js";
import { runTraining, type TrainingPlan } from "./training-loop.js";

const folder = new URL("../../test/goldens/checkpoint/model", import.meta.url).pathname;
const plan: TrainingPlan = {
  steps: 12,
  batch: (step) => [{ ids: Int32Array.of(20 + step, 21, 22, 23), from: 1 }],
  learningRate: () => 1e-3,
  optimiser: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxNorm: 1 },
  mean: "tokens",
  isTrained: (name) => name === "model.norm.weight",
};

afterEach(() => {
  vi.useRealTimers();
});

it("writes its state often enough that a kill loses less than a minute, however long a step takes", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const engine = onnxEngine(await openCheckpoint(await openFolder(folder)), openNodeChannel(), {
    name: "tiny",
    threads: 1,
  });
  const saved: { step: number; at: number }[] = [];
  const secondsAStep = 7;
  await runTraining(engine, plan, {
    place: {
      load: async () => null,
      save: async ({ step }) => {
        saved.push({ step, at: performance.now() / 1000 });
      },
    },
    onProgress: () => vi.advanceTimersByTime(secondsAStep * 1000),
  });
  await engine.close();
  const times = [0, ...saved.map(({ at }) => at), plan.steps * secondsAStep];
  for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeLessThan(60);
  expect(saved.length).toBeGreaterThanOrEqual(1);
  expect(saved[0]!.step).toBeLessThan(plan.steps);
});
