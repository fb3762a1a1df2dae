/**
 * Reads directions of the residual stream as latents.
 *
 *   cos_dec(j) = ⟨d_j, θ⟩ / ‖d_j‖‖θ‖          how much θ points where latent j writes
 *   cos_enc(j) = ⟨e_j, θ⟩ / ‖e_j‖‖θ‖          how much θ would switch latent j on
 *
 * Both say what a score may hide: scores of a product grow with the norm of a row, coordinates of a sparse search with what
 * the search found first. All directions go through each matrix together, in one pass.
 */
import type { Sae } from "./sae.js";

/** Cosines of one direction with every latent; 0 where either has no length. */
export interface LatentCosines {
  /** [m] */
  readonly decoder: Float32Array;
  /** [m] */
  readonly encoder: Float32Array;
}

/** Cosines of `directions` (each [d]) with decoder and encoder rows. */
export async function latentCosines(sae: Sae, directions: readonly Float32Array[]): Promise<LatentCosines[]> {
  if (directions.length === 0) return [];
  const stacked = stackRows(directions);
  const lengths = directions.map(length);
  const decoder = cosines(await sae.projectDecoder(stacked), await sae.decoderNorms(), lengths);
  const encoder = cosines(await sae.projectEncoder(stacked), await sae.encoderNorms(), lengths);
  return directions.map((_, i) => ({ decoder: decoder[i]!, encoder: encoder[i]! }));
}

/** [k, d] of k rows [d]. */
export function stackRows(rows: readonly Float32Array[]): Float32Array {
  const width = rows[0]?.length ?? 0;
  const all = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    all.set(row, i * width);
  });
  return all;
}

/** Products [k, m] over the norms of both; divided in place. */
function cosines(products: Float32Array, norms: Float32Array, lengths: readonly number[]): Float32Array[] {
  const m = norms.length;
  return lengths.map((own, k) => {
    const row = products.subarray(k * m, (k + 1) * m);
    for (let j = 0; j < m; j++) {
      const size = own * norms[j]!;
      row[j] = size === 0 ? 0 : row[j]! / size;
    }
    return row;
  });
}

function length(vector: Float32Array): number {
  let squares = 0;
  for (const x of vector) squares += x * x;
  return Math.sqrt(squares);
}
