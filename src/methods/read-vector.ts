import type { Sae } from "../sae/sae.js";
import type { MethodOptions } from "./method.js";

/** Residual vectors θ [k, d] as scores of latents [k, m]: W_encᵀ θ, or with `readBy: "decoder"` W_dec θ, the decoder as the SAE's own library holds it. */
export function readVector(sae: Sae, theta: Float32Array, { readBy }: MethodOptions): Promise<Float32Array> {
  return readBy === "decoder" ? sae.projectDecoder(theta) : sae.projectEncoder(theta);
}
