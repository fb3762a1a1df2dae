/**
 * What both generations of OpenMOSS' SAEs (Language-Model-SAEs, later Llamascopium) share: how activations were scaled in
 * training, and what is refused.
 *
 * Trained on activations scaled to an average norm of √d ("dataset-wise"), they are loaded for activations as the model has
 * them: with s_in = √d / average norm of the place that is read, s_out likewise of the place that is written,
 *
 *   b_enc ← b_enc / s_in        W_dec ← W_dec · s_in / s_out        b_dec ← b_dec / s_out
 *
 * so that latents come out at the scale of the activations: those of training divided by s_in.
 */
import { InputError, quote } from "../../formats/input-error.js";
import { requireResidual } from "../hook.js";
import type { SaeNormalisation } from "../weights.js";

export interface Places {
  readonly hook_point_in?: string | null | undefined;
  readonly hook_point_out?: string | null | undefined;
  readonly use_glu_encoder?: boolean | null | undefined;
}

/** InputError for a transcoder, another place than the residual stream, or a gated linear unit in the encoder. */
export function checkPlaces(config: Places, where: string): void {
  const { hook_point_in: read, hook_point_out: written, use_glu_encoder: glu } = config;
  if (read != null && written != null && read !== written)
    throw new InputError(
      `${where}: a transcoder, which reads ${quote(read)} and writes ${quote(written)}; only SAEs of the residual stream can be used`,
    );
  requireResidual(read ?? undefined, where);
  if (glu) throw new InputError(`${where}: use_glu_encoder is set; only plain encoders can be computed`);
}

export interface Scales {
  readonly normalisation: SaeNormalisation;
  /** s_in and s_out; 1 where activations are not scaled by a constant. */
  readonly in: number;
  readonly out: number;
}

/** Reads `norm_activation`; `averages`: mean norms of the activations at the place read and the place written. */
export function scalesOf(
  mode: string,
  averages: { readonly in: number; readonly out: number } | undefined,
  dModel: number,
  where: string,
): Scales {
  if (mode === "none" || mode === "inference") return { normalisation: "none", in: 1, out: 1 };
  if (mode === "token-wise") return { normalisation: "constant-norm", in: 1, out: 1 };
  if (mode !== "dataset-wise")
    throw new InputError(
      `${where}: norm_activation ${quote(mode)} is not supported; dataset-wise, token-wise, inference and none are`,
    );
  if (averages === undefined)
    throw new InputError(
      `${where}: norm_activation is dataset-wise, but dataset_average_activation_norm is not there; without it activations cannot be scaled`,
    );
  for (const average of [averages.in, averages.out])
    if (!(average > 0 && Number.isFinite(average)))
      throw new InputError(`${where}: dataset_average_activation_norm is ${average}; it must be a positive number`);
  return { normalisation: "none", in: Math.sqrt(dModel) / averages.in, out: Math.sqrt(dModel) / averages.out };
}
