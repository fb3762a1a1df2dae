/**
 * R where none is given, by the rule of the published follow-up (Mack & Turner, "Deep causal transcoding", 2024): the length
 * at which steering stops being linear. With 30 random unit vectors v and J = ∂Δ/∂θ at θ = 0,
 *
 *   nonlinearity(R) = √ mean_v ( ‖Δ(R v) − R J v‖² / ‖R J v‖² ) = 0.5
 *
 * 1. Draw v; J v is exact, one product for each.
 * 2. From 1 % of the residual stream's norm, where the change is nearly linear (else from less), R grows until the nonlinearity
 *    is above the target.
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
/** Shares beyond which no R is looked for: f32 rounds changes by about 1e-7 of the stream, and 100 times leave nothing of it. */
const SMALLEST = 1e-5;
const LARGEST = 100;
/** R grows at least and at most by these factors at once: a peak of the nonlinearity is not jumped over. */
const GROWTH = [1.5, 4] as const;
/** A nonlinearity below this is rounding. */
const ROUNDING = 1e-6;
const MAX_INTERPOLATIONS = 20;
/** Rounds over all directions that it usually takes (J v, three of growing, three of closing in), for people who wait. */
const USUAL_ROUNDS = 7;

/** No radius stands out between this layer and the target. `bench recovery` counts it as a method that found nothing. */
export class NoRadiusError extends InputError {}

export interface CalibratedRadius {
  readonly radius: number;
  /** Reached at `radius`; 0.5 within 1 %, unless the interpolations ran out. */
  readonly nonlinearity: number;
}

type Measure = (radius: number) => Promise<CalibratedRadius>;

/** Throws NoRadiusError when θ does not reach the target layer, or the change is nearly linear, or never, at every length. */
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
  const tick = () => {
    options.signal?.throwIfAborted();
    calls += 1;
    options.onProgress?.(calls, Math.max(calls, DIRECTIONS * USUAL_ROUNDS));
  };
  for (let k = 0; k < DIRECTIONS; k++) {
    const drawn = Float32Array.from({ length: dModel }, () => random.normal());
    const v = setNorm(drawn, 1);
    lines.push({ v, product: await objective.jacobianProduct(v) });
    tick();
  }
  if (lines.some(({ product }) => !(norm(product) > 0)))
    throw new NoRadiusError(
      "a steering vector does not reach the target layer, so that no radius can be found; give one",
    );

  const measure: Measure = async (radius) => {
    let sum = 0;
    for (const { v, product } of lines) {
      const change = await objective.change(v.map((x) => radius * x));
      sum += (distance(change, product, radius) / (radius * norm(product))) ** 2;
      tick();
    }
    return { radius, nonlinearity: Math.sqrt(sum / lines.length) };
  };
  const [low, high] = await enclose(measure, objective);
  return closeIn(measure, low, high);
}

/** Two radii with the target's nonlinearity between them. */
async function enclose(
  measure: Measure,
  { unsteeredNorm, measure: { targetLayer } }: LayerChangeObjective,
): Promise<[CalibratedRadius, CalibratedRadius]> {
  let low = await measure(START * unsteeredNorm);
  while (!(low.nonlinearity < TARGET)) {
    if (low.radius < SMALLEST * unsteeredNorm)
      throw new NoRadiusError(
        `the change of layer ${targetLayer} is linear in the vector at no length, so that no radius stands out; give one, or an earlier target layer`,
      );
    low = await measure(low.radius / GROWTH[1]);
  }
  let largest = 0;
  for (;;) {
    const factor = Math.min(GROWTH[1], Math.max(GROWTH[0], (1.1 * TARGET) / low.nonlinearity));
    const high = await measure(low.radius * factor);
    if (high.nonlinearity >= TARGET) return [low, high];
    largest = Math.max(largest, high.nonlinearity);
    if (!(high.radius < LARGEST * unsteeredNorm))
      throw new NoRadiusError(
        `the change of layer ${targetLayer} is nearly linear in the vector (nonlinearity at most ${largest.toPrecision(2)} of the ${TARGET} wanted), so that no radius stands out; give one, or a later target layer`,
      );
    low = high;
  }
}

/** Regula falsi in log–log with the Illinois rule: an end that stays twice counts half. */
async function closeIn(measure: Measure, low: CalibratedRadius, high: CalibratedRadius): Promise<CalibratedRadius> {
  const off = ({ nonlinearity }: CalibratedRadius) => Math.log(Math.max(nonlinearity, ROUNDING) / TARGET);
  const end = (at: CalibratedRadius) => ({ log: Math.log(at.radius), off: off(at) });
  let best = Math.abs(off(low)) < Math.abs(off(high)) ? low : high;
  let [a, b] = [end(low), end(high)];
  let moved: "low" | "high" | null = null;
  for (let k = 0; k < MAX_INTERPOLATIONS && Math.abs(off(best)) > TOLERANCE; k++) {
    const middle = await measure(Math.exp((a.log * b.off - b.log * a.off) / (b.off - a.off)));
    if (Math.abs(off(middle)) < Math.abs(off(best))) best = middle;
    if (middle.nonlinearity < TARGET) {
      a = end(middle);
      if (moved === "low") b = { ...b, off: b.off / 2 };
      moved = "low";
    } else {
      b = end(middle);
      if (moved === "high") a = { ...a, off: a.off / 2 };
      moved = "high";
    }
  }
  return best;
}

/** ‖change − radius · product‖₂ */
function distance(change: Float32Array, product: Float32Array, radius: number): number {
  let sum = 0;
  for (let i = 0; i < change.length; i++) sum += (change[i]! - radius * product[i]!) ** 2;
  return Math.sqrt(sum);
}
