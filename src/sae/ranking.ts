/** Order among many numbers, without sorting them all. */

/** The ids of the `count` largest of `values`, largest first, ties by id; only among `ids` where given. */
export function largest(values: Float32Array, count: number, ids: Iterable<number> = values.keys()): number[] {
  // A sorted list of the best so far: there are many values and the list is short.
  const best: number[] = [];
  const before = (a: number, b: number) => values[a]! > values[b]! || (values[a] === values[b] && a < b);
  for (const id of ids) {
    if (count === 0 || (best.length === count && !before(id, best[count - 1]!))) continue;
    let at = best.length;
    while (at > 0 && before(id, best[at - 1]!)) at -= 1;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}

/** Place of `id` by `values`, from 1: larger ones, and equal ones with a smaller id, come before it. */
export function rankOf(values: Float32Array, id: number): number {
  const own = values[id]!;
  let rank = 1;
  for (let j = 0; j < values.length; j++) if (values[j]! > own || (values[j] === own && j < id)) rank += 1;
  return rank;
}
