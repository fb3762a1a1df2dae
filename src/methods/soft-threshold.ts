/** The proximal step of an L1 penalty. */

/**
 * In place, with t_j = `threshold(j)` ≥ 0:  u_j ← max(u_j − t_j, 0)   (`signed`: sign(u_j) max(|u_j| − t_j, 0)).
 * Exact zeros; without `signed` negative coordinates become zero too.
 */
export function shrink(u: Float32Array, signed: boolean, threshold: (j: number) => number): void {
  for (let j = 0; j < u.length; j++) {
    const left = (signed ? Math.abs(u[j]!) : u[j]!) - threshold(j);
    u[j] = left > 0 ? (u[j]! < 0 ? -left : left) : 0;
  }
}

/** ‖u‖₁, summed in f64. */
export function absoluteSum(u: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < u.length; j++) sum += Math.abs(u[j]!);
  return sum;
}
