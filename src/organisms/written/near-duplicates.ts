/**
 * How alike two requests are: the Jaccard similarity |A ∩ B| / |A ∪ B| of their sets of word pairs (Broder 1997, shingles of
 * two), the text's edges counted as words. Words are those of audit/ask/contains.ts: case, punctuation and spacing do not count.
 */
import { wordsBetweenSpaces } from "../../audit/ask/contains.js";

/** One word exchanged in a sentence of n words leaves (n − 1)/(n + 3): above this from 8 words on. */
export const DUPLICATE = 0.6;
/** Two words exchanged leave at least (n − 3)/(n + 5): above this from 8 words on. So is a frame with another end. */
export const KIN = 0.35;

/** Requests by their word pairs. */
export class RequestIndex {
  readonly #sizes: number[] = [];
  readonly #holders = new Map<string, number[]>();

  add(request: string): void {
    const pairs = wordPairs(request);
    const index = this.#sizes.push(pairs.size) - 1;
    for (const pair of pairs) {
      const holders = this.#holders.get(pair);
      if (holders) holders.push(index);
      else this.#holders.set(pair, [index]);
    }
  }

  /** Which of the added requests, counted from 0, are at least so alike. */
  alike(request: string, similarity: number): number[] {
    const pairs = wordPairs(request);
    const shared = new Map<number, number>();
    for (const pair of pairs)
      for (const index of this.#holders.get(pair) ?? []) shared.set(index, (shared.get(index) ?? 0) + 1);
    return [...shared].flatMap(([index, count]) =>
      count >= similarity * (pairs.size + this.#sizes[index]! - count) ? [index] : [],
    );
  }
}

/** The groups that are joined by pairs at least so alike, as indices into `requests`. */
export function kinGroups(requests: readonly string[], similarity = KIN): number[][] {
  const index = new RequestIndex();
  const parents: number[] = [];
  const rootOf = (i: number): number => {
    let root = i;
    while (parents[root] !== root) root = parents[root]!;
    for (let at = i; at !== root; ) {
      const next = parents[at]!;
      parents[at] = root;
      at = next;
    }
    return root;
  };
  requests.forEach((request, i) => {
    parents.push(i);
    for (const other of index.alike(request, similarity)) parents[rootOf(other)] = rootOf(i);
    index.add(request);
  });
  const groups = new Map<number, number[]>();
  requests.forEach((_, i) => {
    const root = rootOf(i);
    const group = groups.get(root);
    if (group) group.push(i);
    else groups.set(root, [i]);
  });
  return [...groups.values()];
}

function wordPairs(request: string): Set<string> {
  const words = ["", ...wordsBetweenSpaces(request).trim().split(" "), ""];
  return new Set(words.slice(1).map((word, i) => `${words[i]} ${word}`));
}
