/**
 * From latents to what is added to the model, and back: θ = A u = P D (r ⊙ u), Aᵀ v = r ⊙ Dᵀ P v. D is the SAE's decoder, r how
 * many decoder rows one unit of u adds (`latent-coordinates.ts`), P removes the earlier vectors (`orthogonality.ts`). d = width of the residual stream, m = latents.
 */
import type { Sae } from "../sae/sae.js";
import type { OrthogonalComplement } from "./orthogonality.js";

export class LatentMap {
  readonly #sae: Sae;
  readonly #rows: Float32Array | undefined;
  readonly #complement: OrthogonalComplement;

  /** `rows`: r [m]; undefined for 1. */
  constructor(sae: Sae, rows: Float32Array | undefined, complement: OrthogonalComplement) {
    this.#sae = sae;
    this.#rows = rows;
    this.#complement = complement;
  }

  /** m */
  get latents(): number {
    return this.#sae.info.latents;
  }

  /** A u [d] for u [m]. */
  async theta(u: Float32Array): Promise<Float32Array> {
    const rows = this.#rows;
    const along = rows === undefined ? u : u.map((x, j) => x * rows[j]!);
    return this.#complement.project(await this.#sae.decode(along));
  }

  /** Aᵀ v [k, m] for v [k, d]: the decoder is gone through once. */
  async adjoint(v: Float32Array): Promise<Float32Array> {
    const { dModel, latents } = this.#sae.info;
    const left = v.slice();
    for (let at = 0; at < left.length; at += dModel) this.#complement.project(left.subarray(at, at + dModel));
    const projected = await this.#sae.projectDecoder(left);
    const rows = this.#rows;
    return rows === undefined ? projected : projected.map((x, at) => x * rows[at % latents]!);
  }
}
