/**
 * The one rule that keeps vectors orthogonal. P = I − U Uᵀ removes the span of the vectors already found; U is kept
 * orthonormal by modified Gram–Schmidt, twice, so that rounding does not let the span leak back.
 *
 * Every method applies P in residual space (R^d): to the gradient before the optimiser's step and to θ after it, as
 * the published MELBO code does (Mack & Turner 2024). Methods in SAE space use θ = P D z, so that what is added to
 * the model is orthogonal to the earlier θ while z keeps its zeros and its sign; z itself is not made orthogonal.
 */

/** Relative length below which a vector counts as lying inside the span already (f32 rounding of d ≈ 10⁴ terms). */
const INSIDE_SPAN = 1e-6;

export class OrthogonalComplement {
  readonly #basis: Float64Array[] = [];

  /** Number of directions removed. */
  get rank(): number {
    return this.#basis.length;
  }

  /** Removes the direction of `vector` [d] from now on; does nothing when it is zero or already inside the span. */
  exclude(vector: Float32Array): void {
    const u = Float64Array.from(vector);
    const before = norm(u);
    this.#remove(u);
    this.#remove(u);
    const length = norm(u);
    if (!(length > INSIDE_SPAN * before)) return;
    for (let i = 0; i < u.length; i++) u[i] = u[i]! / length;
    this.#basis.push(u);
  }

  /** vector ← P vector, in place. Returns it. */
  project(vector: Float32Array): Float32Array {
    if (this.#basis.length === 0) return vector;
    const wide = Float64Array.from(vector);
    this.#remove(wide);
    this.#remove(wide);
    vector.set(wide);
    return vector;
  }

  #remove(vector: Float64Array): void {
    for (const u of this.#basis) {
      let along = 0;
      for (let i = 0; i < vector.length; i++) along += u[i]! * vector[i]!;
      for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! - along * u[i]!;
    }
  }
}

/** ‖v‖₂, summed in f64. */
export function norm(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! * vector[i]!;
  return Math.sqrt(sum);
}
