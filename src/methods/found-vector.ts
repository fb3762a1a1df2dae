/** What the optimising methods hand over when the search for one vector has ended. d = width, m = latents of the SAE. */
import type { Sae } from "../sae/sae.js";
import { sparse } from "./latent-coordinates.js";
import type { FoundVector, MethodOptions } from "./method.js";
import type { Descent } from "./optimise.js";
import { norm } from "./orthogonality.js";
import { readVector } from "./read-vector.js";

/** What the method knows of the search beside the descent itself. */
export interface Searched extends Pick<FoundVector, "index" | "lambda" | "elicits"> {
  /** Objective without penalty that the search is compared with. */
  readonly initial: number;
}

/** A search over θ [d] itself: its scores are read by the SAE, where there is one. */
export async function foundInResidual(
  descent: Descent,
  sae: Sae | undefined,
  readBy: NonNullable<MethodOptions["readBy"]>,
  searched: Searched,
): Promise<FoundVector> {
  const vector = descent.x;
  const scores = sae === undefined ? null : await readVector(sae, vector, { readBy });
  return found(descent, { vector, z: null, scores }, searched);
}

/** A search over coordinates u [m] of latents, in units of `scale`: its scores are |u|. */
export function foundInLatents(descent: Descent, scale: Float32Array | undefined, searched: Searched): FoundVector {
  const u = descent.x;
  return found(descent, { vector: descent.last.theta, z: sparse(u, scale), scores: u.map(Math.abs) }, searched);
}

function found(
  { last, steps, log }: Descent,
  what: Pick<FoundVector, "vector" | "z" | "scores">,
  { index, initial, lambda, elicits }: Searched,
): FoundVector {
  return {
    index,
    ...what,
    norm: norm(what.vector),
    loss: { initial, final: last.loss },
    steps,
    lambda,
    elicits,
    log,
  };
}
