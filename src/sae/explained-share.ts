/**
 * How much of a direction some latents account for.
 *
 *   share = 1 − min over c of ‖θ − Σ c_j d_j‖² / ‖θ‖²          d_j: decoder rows of the latents
 *
 * By least squares: what is left of θ after its projection on the span of the rows, which modified Gram–Schmidt (twice, against
 * rounding) builds one row at a time. Coefficients are free in sign and size, so this is the most that the latents
 * could say, not what the SAE's encoder would read. In d dimensions any r independent rows explain r/d of a random
 * direction on average: `byChance` stands beside the share for that reason.
 */

export interface ExplainedShare {
  /** 0 … 1; 0 for a zero direction. */
  readonly share: number;
  /** Independent rows among those given. */
  readonly rank: number;
  /** rank / d: the share of a random direction. */
  readonly byChance: number;
}

/** A row that keeps less than this part of its length lies in the span of the others (f32 rounding of about 10⁴ terms). */
const INSIDE_SPAN = 1e-6;

/** Share of `direction` [d] explained by `rows`, each [d]. */
export function explainedShare(direction: Float32Array, rows: readonly Float32Array[]): ExplainedShare {
  const basis: Float64Array[] = [];
  const total = dot(direction, direction);
  let explained = 0;
  for (const row of rows) {
    const rest = Float64Array.from(row);
    const before = Math.sqrt(dot(rest, rest));
    for (let pass = 0; pass < 2; pass++) for (const unit of basis) subtract(rest, dot(rest, unit), unit);
    const length = Math.sqrt(dot(rest, rest));
    if (!(length > INSIDE_SPAN * before)) continue;
    const unit = rest.map((x) => x / length);
    basis.push(unit);
    explained += dot(direction, unit) ** 2;
  }
  return {
    share: total === 0 ? 0 : Math.min(1, explained / total),
    rank: basis.length,
    byChance: basis.length / direction.length,
  };
}

function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** x ← x − factor · unit */
function subtract(x: Float64Array, factor: number, unit: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] = x[i]! - factor * unit[i]!;
}
