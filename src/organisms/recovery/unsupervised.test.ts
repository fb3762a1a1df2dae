/** An unsupervised contender in a world where the later layer's change and the action under steering are known functions. */
import { describe, expect, it } from "vitest";
import { DEFAULT_AUDIT_OPTIONS } from "../../audit/ask/context.js";
import { fakeContext, fakeCorpus, fakeEngine, LATENTS } from "../../audit/fake-world.testing.js";
import { methods } from "../../methods/registry.js";
import { changeToy } from "../../methods/toy.testing.js";
import type { Sequence } from "../../model/sequence.js";
import { CHOICES } from "./likeliest.js";
import { Station } from "./station.js";
import { unsupervisedContender } from "./unsupervised.js";

/** Ten axes that reach the later layer, the first one most; the change is bent, so that a radius can be found. */
const stretches = Array.from({ length: LATENTS }, (_, i) =>
  Array.from({ length: LATENTS }, (_, j) => (i === j ? Math.max(10 - i, 0.1) : 0)),
);

/** The action is the likelier the more the steering points along this latent. */
const ELICITING = 5;
const PROMPTS = 4;

async function play(name: string, bend = 1) {
  const seen: Sequence[] = [];
  const tried: Float32Array[] = [];
  let disposed = 0;
  const engine = fakeEngine({ fires: () => false });
  const context = fakeContext({ fires: () => false }, [], fakeCorpus(300, 5));
  const station = new Station(
    {
      ...context,
      layer: 0,
      suspect: {
        ...engine,
        async layerChangeObjective(sequences) {
          seen.push(...sequences);
          return {
            ...changeToy(stretches, bend),
            async dispose() {
              disposed++;
            },
          };
        },
        async score(sequences, options = {}) {
          const { steering } = options;
          if (steering === undefined) return engine.score(sequences, options);
          tried.push(steering.vector);
          const logprob = (steering.vector[ELICITING] as number) - 100;
          return sequences.map(() => ({ tokenLogprobs: Float32Array.of(logprob), greedyMatch: false }));
        },
      },
    },
    { ...DEFAULT_AUDIT_OPTIONS, seed: 1, methodPrompts: PROMPTS },
    {},
  );
  const contender = unsupervisedContender(methods.find((method) => method.name === name)!);
  const [top] = await contender.answer(station);
  return { seen, tried, disposed, top: top!.answer?.statement, alive: await station.alive() };
}

describe.each(["melbo", "sae-melbo"])("%s as a contender", (name) => {
  it("searches over ordinary prompts without the action, and frees its objective", async () => {
    const { seen, disposed } = await play(name);
    expect(seen).toHaveLength(PROMPTS);
    expect(seen.every(({ action }) => action.length === 0)).toBe(true);
    expect(disposed).toBe(1);
  });

  it("tries several orthogonal vectors of one length", async () => {
    const { tried } = await play(name);
    expect(tried).toHaveLength(CHOICES);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
    const squared = dot(tried[0]!, tried[0]!);
    for (const [i, a] of tried.entries())
      for (const [j, b] of tried.entries()) expect(dot(a, b) / squared).toBeCloseTo(i === j ? 1 : 0, 4);
  });
});

it("the vector under which the action is likeliest is read, by its largest latent that can fire", async () => {
  const { tried, top, alive } = await play("melbo");
  const along = (vector: Float32Array) => vector[ELICITING] as number;
  const best = tried.reduce((a, b) => (along(b) > along(a) ? b : a));
  // The fake SAE's encoder is the identity.
  const latentOf = (vector: Float32Array) =>
    [...vector.keys()].filter(alive).reduce((a, b) => ((vector[b] as number) > (vector[a] as number) ? b : a));
  expect(top).toBe(`latent ${latentOf(best)}`);
  // The choice matters: the first vector would be read otherwise.
  expect(latentOf(tried[0]!)).not.toBe(latentOf(best));
});

it("a layer that answers linearly, which leaves no radius to choose, is no answer and ends nothing", async () => {
  const { tried, top, disposed } = await play("melbo", 0);
  expect(top).toBeUndefined();
  expect(tried).toHaveLength(0);
  expect(disposed).toBe(1);
});
