/**
 * `rope_freqs.weight` of GGUF files → the "llama3" rope scaling of config.json. The file holds only what each rotary
 * frequency is divided by; the four parameters that made them (Llama 3.1 model card, see ../rope.ts) are recovered and checked.
 */
import { InputError } from "../../formats/input-error.js";

export interface Llama3Scaling {
  readonly rope_type: "llama3";
  readonly factor: number;
  readonly low_freq_factor: number;
  readonly high_freq_factor: number;
  readonly original_max_position_embeddings: number;
}

/** The divisors are f32, and were computed in another order of operations. */
const TOLERANCE = 1e-5;
/** What Meta's models have, up to the context they were first trained on: a power of two between these. */
const LOW = 1;
const HIGH = 4;
const CONTEXTS = Array.from({ length: 20 }, (_, i) => 2 ** (4 + i));

/** Divisors [head size / 2] at base θ → scaling; null where nothing is divided. InputError where no parameters make them. */
export function llama3Scaling(divisors: Float32Array, theta: number, file: string): Llama3Scaling | null {
  const factor = divisors.reduce((most, x) => Math.max(most, x), 0);
  if (divisors.every((divisor) => divisor === 1)) return null;
  // 1 / wavelength of each pair, falling.
  const places = Array.from(divisors, (_, i) => theta ** (-i / divisors.length) / (2 * Math.PI));
  const published = CONTEXTS.map((context): Bounds => [LOW / context, HIGH / context]);
  for (const bounds of [...published, boundsFrom(divisors, places, factor)])
    if (fits(divisors, places, factor, bounds)) {
      const original = LOW / bounds[0];
      return {
        rope_type: "llama3",
        factor,
        low_freq_factor: LOW,
        high_freq_factor: bounds[1] * original,
        original_max_position_embeddings: original,
      };
    }
  throw new InputError(
    `${file}: rope_freqs.weight holds divisors that are no llama3 rope scaling, the only kind supported there`,
  );
}

/** 1/wavelength at which the blend begins (below it: fully divided) and ends (above it: not divided). */
type Bounds = readonly [divided: number, kept: number];

/**
 * Bounds that the divisors themselves tell: what a frequency keeps (1/divisor = (1 − smooth)/factor + smooth) is a straight
 * line in 1/wavelength. Where fewer than two frequencies are blended, several lines make the same divisors; one is taken.
 */
function boundsFrom(divisors: Float32Array, places: readonly number[], factor: number): Bounds {
  const smooth = Array.from(divisors, (divisor) => (1 / divisor - 1 / factor) / (1 - 1 / factor));
  const first = smooth.findIndex((s) => s < 1);
  const end = smooth.findIndex((s) => s <= 0);
  const kept = places[first - 1] ?? 4 * places[0]!;
  const divided = places[end]!;
  if (first === end) return [divided + (kept - divided) / 3, kept - (kept - divided) / 3];
  const [x, y] = [places[first]!, smooth[first]!];
  const slope =
    end - first > 1
      ? (y - smooth[end - 1]!) / (x - places[end - 1]!)
      : Math.max((1 - y) / (kept - x), y / (x - divided)); // reaches 0 and 1 at its neighbours at the latest
  return [x - y / slope, x + (1 - y) / slope];
}

function fits(divisors: Float32Array, places: readonly number[], factor: number, [divided, kept]: Bounds): boolean {
  if (!(divided > 0 && kept > divided)) return false;
  return divisors.every((divisor, i) => {
    const smooth = Math.min(1, Math.max(0, (places[i]! - divided) / (kept - divided)));
    return Math.abs(1 / ((1 - smooth) / factor + smooth) / divisor - 1) < TOLERANCE;
  });
}
