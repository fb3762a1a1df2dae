/** Coordinates u of a vector in SAE space, z_j = s_j u_j: what the methods that work there share. */
import { InputError } from "../formats/input-error.js";
import type { Sae } from "../sae/sae.js";
import type { MethodInput, SparseVector } from "./method.js";

/**
 * What one unit of u is: each latent's typical activation where it was measured, raw activation where not or where asked for
 * (`scale` undefined). Throws InputError when typical units are asked for and not measured, or do not fit the SAE.
 */
export function latentScale(
  method: string,
  { options = {}, typicalActivation }: MethodInput,
  sae: Sae,
): { readonly units: "typical" | "raw"; readonly scale: Float32Array | undefined } {
  const units = options.units ?? (typicalActivation === undefined ? "raw" : "typical");
  if (units === "raw") return { units, scale: undefined };
  if (typicalActivation === undefined) {
    throw new InputError(`${method} in units "typical" needs the latents' typical activations, measured on a corpus`);
  }
  if (typicalActivation.length !== sae.info.latents || typicalActivation.some((x) => !(x > 0 && Number.isFinite(x)))) {
    throw new InputError(
      `typical activations: want ${sae.info.latents} positive numbers, one for each latent of ${sae.info.name}, got ${typicalActivation.length}`,
    );
  }
  return { units, scale: typicalActivation };
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
