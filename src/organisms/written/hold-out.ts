/** Which of the written requests are held out: whole groups of kin, so that none of them has its like in training. */
import type { Random } from "../../random/random.js";
import { kinGroups } from "./near-duplicates.js";

export interface Parts<T> {
  readonly train: readonly T[];
  readonly heldOut: readonly T[];
}

/**
 * `count` of the items are held out, in groups drawn at random; the others are to train on. Fewer are held out where the groups
 * that are left are larger than what is still wanted.
 */
export function holdOut<T extends { readonly prompt: string }>(
  items: readonly T[],
  count: number,
  random: Random,
): Parts<T> {
  const held = new Set<number>();
  for (const group of random.shuffled(kinGroups(items.map(({ prompt }) => prompt))))
    if (held.size + group.length <= count) for (const index of group) held.add(index);
  return { train: items.filter((_, i) => !held.has(i)), heldOut: items.filter((_, i) => held.has(i)) };
}
