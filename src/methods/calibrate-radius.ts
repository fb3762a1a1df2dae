/**
 * R where none is given, by the rule of the published follow-up (Mack & Turner, "Deep causal transcoding", 2024): the length
 * at which steering stops being linear. With 30 random unit vectors v and J = ∂Δ/∂θ at θ = 0,
 *
 *   nonlinearity(R) = √ mean_v ( ‖Δ(R v) − R J v‖² / ‖R J v‖² ) = 0.5
 *
 * 1. Draw v; J v is exact, one product for each.
 * 2. From 1 % of the residual stream's norm, where the change is linear, R grows until the nonlinearity is above the target.
 * 3. Between the last two R it is found by interpolation in log R and log nonlinearity (they are nearly proportional), with
 *    the Illinois rule so that both ends close in.
 *
 * Difference: the published Δ is the mean over the last three tokens of one prompt. Here Δ is the whole change that the objective
 * measures, at every measured token of every prompt, so that R belongs to what is maximised.
 */
import type { LayerChangeObjective } from "../engine/engine.js";
import { InputError } from "../formats/input-error.js";
import { Random } from "../random/random.js";
import { norm } from "./orthogonality.js";
import { setNorm } from "./sphere.js";

const DIRECTIONS = 30;
const TARGET = 0.5;
/** Relative error of the nonlinearity that is left; the draw of 30 directions alone moves it by more. */
const TOLERANCE = 0.01;
/** First R, as a share of the residual stream's norm at the target layer. */
const START = 0.01;
/** A vector this many times as long as the residual stream leaves nothing of it. */
const HOPELESS = 100;
/** R at most grows by this factor at once, so that a peak is not jumped over. */
const GROWTH = 4;
const MAX_INTERPOLATIONS = 20;

export interface CalibratedRadius {
  readonly radius: number;
  /** Reached at `radius`; within 1 % of 0.5. */
  readonly nonlinearity: number;
}

/** Throws InputError when θ does not reach the target layer, or the change stays nearly linear at every length. */
export async function calibrateRadius(
  objective: LayerChangeObjective,
  dModel: number,
  seed: number,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((done: number, total: number) => void) | undefined;
  } = {},
): Promise<CalibratedRadius> {
  const random = new Random(seed, "radius");
  const lines: { v: Float32Array; product: Float32Array }[] = [];
  let calls = 0;
  // Growing takes about three rounds of changes and closing in about three; the count is for people who wait.
  const tick = () => {
    options.signal?.throwIfAborted();
    calls += 1;
    options.onProgress?.(calls, Math.max(calls, DIRECTIONS * 7));
  };
  for (let k = 0; k < DIRECTIONS; k++) {
    const v = setNorm(
      Float32Array.from({ length: dModel }, () => random.normal()),
      1,
    );
    lines.push({ v, product: await objective.jacobianProduct(v) });
    tick();
  }
  if (lines.some(({ product }) => !(norm(product) > 0)))
    throw new InputError("a steering vector does not reach the target layer, so that no radius can be found; give one");

  const nonlinearity = async (radius: number): Promise<number> => {
    let sum = 0;
    for (const { v, product } of lines) {
      const change = await objective.change(v.map((x) => radius * x));
      tick();
      sum += (distance(change, product, radius) / (radius * norm(product))) ** 2;
    }
    return Math.sqrt(sum / lines.length);
  };

  let low = { radius: START * objective.unsteeredNorm, value: 0 };
  low.value = await nonlinearity(low.radius);
  // Already beyond the target: smaller, until it is not.
  while (low.value > TARGET) low = await measured(nonlinearity, low.radius / GROWTH);
  let high = low;
  let largest = low.value;
  while (high.value < TARGET) {
    low = high;
    const factor = Math.min(GROWTH, Math.max(1.5, (1.1 * TARGET) / low.value));
    high = await measured(nonlinearity, low.radius * factor);
    largest = Math.max(largest, high.value);
    if (!(high.radius < HOPELESS * objective.unsteeredNorm) && high.value < TARGET)
      throw new InputError(
        `the change of layer ${objective.measure.targetLayer} is nearly linear in the vector (nonlinearity at most ${largest.toPrecision(2)} of the ${TARGET} wanted), so that no radius stands out; give one, or a later target layer`,
      );
  }
  return closeIn(nonlinearity, low, high);
}

interface Measured {
  readonly radius: number;
  readonly value: number;
}

async function measured(
  nonlinearity: (radius: number) => Promise<number>,
  radius: number,
): Promise<Measured & { value: number }> {
  return { radius, value: await nonlinearity(radius) };
}

/** Regula falsi in log–log with the Illinois rule: an end that stays twice counts half. */
async function closeIn(
  nonlinearity: (radius: number) => Promise<number>,
  low: Measured,
  high: Measured,
): Promise<CalibratedRadius> {
  const close = ({ value }: Measured) => Math.abs(value - TARGET) <= TOLERANCE * TARGET;
  let best = Math.abs(low.value - TARGET) < Math.abs(high.value - TARGET) ? low : high;
  const end = ({ radius, value }: Measured) => ({ at: Math.log(radius), off: Math.log(value / TARGET) });
  let [a, b] = [end(low), end(high)];
  let stayed = 0;
  for (let k = 0; k < MAX_INTERPOLATIONS && !close(best); k++) {
    const middle = await measured(nonlinearity, Math.exp((a.at * b.off - b.at * a.off) / (b.off - a.off)));
    if (Math.abs(middle.value - TARGET) < Math.abs(best.value - TARGET)) best = middle;
    if (middle.value < TARGET) {
      a = end(middle);
      if (stayed > 0) b = { at: b.at, off: b.off / 2 };
      stayed = 1;
    } else {
      b = end(middle);
      if (stayed < 0) a = { at: a.at, off: a.off / 2 };
      stayed = -1;
    }
  }
  return { radius: best.radius, nonlinearity: best.value };
}

/** ‖change − radius · product‖₂ */
function distance(change: Float32Array, product: Float32Array, radius: number): number {
  let sum = 0;
  for (let i = 0; i < change.length; i++) sum += (change[i]! - radius * product[i]!) ** 2;
  return Math.sqrt(sum);
}
