/** `--shard i/n`: one of n parts of a piece of work, for several processes or machines that share its folder. */
import { InvalidArgumentError } from "commander";

/** The i-th of n shards, from 1. */
export interface Shard {
  readonly i: number;
  readonly n: number;
}

/** Parses `2/4`. */
export function shard(text: string): Shard {
  const [i, n] = text.split("/").map(Number);
  if (!/^\d+\/\d+$/.test(text) || !(i! >= 1 && i! <= n!))
    throw new InvalidArgumentError(`${text} is none of n parts; give the second of four as 2/4`);
  return { i: i!, n: n! };
}

/** Whether the item with this index, from 0, belongs to the shard; all do where there is none. */
export function inShard(index: number, part: Shard | undefined): boolean {
  return part === undefined || index % part.n === part.i - 1;
}
