import { describe, expect, it } from "vitest";
import type { LayerChangeObjective } from "../engine/engine.js";
import { InputError } from "../formats/input-error.js";
import { calibrateRadius } from "./calibrate-radius.js";
import { layerChangeOf } from "./layer-change.js";
import { melbo } from "./melbo.js";
import { norm } from "./orthogonality.js";
import { saeAttribution } from "./sae-attribution.js";
import { saeMelbo } from "./sae-melbo.js";
import { timedObjective } from "./timing.js";
import { changeToy, quadraticObjective, toySae } from "./toy.testing.js";

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const identity = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
const diagonal = (...values: number[]) => values.map((x, i) => values.map((_, j) => (i === j ? x : 0)));
/** The same objective measured by norms of hidden units; at one token and p = 2 the value is the same. */
const published = (objective: LayerChangeObjective): LayerChangeObjective => ({
  ...objective,
  measure: { ...objective.measure, norm: "unit" },
});

describe("melbo", () => {
  it.each(["post", "published"] as const)(
    "%s finds singular directions one after another, on the sphere",
    async (variant) => {
      // max ‖Wθ‖ over ‖θ‖ = 2: first the direction that W stretches 3 times, then, orthogonal to it, 2 times.
      const toy = changeToy(diagonal(1, 3, 2));
      const { vectors } = await melbo.run({
        objective: variant === "post" ? toy : published(toy),
        dModel: 3,
        sae: toySae(identity),
        options: { variant, radius: 2, vectors: 3, steps: 600, learningRate: 0.02 },
      });
      expect(vectors.map(({ loss }) => loss.final)).toEqual([
        expect.closeTo(-36, 1),
        expect.closeTo(-16, 1),
        expect.closeTo(-4, 1),
      ]);
      expect(Math.abs(vectors[0]!.vector[1]!)).toBeCloseTo(2, 2);
      for (const { log, vector, loss, scores } of vectors) {
        expect(loss.final).toBeLessThanOrEqual(loss.initial);
        expect([...scores!]).toEqual([...vector]);
        for (const entry of log) expect(entry.norm).toBeCloseTo(2, 5);
        for (const other of vectors)
          if (other.vector !== vector) expect(Math.abs(dot(other.vector, vector))).toBeLessThan(1e-5);
      }
    },
  );

  it("has the published settings number for number, and a learning rate of the problem otherwise", async () => {
    const run = async (unit: number) =>
      melbo.run({
        objective: changeToy(diagonal(2 / unit, 1 / unit)),
        dModel: 2,
        options: { radius: 3 * unit, steps: 40 },
      });
    const [one, thousand] = [await run(1), await run(1000)];
    expect(thousand.vectors[0]!.loss.final).toBeCloseTo(one.vectors[0]!.loss.final, 3);
    const code = await melbo.run({
      objective: published(changeToy(diagonal(2, 1))),
      dModel: 2,
      options: { variant: "published", radius: 3, steps: 1 },
    });
    expect(code.hyperparameters).toMatchObject({ learningRate: 1e-3, betas: "0.9, 0.98", amsgrad: true });
    expect(one.hyperparameters).toMatchObject({ p: 2, q: 1, targetLayer: 1, radius: 3, radiusFrom: "given" });
    expect(
      (
        await melbo.run({
          objective: published(changeToy(diagonal(1, 0.9), 0.1)),
          dModel: 2,
          options: { variant: "published", steps: 1 },
        })
      ).hyperparameters.radiusFrom,
    ).toMatch(/^calibrated/);
  });

  it("repeats exactly for a seed, starts elsewhere for another, and takes starts", async () => {
    const run = async (seed: number, starts?: Float32Array[]) =>
      (
        await melbo.run({
          objective: changeToy(diagonal(2, 1)),
          dModel: 2,
          options: { radius: 1, steps: 3, seed },
          starts,
        })
      ).vectors[0]!.log;
    expect(await run(1)).toEqual(await run(1));
    expect(await run(2)).not.toEqual(await run(1));
    const [start] = await run(1, [Float32Array.of(0, 7)]);
    expect(start!.loss).toBeCloseTo(-1, 6);
  });

  it("refuses what cannot be", async () => {
    const objective = changeToy(diagonal(2, 1));
    const refused = (options: object, message: string) =>
      expect(melbo.run({ objective, dModel: 2, options })).rejects.toThrow(message);
    await refused({ vectors: 3 }, "at most 2");
    await refused({ lambda: 1 }, "melbo has no option lambda");
    await refused({ p: 3, radius: 1 }, "prepared with p 2, but the options say 3");
    await refused({ variant: "published", radius: 1 }, "prepared with norm token");
    await refused({ q: 0 }, "q is 0; it must be positive");
    await expect(melbo.run({ objective: quadraticObjective([1, 1]), dModel: 2 })).rejects.toThrow("not an action");
    await expect(saeAttribution.run({ objective, dModel: 2, sae: toySae(identity) })).rejects.toThrow("not a layer's");
  });
});

describe("the measure", () => {
  it("has the published target, and one halfway where the model is short", () => {
    expect(layerChangeOf({}, 7, 24)).toEqual({ targetLayer: 15, p: 2, q: 1, norm: "token" });
    expect(layerChangeOf({ variant: "published", p: 4, q: 4 }, 2, 6)).toEqual({
      targetLayer: 4,
      p: 4,
      q: 4,
      norm: "unit",
    });
    expect(layerChangeOf({ targetLayer: 3 }, 2, 6).targetLayer).toBe(3);
  });

  it("needs a later layer", () => {
    expect(() => layerChangeOf({}, 5, 6)).toThrow("is the last of 6");
    for (const targetLayer of [2, 6, 2.5]) expect(() => layerChangeOf({ targetLayer }, 2, 6)).toThrow(InputError);
  });
});

describe("the radius", () => {
  it("is where the change stops being linear", async () => {
    // In one dimension v = ±1, Δ = R v + c R², so the nonlinearity is c R.
    for (const c of [0.01, 0.3, 40]) {
      const { radius, nonlinearity } = await calibrateRadius(changeToy([[1]], c), 1, 42);
      expect(nonlinearity).toBeCloseTo(0.5, 2);
      expect(radius * c).toBeCloseTo(nonlinearity, 5);
    }
  });

  it("is found where the nonlinearity saturates on both sides", async () => {
    // Δ = tanh-like per coordinate: almost linear, then a bend that the interpolation has to close in on.
    const bend = (x: number) => (Math.abs(x) < 2 ? x : Math.sign(x) * 2);
    const objective = { ...changeToy([[1]]), change: async (theta: Float32Array) => theta.map(bend) };
    const { radius } = await calibrateRadius(objective, 1, 42);
    expect(radius).toBeCloseTo(4, 1); // |2 − R| / R = 0.5
  });

  it("is refused where nothing bends, everything does, or nothing arrives", async () => {
    await expect(calibrateRadius(changeToy(diagonal(2, 1)), 2, 42)).rejects.toThrow("nearly linear");
    await expect(calibrateRadius(changeToy(diagonal(0, 0)), 2, 42)).rejects.toThrow("does not reach");
    const noise = { ...changeToy([[1]]), change: async () => Float32Array.of(0) };
    await expect(calibrateRadius(noise, 1, 42)).rejects.toThrow("linear in the vector at no length");
  });
});

it("the search for a radius is timed apart from evaluations", async () => {
  let clock = 0;
  const timing = { evaluations: 0, seconds: 0, radiusSeconds: 0 };
  // The clock moves half a second at each look: half a second a call.
  const timed = timedObjective(changeToy([[1]], 0.5), timing, () => (clock += 500));
  const { hyperparameters } = await melbo.run({ objective: timed, dModel: 1, options: { steps: 9 } });
  expect(timing).toMatchObject({ evaluations: 10, seconds: 5 });
  expect(timing.radiusSeconds).toBeGreaterThanOrEqual(0.5 * 30 * 3);
  expect(hyperparameters.targetLayer).toBe(1);
});

describe("sae-melbo", () => {
  it("keeps the few latents that change most, with exact zeros and θ at its length", async () => {
    const { vectors } = await saeMelbo.run({
      objective: changeToy(diagonal(1, 3, 2)),
      dModel: 3,
      sae: toySae(identity),
      options: { radius: 2, vectors: 2 },
    });
    for (const { norm: length, z, vector, log } of vectors) {
      expect(length).toBeCloseTo(2, 5);
      expect([...z!.ids].length).toBe(1);
      expect(norm(vector)).toBeCloseTo(2, 5);
      for (const entry of log) expect(entry.norm).toBeCloseTo(2, 5);
    }
    expect([...vectors[0]!.z!.ids]).toEqual([1]);
    expect(vectors[0]!.loss.final).toBeCloseTo(-36, 2);
    expect(Math.abs(dot(vectors[0]!.vector, vectors[1]!.vector))).toBeLessThan(1e-5);
  });

  it("reaches the optimum of change and penalty at one length", async () => {
    const decoder = [
      [1, 0],
      [0.6, 0.8],
      [-0.5, 1.2],
    ];
    const w = [
      [2, 0.5],
      [0.3, 1.5],
    ];
    const [radius, lambda] = [2, 1.5];
    const { vectors } = await saeMelbo.run({
      objective: changeToy(w),
      dModel: 2,
      sae: toySae(decoder),
      options: { radius, lambda, steps: 3000, learningRate: 0.003 },
      starts: [Float32Array.of(1, 0.6)],
    });
    const value = async (u: Float32Array) => {
      const theta = await toySae(decoder).decode(u);
      const factor = radius / norm(theta);
      const { losses } = await changeToy(w).evaluate(theta.map((x) => x * factor));
      return losses[0]! + lambda * factor * u.reduce((sum, x) => sum + Math.abs(x), 0);
    };
    let best = Number.POSITIVE_INFINITY;
    for (let a = 0; a <= 60; a++)
      for (let b = 0; a + b <= 60; b++) best = Math.min(best, await value(Float32Array.of(a, b, 60 - a - b)));
    const { loss, z } = vectors[0]!;
    expect(loss.final + lambda * z!.values.reduce((sum, x) => sum + x, 0)).toBeLessThan(best + 2e-3);
    // With this penalty the optimum shares the length between two latents.
    expect(z!.ids.length).toBe(2);
  });

  it("lets latents be negative when signed, and ends with one when λ takes all", async () => {
    const decoder = diagonal(1, 1);
    // Δ = θ − 0.2 θ∘θ: at length 2 the negative side of either coordinate changes most.
    const run = (signed: boolean) =>
      saeMelbo.run({
        objective: changeToy(diagonal(1.2, 1), -0.2),
        dModel: 2,
        sae: toySae(decoder),
        options: { radius: 2, lambda: 0.5, signed, steps: 300 },
        starts: [Float32Array.of(-1, -0.2)],
      });
    const signed = await run(true);
    expect(signed.vectors[0]!.z!.values[0]).toBeLessThan(-1.5);
    expect(signed.vectors[0]!.scores![0]).toBeGreaterThan(1.5);
    const heavy = await saeMelbo.run({
      objective: changeToy(diagonal(1, 3, 2)),
      dModel: 3,
      sae: toySae(identity),
      options: { radius: 2, lambda: 1e6, steps: 200 },
    });
    expect(heavy.vectors[0]!.z!.ids.length).toBe(1);
    expect(heavy.vectors[0]!.norm).toBeCloseTo(2, 5);
  });

  it("works in units of typical activation, and does the same whatever the unit of the residual stream", async () => {
    const run = async (unit: number, typical: number) =>
      (
        await saeMelbo.run({
          objective: changeToy(diagonal(2 / unit, 1 / unit, 1.9 / unit)),
          dModel: 3,
          sae: toySae(identity),
          typicalActivation: new Float32Array(3).fill(typical),
          options: { radius: 2 * unit, steps: 90, lambda: 0 },
        })
      ).vectors[0]!;
    const [plain, large, strong] = [await run(1, 1), await run(100, 1), await run(1, 10)];
    plain.z!.values.forEach((value, i) => {
      expect(large.z!.values[i]! / 100).toBeCloseTo(value, 3);
      expect(strong.z!.values[i]).toBeCloseTo(value, 3);
      expect(strong.z!.inUnits[i]! * 10).toBeCloseTo(strong.z!.values[i]!, 5);
    });
  });

  it("refuses what cannot be", async () => {
    const input = { objective: changeToy(diagonal(2, 1)), dModel: 2, sae: toySae(diagonal(1, 1)) };
    await expect(saeMelbo.run({ ...input, options: { vectors: 3, radius: 1 } })).rejects.toThrow("at most 2");
    await expect(saeMelbo.run({ ...input, options: { variant: "post", radius: 1 } })).rejects.toThrow(
      "no option variant",
    );
    await expect(saeMelbo.run({ ...input, options: { units: "typical", radius: 1 } })).rejects.toThrow(
      "measured on a corpus",
    );
    await expect(saeMelbo.run({ ...input, sae: toySae(diagonal(0, 0)), options: { radius: 1 } })).rejects.toThrow(
      "every decoder row is zero",
    );
  });
});
