import { describe, expect, it } from "vitest";
import { norm } from "./orthogonality.js";
import { supervisedSaeMelbo } from "./supervised-sae-melbo.js";
import { quadraticObjective, toySae } from "./toy.testing.js";

const identity = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
const rounded = (vector: Float32Array) => [...vector].map((x) => Number(x.toFixed(3)));

describe.each(["adam", "proximal"] as const)("supervised-sae-melbo at a fixed norm, %s", (optimizer) => {
  const run = (options: object, target = [3, 4, 0.05]) =>
    supervisedSaeMelbo.run({
      objective: quadraticObjective(target),
      dModel: 3,
      sae: toySae(identity),
      options: { optimizer, radius: 2, steps: 600, learningRate: 0.005, ...options },
    });

  it("comes to the sparse direction, at its norm throughout", async () => {
    // ½‖θ − a‖² on ‖θ‖ = R is a constant − R ⟨a, θ̂⟩; with λR‖θ̂‖₁ and θ̂ ≥ 0 the best θ̂ is along max(a − λ, 0) = (2, 3, 0).
    const { vectors } = await run({ lambda: 1 });
    expect(rounded(vectors[0]!.vector)).toEqual(
      [(2 * 2) / Math.sqrt(13), (2 * 3) / Math.sqrt(13), 0].map((x) => Number(x.toFixed(3))),
    );
    expect([...vectors[0]!.z!.ids]).toEqual([0, 1]);
    for (const entry of vectors[0]!.log) expect(entry.norm).toBeCloseTo(2, 4);
    expect(vectors[0]!.loss.initial).toBeCloseTo(0.5 * (25 + 0.05 ** 2), 4);
  });

  it("keeps the steepest latent where the penalty leaves nothing, and signs when asked to", async () => {
    const { vectors: alone } = await run({ lambda: 50 });
    expect(rounded(alone[0]!.vector)).toEqual([0, 2, 0]);
    const { vectors: signed } = await run({ lambda: 1, signed: true }, [3, -4, 0.05]);
    expect(signed[0]!.vector[1]! / signed[0]!.vector[0]!).toBeCloseTo(-1.5, 2);
  });

  it("follows a path without a λ, and keeps later vectors orthogonal at the same norm", async () => {
    const { vectors } = await run({ vectors: 2, steps: 80 });
    for (const { vector } of vectors) expect(norm(vector)).toBeCloseTo(2, 4);
    const [a, b] = [vectors[0]!.vector, vectors[1]!.vector];
    expect(Math.abs(a.reduce((sum, x, i) => sum + x * b[i]!, 0))).toBeLessThan(1e-4);
  });
});
