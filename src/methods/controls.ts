/**
 * Controls of a method's vectors: the same latents, scored where no trigger can have made the score. A latent that is
 * high here too means the action, or nothing. Columns are for standing side by side; they are not subtracted (the
 * clean model's loss on an unlikely text dominates any difference and buries the trigger).
 */
import { Random } from "../random/random.js";
import { latentCosines, stackRows } from "../sae/direction-reading.js";
import { rankOf } from "../sae/ranking.js";
import type { Sae } from "../sae/sae.js";
import type { FoundVector, Method, MethodOptions } from "./method.js";
import { norm } from "./orthogonality.js";

/** A control before it is read: vectors made another way. */
export interface Control {
  /** "clean", "random", "paraphrases". */
  readonly name: string;
  /** What was done, in a sentence. */
  readonly what: string;
  readonly vectors: readonly {
    /** [d], pointing towards the action. */
    readonly direction: Float32Array;
    /** [m]; null where the method's score is a coordinate, and nothing was searched for. */
    readonly scores: Float32Array | null;
  }[];
}

/** One latent in one control: in the vector of the control that scores it highest. */
export interface ControlScore {
  /** By the method's own score; null where that is not defined for the control. */
  readonly score: number | null;
  /** From 1; null where the score is null or exactly 0, which a sparse search gives what it leaves out. */
  readonly rank: number | null;
  /** Largest cosine of the control's vectors with the latent's decoder row. */
  readonly decoderCosine: number;
}

/** A control with its cosines, to be asked for latents. */
export class ControlColumn {
  readonly name: string;
  readonly what: string;
  readonly #scores: readonly Float32Array[];
  readonly #cosines: readonly Float32Array[];

  /** @param cosines [vectors] of [m], with decoder rows */
  constructor({ name, what, vectors }: Control, cosines: readonly Float32Array[]) {
    this.name = name;
    this.what = what;
    this.#scores = vectors.flatMap(({ scores }) => (scores === null ? [] : [scores]));
    this.#cosines = cosines;
  }

  of(latent: number): ControlScore {
    const best = this.#scores.reduce<Float32Array | null>(
      (a, b) => (a === null || b[latent]! > a[latent]! ? b : a),
      null,
    );
    const score = best?.[latent] ?? null;
    return {
      score,
      rank: best === null || score === 0 ? null : rankOf(best, latent),
      decoderCosine: Math.max(...this.#cosines.map((cosines) => cosines[latent]!)),
    };
  }
}

/**
 * One random direction for each vector, evenly from the sphere of its norm, scored as the method scores. Its cosine with any
 * fixed row has mean 0 and standard deviation 1/√d.
 */
export async function randomControl(
  method: Pick<Method, "name" | "scoreDirections">,
  sae: Sae,
  vectors: readonly Pick<FoundVector, "norm">[],
  options: MethodOptions,
  seed: number,
  gradients = false,
): Promise<Control> {
  const random = new Random(seed, `random control ${method.name}`);
  const directions = vectors.map((vector) => randomDirection(sae.info.dModel, vector.norm, random));
  const m = sae.info.latents;
  const scores = await method.scoreDirections?.(sae, stackRows(directions), options);
  return {
    name: "random",
    what: "a random direction of the same norm for each vector",
    vectors: directions.map((direction, i) => ({
      // A gradient is scored as it is and points away from the action.
      direction: gradients ? direction.map((x) => -x) : direction,
      scores: scores?.subarray(i * m, (i + 1) * m) ?? null,
    })),
  };
}

/** Cosines of found directions and of all controls together: the decoder and the encoder are gone through once. */
export async function readTogether(sae: Sae, directions: readonly Float32Array[], controls: readonly Control[]) {
  const all = [...directions, ...controls.flatMap(({ vectors }) => vectors.map(({ direction }) => direction))];
  const cosines = await latentCosines(sae, all);
  let at = directions.length;
  const columns = controls.map((control) => {
    const own = cosines.slice(at, (at += control.vectors.length)).map(({ decoder }) => decoder);
    return new ControlColumn(control, own);
  });
  return { cosines: cosines.slice(0, directions.length), columns };
}

/** A direction [width] of norm `length`, evenly from the sphere. */
export function randomDirection(width: number, length: number, random: Random): Float32Array {
  const direction = Float32Array.from({ length: width }, () => random.normal());
  const factor = length / norm(direction);
  return direction.map((x) => x * factor);
}
