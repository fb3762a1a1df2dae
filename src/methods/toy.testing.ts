/** Problems small enough to solve on paper, for the tests of this room. */
import type { Evaluation, LayerChangeObjective, SteeringObjective } from "../engine/engine.js";
import type { Sae } from "../sae/sae.js";

/**
 * loss(θ) = floor + ½ ‖θ − target‖² as an objective, which counts its evaluations. `attribute` returns the given rows.
 */
export function quadraticObjective(
  target: readonly number[],
  floor = 0,
  attribution: readonly (readonly number[])[] = [target.map((x) => -x)],
): SteeringObjective & { evaluations: number } {
  const d = target.length;
  return {
    layer: 0,
    sequences: attribution.length,
    evaluations: 0,
    async evaluate(theta, count = 1): Promise<Evaluation> {
      this.evaluations += 1;
      const losses = new Float64Array(count).fill(floor);
      const gradients = new Float32Array(count * d);
      for (let k = 0; k < count; k++) {
        for (let i = 0; i < d; i++) {
          const difference = theta[k * d + i]! - target[i]!;
          gradients[k * d + i] = difference;
          losses[k] = losses[k]! + 0.5 * difference * difference;
        }
      }
      return { losses, gradients };
    },
    async attribute() {
      return { losses: new Float64Array(attribution.length).fill(1), gradients: Float32Array.from(attribution.flat()) };
    },
    async dispose() {},
  };
}

/**
 * Δ(θ) = W θ + curvature · θ ∘ θ for a square W, at one token of one prompt: loss = −‖Δ‖², and J = W.
 */
export function changeToy(w: readonly (readonly number[])[], curvature = 0): LayerChangeObjective {
  const d = w.length;
  const product = (v: Float32Array) => Float32Array.from(w, (row) => row.reduce((sum, x, i) => sum + x * v[i]!, 0));
  const change = (theta: Float32Array) => product(theta).map((x, i) => x + curvature * theta[i]! ** 2);
  return {
    layer: 0,
    sequences: 1,
    measure: { targetLayer: 1, p: 2, q: 1, norm: "token" },
    unsteeredNorm: 10,
    async evaluate(theta) {
      const delta = change(theta);
      const gradients = Float32Array.from(
        { length: d },
        (_, i) =>
          -2 * (w.reduce((sum, row, k) => sum + row[i]! * delta[k]!, 0) + 2 * curvature * theta[i]! * delta[i]!),
      );
      return { losses: Float64Array.of(-delta.reduce((sum, x) => sum + x * x, 0)), gradients };
    },
    change: async (theta) => change(theta),
    jacobianProduct: async (v) => product(v),
    async dispose() {},
  };
}

/** An SAE whose decoder rows are given; encoder rows are the same unless given. */
export function toySae(decoder: readonly (readonly number[])[], encoder = decoder): Sae {
  const d = decoder[0]!.length;
  const m = decoder.length;
  const project = (rows: readonly (readonly number[])[], v: Float32Array): Float32Array => {
    const vectors = v.length / d;
    return Float32Array.from({ length: vectors * m }, (_, at) => {
      const row = rows[at % m]!;
      return row.reduce((sum, x, i) => sum + x * v[Math.floor(at / m) * d + i]!, 0);
    });
  };
  return {
    info: { name: "toy", format: "toy", architecture: "standard", dModel: d, latents: m },
    encode: async () => {
      throw new Error("the toy does not encode");
    },
    projectDecoder: async (v) => project(decoder, v),
    projectEncoder: async (v) => project(encoder, v),
    decode: async (z) =>
      Float32Array.from({ length: (z.length / m) * d }, (_, at) =>
        decoder.reduce((sum, row, j) => sum + row[at % d]! * z[Math.floor(at / d) * m + j]!, 0),
      ),
    decoderNorms: async () => Float32Array.from(decoder, (row) => Math.hypot(...row)),
    decoderRow: async (id) => Float32Array.from(decoder[id]!),
    close: async () => {},
  };
}
