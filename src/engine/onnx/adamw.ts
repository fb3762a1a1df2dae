/** AdamW on typed arrays (Loshchilov & Hutter 2019), with the gradients' joint norm clipped first. */
import type { AdamWSettings } from "../training.js";
import type { ParameterUpdate } from "./protocol.js";

/**
 * Updates each parameter in place.
 * m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  w ← w(1 − lr·decay) − lr · (m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε)
 * @returns the joint L2 norm of the gradients before clipping.
 */
export function adamw(
  parameters: readonly ParameterUpdate[],
  settings: AdamWSettings,
  values: (name: string) => Float32Array,
  state: (name: string, length: number) => Float32Array,
): number {
  const { learningRate, beta1, beta2, epsilon } = settings;
  let squares = 0;
  for (const { gradient } of parameters) {
    const g = values(gradient);
    let part = 0;
    for (let i = 0; i < g.length; i++) part += g[i]! * g[i]!;
    squares += part;
  }
  const norm = Math.sqrt(squares);
  const clip = norm > settings.maxNorm ? settings.maxNorm / norm : 1;
  const correction1 = 1 / (1 - beta1 ** settings.step);
  const correction2 = 1 / (1 - beta2 ** settings.step);
  for (const { name, gradient, decay, rate } of parameters) {
    const w = values(name);
    const g = values(gradient);
    const m = state(`${name}.m`, w.length);
    const v = state(`${name}.v`, w.length);
    const step = learningRate * rate;
    const shrink = decay ? 1 - step * settings.weightDecay : 1;
    for (let i = 0; i < w.length; i++) {
      const gi = g[i]! * clip;
      const mi = beta1 * m[i]! + (1 - beta1) * gi;
      const vi = beta2 * v[i]! + (1 - beta2) * gi * gi;
      m[i] = mi;
      v[i] = vi;
      w[i] = w[i]! * shrink - (step * mi * correction1) / (Math.sqrt(vi * correction2) + epsilon);
    }
  }
  return norm;
}
