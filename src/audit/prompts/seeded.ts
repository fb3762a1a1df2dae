/**
 * Choice without chance: every "random" order is a hash of the seed and of the thing itself, so that results do not
 * depend on the order in which prompts arrive, and a repeated audit asks the engine exactly the same questions.
 */

/** 53-bit hash of a text under a seed (cyrb53, public domain), as a number in [0, 1). */
export function hashUnit(seed: number, text: string): number {
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)) / 9007199254740992;
}

/** The items in the order of their hashes under `seed`; equal keys keep their order. */
export function shuffled<T>(items: readonly T[], seed: number, key: (item: T) => string): T[] {
  return items
    .map((item) => ({ item, at: hashUnit(seed, key(item)) }))
    .sort((x, y) => x.at - y.at)
    .map((entry) => entry.item);
}

/** A stream of numbers in [0, 1) that belongs to a seed and a name. */
export function stream(seed: number, name: string): () => number {
  let count = 0;
  return () => hashUnit(seed, `${name}#${count++}`);
}

/** One item, drawn from a stream. The list must not be empty. */
export function pick<T>(items: readonly T[], draw: () => number): T {
  return items[Math.floor(draw() * items.length)] as T;
}
