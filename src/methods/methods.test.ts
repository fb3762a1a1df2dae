import { describe, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { norm, OrthogonalComplement } from "./orthogonality.js";
import { findMethod, methods } from "./registry.js";
import { saeAttribution } from "./sae-attribution.js";
import { supervisedMelbo } from "./supervised-melbo.js";
import { supervisedSaeMelbo } from "./supervised-sae-melbo.js";
import { quadraticObjective, toySae } from "./toy.testing.js";

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const identity = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

describe("sae-attribution", () => {
  it("averages over prompts and ranks by decrease of the loss, not by size", async () => {
    // v̄ = (−1, 3, 0.5): latent 1 has the largest product but raises the loss, so it comes last.
    const objective = quadraticObjective([0, 0, 0], 0, [
      [-2, 4, 1],
      [0, 2, 0],
    ]);
    const { vectors } = await saeAttribution.run({ objective, dModel: 3, sae: toySae(identity) });
    expect(vectors).toHaveLength(1);
    expect([...vectors[0]!.vector]).toEqual([-1, 3, 0.5]);
    expect([...vectors[0]!.scores!]).toEqual([1, -3, -0.5]);
    expect(vectors[0]!.loss.initial).toBe(1);
  });

  it("uses the decoder as stored unless asked for unit rows", async () => {
    const objective = quadraticObjective([0, 0], 0, [[-1, -1]]);
    const sae = toySae([
      [2, 0],
      [0, 0.5],
      [0, 0],
    ]);
    const stored = await saeAttribution.run({ objective, dModel: 2, sae });
    expect([...stored.vectors[0]!.scores!]).toEqual([2, 0.5, -0]);
    const unit = await saeAttribution.run({ objective, dModel: 2, sae, options: { unitNorm: true } });
    expect([...unit.vectors[0]!.scores!]).toEqual([1, 1, 0]);
  });
});

describe("supervised-melbo", () => {
  it("with a penalty reaches the group soft-threshold of the target", async () => {
    // min ½‖θ − a‖² + λ‖θ‖: θ = a (1 − λ/‖a‖); a = (3, 4), λ = 2 gives 0.6 a.
    const { vectors } = await supervisedMelbo.run({
      objective: quadraticObjective([3, 4]),
      dModel: 2,
      options: { lambda: 2, steps: 600, learningRate: 0.02 },
    });
    expect(vectors[0]!.vector[0]).toBeCloseTo(1.8, 2);
    expect(vectors[0]!.vector[1]).toBeCloseTo(2.4, 2);
    expect(vectors[0]!.loss.initial).toBeCloseTo(12.5, 5);
    expect(vectors[0]!.scores).toBeNull();
  });

  it("stays at zero when λ is above ‖gradient‖", async () => {
    const { vectors } = await supervisedMelbo.run({
      objective: quadraticObjective([3, 4]),
      dModel: 2,
      options: { lambda: 5.1, steps: 20 },
    });
    expect(vectors[0]!.norm).toBe(0);
  });

  it("with a radius stays on the sphere and points at the target", async () => {
    const { vectors } = await supervisedMelbo.run({
      objective: quadraticObjective([3, 4]),
      dModel: 2,
      options: { radius: 2, steps: 2000, learningRate: 0.01 },
    });
    expect(vectors[0]!.norm).toBeCloseTo(2, 5);
    expect(vectors[0]!.vector[0]).toBeCloseTo(1.2, 2);
    for (const entry of vectors[0]!.log) expect(entry.norm).toBeCloseTo(2, 5);
  });

  it("finds λ by itself: the largest on the path that elicits", async () => {
    const { vectors } = await supervisedMelbo.run({ objective: quadraticObjective([3, 4], 0.1), dModel: 2 });
    const [found] = vectors;
    expect(found!.elicits).toBe(true);
    expect(found!.lambda).toBeLessThan(5);
    expect(found!.loss.final).toBeLessThanOrEqual(0.25 * found!.loss.initial);
    const asked: number[] = [];
    const { vectors: judged } = await supervisedMelbo.run({
      objective: quadraticObjective([3, 4], 0.1),
      dModel: 2,
      elicitation: async (theta) => {
        asked.push(norm(theta));
        return asked.length >= 3 ? 1 : 0;
      },
    });
    expect(asked).toHaveLength(4); // the third elicits, and once more after its last run
    expect(judged[0]!.lambda).toBeCloseTo(5 / 8, 5);
  });

  it("keeps several vectors orthogonal, and reads them by encoder or decoder", async () => {
    const encoder = [
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ];
    for (const options of [{ radius: 1 }, { lambda: 0.1 }]) {
      const { vectors } = await supervisedMelbo.run({
        objective: quadraticObjective([3, 2, 1]),
        dModel: 3,
        sae: toySae(identity, encoder),
        options: { ...options, vectors: 2, steps: 200 },
      });
      expect(Math.abs(dot(vectors[0]!.vector, vectors[1]!.vector))).toBeLessThan(1e-5);
      expect(vectors[0]!.scores![0]).toBe(vectors[0]!.vector[1]);
    }
    const { vectors } = await supervisedMelbo.run({
      objective: quadraticObjective([3, 2, 1]),
      dModel: 3,
      sae: toySae(identity, encoder),
      options: { lambda: 0.1, readBy: "decoder" },
    });
    expect(vectors[0]!.scores![0]).toBe(vectors[0]!.vector[0]);
  });

  it("does the same work whatever the unit of the residual stream", async () => {
    const scaled = async (unit: number) => {
      const { vectors } = await supervisedMelbo.run({
        objective: {
          ...quadraticObjective([3, 4]),
          async evaluate(theta: Float32Array) {
            const plain = await quadraticObjective([3, 4]).evaluate(theta.map((x) => x / unit));
            return { losses: plain.losses, gradients: plain.gradients.map((g) => g / unit) };
          },
        },
        dModel: 2,
      });
      return vectors[0]!;
    };
    const [one, hundred] = [await scaled(1), await scaled(100)];
    expect(hundred.loss.final).toBeCloseTo(one.loss.final, 3);
    expect(hundred.norm / one.norm).toBeCloseTo(100, 1);
  });
});

describe("supervised-sae-melbo", () => {
  it("reaches the soft-threshold solution with exact zeros", async () => {
    // With an orthonormal decoder min ½‖z − a‖² + λ‖z‖₁, z ≥ 0, is max(a − λ, 0).
    const { vectors } = await supervisedSaeMelbo.run({
      objective: quadraticObjective([1, 0.05, -2]),
      dModel: 3,
      sae: toySae(identity),
      options: { lambda: 0.1, steps: 400, learningRate: 0.01 },
    });
    const { z, scores, log } = vectors[0]!;
    expect([...z!.ids]).toEqual([0]);
    expect(z!.values[0]).toBeCloseTo(0.9, 2);
    expect([...scores!].slice(1)).toEqual([0, 0]);
    expect(log.at(-1)!.nonZero).toBe(1);
    expect(log).toHaveLength(401);
  });

  it("allows negative latents when signed", async () => {
    const { vectors } = await supervisedSaeMelbo.run({
      objective: quadraticObjective([1, 0.05, -2]),
      dModel: 3,
      sae: toySae(identity),
      options: { lambda: 0.1, steps: 800, learningRate: 0.01, signed: true },
    });
    expect([...vectors[0]!.z!.ids]).toEqual([0, 2]);
    expect(vectors[0]!.z!.values[1]).toBeCloseTo(-1.9, 2);
    expect(vectors[0]!.scores![2]).toBeCloseTo(1.9, 2);
  });

  it("works in units of typical activation", async () => {
    // u in units of s = (10, 1): the penalty on latent 0 is λ/10 per raw unit, so z₀ = a₀ − λ/10.
    const typicalActivation = Float32Array.from([10, 1]);
    const { vectors, hyperparameters } = await supervisedSaeMelbo.run({
      objective: quadraticObjective([5, 1]),
      dModel: 2,
      sae: toySae([
        [1, 0],
        [0, 1],
      ]),
      typicalActivation,
      options: { lambda: 0.5, steps: 1500, learningRate: 0.005 },
    });
    const { z } = vectors[0]!;
    expect(hyperparameters.units).toBe("typical");
    expect(z!.values[0]).toBeCloseTo(4.95, 1);
    expect(z!.inUnits[0]).toBeCloseTo(0.495, 2);
    expect(z!.values[1]).toBeCloseTo(0.5, 2);
    expect([...vectors[0]!.vector]).toEqual([...z!.values]);
  });

  it("finds λ by itself, sparse before dense, and says when nothing elicits", async () => {
    const objective = quadraticObjective([2, 0.2, 0.1], 0.01);
    const run = { objective, dModel: 3, sae: toySae(identity), options: { learningRate: 0.1 } };
    const { vectors } = await supervisedSaeMelbo.run(run);
    expect(vectors[0]!.elicits).toBe(true);
    expect([...vectors[0]!.z!.ids]).toEqual([0]);
    const never = await supervisedSaeMelbo.run({ ...run, elicitation: async () => 0 });
    expect(never.vectors[0]!.elicits).toBe(false);
    expect(never.vectors[0]!.z!.ids.length).toBe(3);
    const lambdas = never.vectors[0]!.log.map((entry) => entry.lambda).slice(1);
    expect(lambdas).toEqual([...lambdas].sort((a, b) => b - a));
  });

  it("keeps what is added to the model orthogonal over several vectors", async () => {
    const { vectors } = await supervisedSaeMelbo.run({
      objective: quadraticObjective([2, 1, 0.5]),
      dModel: 3,
      sae: toySae([...identity, [0.6, 0.8, 0], [0.5, 0.5, 0.7]]),
      options: { lambda: 0.05, vectors: 2, steps: 20 },
    });
    for (let a = 0; a < 2; a++) {
      expect(vectors[a]!.norm).toBeGreaterThan(0.01);
      for (let b = 0; b < a; b++) expect(Math.abs(dot(vectors[a]!.vector, vectors[b]!.vector))).toBeLessThan(1e-5);
    }
  });

  it("caps a path's evaluations at its steps, repeats exactly, and can be aborted", async () => {
    const objective = quadraticObjective([2, 1, 0.5]);
    const run = { objective, dModel: 3, sae: toySae(identity), options: { steps: 13 }, elicitation: async () => 0 };
    const first = await supervisedSaeMelbo.run(run);
    expect(first.vectors[0]!.steps).toBe(13);
    expect(objective.evaluations).toBe(14);
    const second = await supervisedSaeMelbo.run(run);
    expect(second.vectors[0]!.log).toEqual(first.vectors[0]!.log);
    const abort = new AbortController();
    const stopped = supervisedSaeMelbo.run({
      ...run,
      signal: abort.signal,
      onStep: (_, entry) => entry.step === 3 && abort.abort(new Error("enough")),
    });
    await expect(stopped).rejects.toThrow("enough");
  });

  it("stops early when patience runs out", async () => {
    const { vectors } = await supervisedSaeMelbo.run({
      objective: quadraticObjective([0.1, 0, 0], 1),
      dModel: 3,
      sae: toySae(identity),
      options: { lambda: 0.01, steps: 500, patience: 5 },
    });
    expect(vectors[0]!.steps).toBeLessThan(100);
  });
});

describe("what methods share", () => {
  it("projects exactly even off a nearly parallel pair", () => {
    const complement = new OrthogonalComplement();
    const a = Float32Array.from([1, 0, 0]);
    const b = Float32Array.from([1, 1e-3, 0]);
    complement.exclude(a);
    complement.exclude(b);
    complement.exclude(Float32Array.from([0, 0, 0]));
    expect(complement.rank).toBe(2);
    expect(norm(complement.project(Float32Array.from([3, 5, 0])))).toBeLessThan(1e-6);
  });

  it("refuses options that mean nothing to a method, and a missing SAE", async () => {
    const objective = quadraticObjective([1]);
    await expect(
      saeAttribution.run({ objective, dModel: 1, sae: toySae([[1]]), options: { radius: 1 } }),
    ).rejects.toThrow("sae-attribution has no option radius");
    await expect(supervisedSaeMelbo.run({ objective, dModel: 1 })).rejects.toThrow(InputError);
    await expect(supervisedMelbo.run({ objective, dModel: 1, options: { steps: 0.5 } })).rejects.toThrow(
      "steps is 0.5",
    );
  });

  it("refuses more vectors than can be orthogonal", async () => {
    const input = { objective: quadraticObjective([1]), dModel: 1, sae: toySae([[1]]), options: { vectors: 2 } };
    await expect(supervisedMelbo.run(input)).rejects.toThrow("supervised-melbo: 2 vectors of width 1 cannot");
    await expect(supervisedSaeMelbo.run(input)).rejects.toThrow("ask for at most 1");
  });

  it("lists its methods by name", () => {
    expect(methods.map((m) => m.name)).toEqual([
      "sae-attribution",
      "melbo",
      "sae-melbo",
      "supervised-melbo",
      "supervised-sae-melbo",
    ]);
    expect(() => findMethod("magic")).toThrow("there are sae-attribution");
  });
});
