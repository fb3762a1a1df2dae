/** Where SAE training starts: the scale and mean of rows [n, d], and the first parameters. */
import { InputError } from "../formats/input-error.js";
import { Random } from "../random/random.js";
import type { SaeTrainingOptions } from "./training.js";
import { normaliseRows } from "./training-gradients.js";
import { parameterEntries, type TrainingParameters, type TrainingState } from "./training-state.js";

/** Noise on first decoder rows, residual units: a data row that equals the mean would have no direction. */
const JITTER = 1e-8;

/** s = √d / mean ‖row‖ and the mean row. */
export function statistics(rows: Float32Array, d: number): { scale: number; mean: Float64Array } {
  const n = rows.length / d;
  const mean = new Float64Array(d);
  let norms = 0;
  for (let at = 0; at < rows.length; at += d) {
    let squares = 0;
    for (let i = 0; i < d; i++) {
      const value = rows[at + i]!;
      mean[i] = mean[i]! + value / n;
      squares += value * value;
    }
    norms += Math.sqrt(squares);
  }
  if (!(norms > 0 && Number.isFinite(norms))) throw new InputError("the activation rows are all zero or not finite");
  return { scale: (Math.sqrt(d) * n) / norms, mean };
}

export function initialState(
  rows: Float32Array,
  d: number,
  scale: number,
  mean: Float64Array,
  { latents: m, seed, architecture }: SaeTrainingOptions & { readonly latents: number; readonly seed: number },
): TrainingState {
  const n = rows.length / d;
  const random = new Random(seed);
  const decoder = new Float32Array(m * d);
  for (let j = 0; j < m; j++) {
    const row = random.integer(n);
    for (let i = 0; i < d; i++) decoder[j * d + i] = rows[row * d + i]! - mean[i]! + JITTER * random.normal();
  }
  normaliseRows(decoder, d);
  const parameters: TrainingParameters = {
    encoder: decoder.slice(),
    encoderBias: new Float32Array(m),
    decoder,
    decoderBias: Float32Array.from(mean, (x) => x * scale),
    ...(architecture === "jumprelu" ? { logThreshold: new Float32Array(m) } : {}),
  };
  const adam = Object.fromEntries(
    parameterEntries(parameters).map(([name, { length }]) => [
      name,
      { step: 0, first: new Float32Array(length), second: new Float32Array(length) },
    ]),
  );
  return { step: 0, parameters, adam, lastFired: new Int32Array(m) };
}
