/** Coordinates u of a vector in SAE space, z_j = s_j u_j, θ = D (c ⊙ z): what the methods that work there share. */
import { InputError } from "../formats/input-error.js";
import type { Sae } from "../sae/sae.js";
import type { MethodInput, SparseVector } from "./method.js";

export interface LatentUnit {
  readonly units: "typical" | "raw";
  /** s [m], raw activations in one unit of u; undefined for 1. */
  readonly scale: Float32Array | undefined;
  /** c ⊙ s [m], decoder rows that one unit of u adds; undefined for 1. */
  readonly rows: Float32Array | undefined;
}

/**
 * What one unit of u is: each latent's typical activation where it was measured, raw activation where not or where asked for. Throws InputError when typical units are asked for and not measured, or do not fit the SAE.
 */
export function latentScale(
  method: string,
  { options = {}, typicalActivation, unitLengths }: MethodInput,
  sae: Sae,
): LatentUnit {
  const units = options.units ?? (typicalActivation === undefined ? "raw" : "typical");
  if (units === "raw") return { units, scale: undefined, rows: unitLengths };
  if (typicalActivation === undefined) {
    throw new InputError(`${method} in units "typical" needs the latents' typical activations, measured on a corpus`);
  }
  if (typicalActivation.length !== sae.info.latents || typicalActivation.some((x) => !(x > 0 && Number.isFinite(x)))) {
    throw new InputError(
      `typical activations: want ${sae.info.latents} positive numbers, one for each latent of ${sae.info.name}, got ${typicalActivation.length}`,
    );
  }
  const rows = unitLengths === undefined ? typicalActivation : typicalActivation.map((s, j) => s * unitLengths[j]!);
  return { units, scale: typicalActivation, rows };
}

/** The non-zero coordinates of u. */
export function sparse(u: Float32Array, scale: Float32Array | undefined): SparseVector {
  const ids: number[] = [];
  for (let j = 0; j < u.length; j++) if (u[j] !== 0) ids.push(j);
  return {
    ids: Int32Array.from(ids),
    values: Float32Array.from(ids, (j) => u[j]! * (scale?.[j] ?? 1)),
    inUnits: Float32Array.from(ids, (j) => u[j]!),
  };
}
