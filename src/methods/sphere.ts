/** Descent over vectors of one length: the sphere ‖θ‖₂ = R in the complement of the vectors already found. */
import type { Objective } from "../engine/engine.js";
import { norm, type OrthogonalComplement } from "./orthogonality.js";
import type { Problem } from "./problem.js";

/**
 * Each step, as the published MELBO code takes it: the gradient's part along earlier vectors goes, then its part along θ; the
 * optimiser steps; θ's part along earlier vectors goes; θ is put back to length R. `start` must lie on the sphere.
 */
export function sphereProblem(objective: Objective, complement: OrthogonalComplement, radius: number): Problem {
  return {
    async evaluate(theta) {
      const { losses, gradients } = await objective.evaluate(theta);
      return { loss: losses[0]!, gradient: removeAlong(complement.project(gradients), theta), penalty: 0, theta };
    },
    constrain(theta) {
      setNorm(complement.project(theta), radius);
    },
    proximal(theta) {
      setNorm(complement.project(theta), radius);
    },
  };
}

/** θ ← θ · length / ‖θ‖, in place. Returns it. */
export function setNorm(theta: Float32Array, length: number): Float32Array {
  const factor = length / norm(theta);
  for (let i = 0; i < theta.length; i++) theta[i] = theta[i]! * factor;
  return theta;
}

/** gradient ← its part orthogonal to θ, in place. Returns it. */
export function removeAlong(gradient: Float32Array, theta: Float32Array): Float32Array {
  let along = 0;
  let squared = 0;
  for (let i = 0; i < theta.length; i++) {
    along += gradient[i]! * theta[i]!;
    squared += theta[i]! * theta[i]!;
  }
  if (squared === 0) return gradient;
  for (let i = 0; i < theta.length; i++) gradient[i] = gradient[i]! - (along / squared) * theta[i]!;
  return gradient;
}
