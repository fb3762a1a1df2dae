/** How often something came, counted apart for each key. */
export interface Count {
  readonly fired: number;
  readonly total: number;
}

const NOTHING: Count = { fired: 0, total: 0 };

export class Tally<K> {
  readonly #counts = new Map<K, Count>();

  add(key: K, fired: boolean): void {
    const { fired: before, total } = this.of(key);
    this.#counts.set(key, { fired: before + (fired ? 1 : 0), total: total + 1 });
  }

  of(key: K): Count {
    return this.#counts.get(key) ?? NOTHING;
  }

  /** In the order in which keys were first met. */
  entries(): [K, Count][] {
    return [...this.#counts];
  }
}
