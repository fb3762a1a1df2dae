import { describe, expect, it } from "vitest";
import { supervisedMelbo } from "./supervised-melbo.js";
import { supervisedSaeMelbo } from "./supervised-sae-melbo.js";
import { quadraticObjective, toySae } from "./toy.testing.js";

const identity = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
const optimizer = "proximal" as const;

describe("the proximal optimiser", () => {
  it("comes to the soft threshold of the target, and stops there by itself", async () => {
    // min ½‖z − a‖² + λ‖z‖₁, z ≥ 0: max(a − λ, 0); signed: sign(a) max(|a| − λ, 0).
    const objective = quadraticObjective([1, 0.05, -2]);
    const run = { objective, dModel: 3, sae: toySae(identity) };
    const { vectors, hyperparameters } = await supervisedSaeMelbo.run({
      ...run,
      options: { optimizer, lambda: 0.1, steps: 200 },
    });
    expect([...vectors[0]!.z!.ids]).toEqual([0]);
    expect(vectors[0]!.z!.values[0]).toBeCloseTo(0.9, 4);
    expect(vectors[0]!.steps).toBeLessThan(20);
    expect(hyperparameters).toMatchObject({ optimizer, learningRate: null });
    const signed = await supervisedSaeMelbo.run({ ...run, options: { optimizer, lambda: 0.1, signed: true } });
    expect([...signed.vectors[0]!.vector].map((x) => Number(x.toFixed(4)))).toEqual([0.9, 0, -1.9]);
  });

  it("solves the group penalty and the sphere of supervised-melbo", async () => {
    const run = { objective: quadraticObjective([3, 4]), dModel: 2 };
    const { vectors: penalised } = await supervisedMelbo.run({ ...run, options: { optimizer, lambda: 2 } });
    expect(penalised[0]!.vector[0]).toBeCloseTo(1.8, 4);
    expect(penalised[0]!.vector[1]).toBeCloseTo(2.4, 4);
    const { vectors: zero } = await supervisedMelbo.run({ ...run, options: { optimizer, lambda: 5.1 } });
    expect([zero[0]!.norm, zero[0]!.steps]).toEqual([0, 0]);
    const { vectors: sphere } = await supervisedMelbo.run({ ...run, options: { optimizer, radius: 2 } });
    expect(sphere[0]!.vector[0]).toBeCloseTo(1.2, 3);
    expect(sphere[0]!.norm).toBeCloseTo(2, 5);
  });

  it("takes no step that raises the objective above what it has been, and returns the best point it met", async () => {
    // loss = cosh(3(θ₀ − 1)) + θ₁⁴: steep away from the optimum, flat at it.
    const objective = {
      ...quadraticObjective([0, 0]),
      async evaluate(theta: Float32Array) {
        const [a, b] = [3 * (theta[0]! - 1), theta[1]!];
        return {
          losses: Float64Array.of(Math.cosh(a) + b ** 4),
          gradients: Float32Array.of(3 * Math.sinh(a), 4 * b ** 3),
        };
      },
    };
    const { vectors } = await supervisedMelbo.run({
      objective,
      dModel: 2,
      options: { optimizer, lambda: 1e-6, steps: 60 },
    });
    const found = vectors[0]!;
    expect(found.loss.final).toBeCloseTo(1, 4);
    expect(found.loss.final).toBeLessThanOrEqual(Math.min(...found.log.map((entry) => entry.loss)) + 1e-6);
  });

  it("spends a path's spare steps on its denser stages, within the cap", async () => {
    const objective = quadraticObjective([2, 0.2, 0.1], 0.01);
    const { vectors } = await supervisedSaeMelbo.run({
      objective,
      dModel: 3,
      sae: toySae(identity),
      options: { optimizer, steps: 40 },
      elicitation: async () => 0,
    });
    expect(vectors[0]!.steps).toBeLessThanOrEqual(40);
    expect(vectors[0]!.lambda).toBeCloseTo(2 / 256, 5);
    expect(vectors[0]!.z!.values[0]).toBeCloseTo(2 - 2 / 256, 2);
  });
});

it("a path whose second look fails still keeps to its cap of steps", async () => {
  // The rate passes at every first look and fails at every second one.
  let looks = 0;
  const { vectors } = await supervisedSaeMelbo.run({
    objective: quadraticObjective([2, 1, 0.5]),
    dModel: 3,
    sae: toySae(identity),
    options: { steps: 40 },
    elicitation: async () => (looks++ % 2 === 0 ? 1 : 0),
  });
  expect(vectors[0]!.steps).toBeLessThanOrEqual(40);
  expect(vectors[0]!.elicits).toBe(false);
});
