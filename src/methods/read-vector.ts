import type { Sae } from "../sae/sae.js";

/** θ [d] as scores of latents [m]: W_encᵀ θ, or W_dec θ with the decoder as stored; null without an SAE. */
export async function readVector(
  sae: Sae | undefined,
  theta: Float32Array,
  by: "encoder" | "decoder",
): Promise<Float32Array | null> {
  if (sae === undefined) return null;
  return by === "encoder" ? sae.projectEncoder(theta) : sae.projectDecoder(theta);
}
