/**
 * Latents whose θ = A u has a fixed norm R (A: `latent-map.ts`):
 *
 *   min over u ≠ 0 of  F(u) = L(R Au/‖Au‖) + λ R ‖u‖₁/‖Au‖,     written at the scale where ‖Au‖ = R
 *
 * L is the objective: cross-entropy, or minus a later layer's change.
 *
 * F does not change when u is stretched, so with the size settled the L1 penalty no longer asks for a small vector: it asks for
 * a direction made of few latents, each of which carries much of θ (‖u‖₁ is least, for the same ‖θ‖, on latents that point
 * the same way). However large λ is, the sparsest direction is left, not zero.
 *
 * 1. At ‖Au‖ = R:  ∇L = Aᵀ(g − θ ⟨θ, g⟩/R²), g = ∂L/∂θ: the part of g that is tangent to the sphere.
 * 2. The penalty is λ‖u‖₁, left to the proximal step, and the smooth rest of its gradient, −λ (‖u‖₁/R²) Aᵀθ: the pull that
 *    undoes along the radius what shrinking takes away, so that the fixed points are those of F.
 * 3. After every step u is stretched back to ‖Au‖ = R. Were nothing left of it, the latent that a smaller λ would have left stays.
 * 4. Start: the caller's; for cross-entropy one proximal step from zero, u ∝ max(−∇L(0) − λ, 0), at least the steepest latent.
 */
import type { Objective } from "../engine/engine.js";
import { InputError } from "../formats/input-error.js";
import type { LatentMap } from "./latent-map.js";
import { norm } from "./orthogonality.js";
import type { Problem } from "./problem.js";
import { absoluteSum, shrink } from "./soft-threshold.js";
import { removeAlong } from "./sphere.js";

/** The problem at norm `radius`; `signed` allows negative latents. */
export function fixedNormProblem(objective: Objective, map: LatentMap, radius: number, signed: boolean): Problem {
  const shrinkAndStretch = async (u: Float32Array, lambda: number, stepSize: (j: number) => number) => {
    const before = u.slice();
    shrink(u, signed, (j) => lambda * stepSize(j));
    if (u.every((x) => x === 0)) keepLast(u, before, signed, stepSize);
    await stretch(map, u, radius);
  };
  return {
    async evaluate(u) {
      const theta = await map.theta(u);
      const { losses, gradients } = await objective.evaluate(theta);
      const penalty = absoluteSum(u);
      const rows = new Float32Array(2 * theta.length);
      rows.set(removeAlong(gradients, theta));
      rows.set(
        theta.map((x) => (-penalty / radius ** 2) * x),
        theta.length,
      );
      const projected = await map.adjoint(rows);
      return {
        loss: losses[0]!,
        gradient: projected.slice(0, u.length),
        penalty,
        pull: projected.slice(u.length),
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
  if (u.every((x) => x === 0)) keepLast(u, downhill, signed, () => 1);
  await stretch(map, u, radius);
  return u;
}

/** u ← u R/‖Au‖. InputError where Au is zero. */
export async function stretch(map: LatentMap, u: Float32Array, radius: number): Promise<void> {
  const factor = radius / norm(await map.theta(u));
  if (factor === Number.POSITIVE_INFINITY)
    throw new InputError("the latents left lie in the span of earlier vectors; ask for fewer vectors");
  for (let j = 0; j < u.length; j++) u[j] = u[j]! * factor;
}

/** u ← the coordinate of `from` alone that vanishes last as λ grows, with |from_j| = λ · stepSize(j). */
function keepLast(u: Float32Array, from: Float32Array, signed: boolean, stepSize: (j: number) => number): void {
  const vanishes = (j: number) => (signed ? Math.abs(from[j]!) : from[j]!) / stepSize(j);
  let last = 0;
  for (let j = 1; j < from.length; j++) if (vanishes(j) > vanishes(last)) last = j;
  u[last] = signed && from[last]! < 0 ? -1 : 1;
}
