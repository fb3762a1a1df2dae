/** Finding latents by words of their labels, as one types. */
import MiniSearch from "minisearch";
import type { Labels } from "./labels.js";

/** One edit in five letters is taken for a slip, where nothing else is found; in short words every slip is another word. */
const SLIPS = 0.2;
const SHORT_WORD = 4;

export class LabelSearch {
  readonly #index = new MiniSearch<{ id: number; text: string }>({
    fields: ["text"],
    searchOptions: { prefix: true, combineWith: "AND" },
  });
  /** All explanations of each latent, in small letters. */
  readonly #texts = new Map<number, string>();

  constructor(labels: Labels) {
    for (const [id, all] of labels) {
      const text = all.map(({ description }) => description).join("\n");
      this.#index.add({ id, text });
      this.#texts.set(id, text.toLowerCase());
    }
  }

  /**
   * Latents whose explanations hold every word of `query`, or words that begin so, best first; then those that hold it inside
   * other words; where there is none of either, those that hold words spelled almost so. At most `limit`.
   */
  find(query: string, limit: number): number[] {
    const found = new Set(this.#index.search(query).map(({ id }) => id as number));
    const inside = query.trim().toLowerCase();
    if (found.size < limit && inside !== "")
      for (const [id, text] of this.#texts) if (text.includes(inside)) found.add(id);
    if (found.size > 0) return [...found].slice(0, limit);
    const fuzzy = (word: string) => word.length > SHORT_WORD && SLIPS;
    return this.#index
      .search(query, { fuzzy })
      .slice(0, limit)
      .map(({ id }) => id as number);
  }
}
