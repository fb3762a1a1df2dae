/**
 * From latents to what is added to the model, and back: θ = A u = P D (s ⊙ u), Aᵀ v = s ⊙ Dᵀ P v. D is the SAE's decoder, s each
 * latent's unit, P removes the earlier vectors (`orthogonality.ts`). d = width of the residual stream, m = latents.
 */
import type { Sae } from "../sae/sae.js";
import type { OrthogonalComplement } from "./orthogonality.js";

export class LatentMap {
  readonly #sae: Sae;
  readonly #scale: Float32Array | undefined;
  readonly #complement: OrthogonalComplement;

  /** `scale`: s [m], raw activations in one unit of u; undefined for 1. */
  constructor(sae: Sae, scale: Float32Array | undefined, complement: OrthogonalComplement) {
    this.#sae = sae;
    this.#scale = scale;
    this.#complement = complement;
  }

  /** m */
  get latents(): number {
    return this.#sae.info.latents;
  }

  /** A u [d] for u [m]. */
  async theta(u: Float32Array): Promise<Float32Array> {
    const scale = this.#scale;
    const z = scale === undefined ? u : u.map((x, j) => x * scale[j]!);
    return this.#complement.project(await this.#sae.decode(z));
  }

  /** Aᵀ v [k, m] for v [k, d]: the decoder is gone through once. */
  async adjoint(v: Float32Array): Promise<Float32Array> {
    const { dModel, latents } = this.#sae.info;
    const rows = v.slice();
    for (let at = 0; at < rows.length; at += dModel) this.#complement.project(rows.subarray(at, at + dModel));
    const projected = await this.#sae.projectDecoder(rows);
    const scale = this.#scale;
    return scale === undefined ? projected : projected.map((x, at) => x * scale[at % latents]!);
  }
}
