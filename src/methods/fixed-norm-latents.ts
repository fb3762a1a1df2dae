/**
 * Latents whose θ = A u has a fixed norm R (A: `latent-map.ts`):
 *
 *   min over u ≠ 0 of  F(u) = CE(R Au/‖Au‖) + λ R ‖u‖₁/‖Au‖,     written at the scale where ‖Au‖ = R
 *
 * F does not change when u is stretched, so with the size settled the L1 penalty no longer asks for a small vector: it asks for
 * a direction made of few latents, each of which carries much of θ (‖u‖₁ is least, for the same ‖θ‖, on latents that point
 * the same way). However large λ is, the sparsest direction is left, not zero.
 *
 * 1. At ‖Au‖ = R:  ∇CE = Aᵀ(g − θ ⟨θ, g⟩/R²), g = ∂CE/∂θ: the part of g that is tangent to the sphere.
 * 2. The penalty is λ‖u‖₁, left to the proximal step, and the smooth rest of its gradient, −λ (‖u‖₁/R²) Aᵀθ: the pull that
 *    undoes along the radius what shrinking takes away, so that the fixed points are those of F.
 * 3. After every step u is stretched back to ‖Au‖ = R.
 * 4. Start: one proximal step from zero, u ∝ max(−∇CE(0) − λ, 0), at least the steepest latent.
 */
import type { SteeringObjective } from "../engine/engine.js";
import type { LatentMap } from "./latent-map.js";
import { norm } from "./orthogonality.js";
import type { Problem } from "./problem.js";
import { absoluteSum, shrink } from "./soft-threshold.js";

/** The problem at norm `radius`; `signed` allows negative latents. */
export function fixedNormProblem(
  objective: SteeringObjective,
  map: LatentMap,
  radius: number,
  signed: boolean,
): Problem {
  const shrinkAndStretch = async (u: Float32Array, lambda: number, stepSize: (j: number) => number) => {
    const before = u.slice();
    shrink(u, signed, (j) => lambda * stepSize(j));
    if (u.every((x) => x === 0)) keepLargest(u, before, signed);
    await stretch(map, u, radius);
  };
  return {
    async evaluate(u) {
      const theta = await map.theta(u);
      const { losses, gradients } = await objective.evaluate(theta);
      let along = 0;
      for (let i = 0; i < theta.length; i++) along += (theta[i]! * gradients[i]!) / radius ** 2;
      const penalty = absoluteSum(u);
      const radial = await map.adjoint(theta);
      return {
        loss: losses[0]!,
        gradient: await map.adjoint(gradients.map((g, i) => g - along * theta[i]!)),
        penalty,
        pull: radial.map((x) => (-penalty / radius ** 2) * x),
        theta,
      };
    },
    constrain: (u, lambda, stepSizes) => shrinkAndStretch(u, lambda, (j) => stepSizes[j]!),
    proximal: (u, lambda, stepSize) => shrinkAndStretch(u, lambda, () => stepSize),
  };
}

/** Where to start at λ: `slope` is ∇CE(0) [m]. */
export async function fixedNormStart(
  map: LatentMap,
  slope: Float32Array,
  lambda: number,
  radius: number,
  signed: boolean,
): Promise<Float32Array> {
  const downhill = slope.map((g) => -g);
  const u = downhill.slice();
  shrink(u, signed, () => lambda);
  if (u.every((x) => x === 0)) keepLargest(u, downhill, signed);
  await stretch(map, u, radius);
  return u;
}

/** u ← u R/‖Au‖. */
async function stretch(map: LatentMap, u: Float32Array, radius: number): Promise<void> {
  const factor = radius / norm(await map.theta(u));
  for (let j = 0; j < u.length; j++) u[j] = u[j]! * factor;
}

/** u ← the largest coordinate of `from` alone. */
function keepLargest(u: Float32Array, from: Float32Array, signed: boolean): void {
  let largest = 0;
  for (let j = 1; j < from.length; j++) {
    const [a, b] = signed ? [Math.abs(from[j]!), Math.abs(from[largest]!)] : [from[j]!, from[largest]!];
    if (a > b) largest = j;
  }
  u[largest] = from[largest]!;
}
