/** Tables of the rotary position embedding. */
import { InputError } from "../formats/input-error.js";

/** The rotary embedding of one kind of layer. */
export interface RopeConfig {
  /** Base of the frequencies, as the config file says it. */
  readonly theta: number;
  /** Angular frequency of each rotated pair; the first 2 · length values of a head are rotated, the others pass. */
  readonly frequencies: readonly number[];
  /** cos and sin are multiplied by this (`attention_factor` of yarn and longrope); 1 for none. */
  readonly amplitude: number;
  /** Longer sequences would need other frequencies, which are not computed: how many tokens, and the scaling's name. */
  readonly limit: { readonly tokens: number; readonly scaling: string } | null;
}

/**
 * amplitude · cos and sin of position · frequency, both [positions, pairs].
 * @throws InputError for a position beyond the rope's limit.
 */
export function ropeTables(rope: RopeConfig, positions: Int32Array): { cos: Float32Array; sin: Float32Array } {
  const { limit, amplitude } = rope;
  const frequencies = rope.frequencies.map(Math.fround);
  const pairs = frequencies.length;
  const cos = new Float32Array(positions.length * pairs);
  const sin = new Float32Array(positions.length * pairs);
  const rows = new Map<number, number>(); // position → the first row that has it
  positions.forEach((position, row) => {
    const known = rows.get(position);
    if (known !== undefined) {
      for (const table of [cos, sin]) table.copyWithin(row * pairs, known * pairs, (known + 1) * pairs);
      return;
    }
    rows.set(position, row);
    if (limit && position >= limit.tokens)
      throw new InputError(
        `a sequence has more than ${limit.tokens} tokens, where this model's ${limit.scaling} rope scaling changes its frequencies; that is not supported, so give shorter prompts`,
      );
    for (let i = 0; i < pairs; i++) {
      const angle = Math.fround(position * frequencies[i]!); // Hugging Face multiplies in f32
      cos[row * pairs + i] = amplitude * Math.cos(angle);
      sin[row * pairs + i] = amplitude * Math.sin(angle);
    }
  });
  return { cos, sin };
}
