/**
 * Rows computed by the engine as training goes, for texts whose activations are more than memory holds.
 *
 * 1. Each pass takes the sequences in a seeded order of its own and cuts them into parts, each of whole sequences whose rows
 *    fit the buffer; the parts of a pass are about as large as one another.
 * 2. The rows of a part are computed into the buffer and drawn from it in a seeded order until all are used; then comes the
 *    next part. So every row is used once a pass, and a batch mixes rows of as many sequences as the buffer holds.
 * 3. What sample i is depends on the seed, the sequences and the buffer's size alone: a training that goes on from a checkpoint
 *    computes the part that it stands in, and goes on exactly.
 */
import type { CallOptions, Engine } from "../engine/engine.js";
import { InputError } from "../formats/input-error.js";
import type { Sequence } from "../model/sequence.js";
import { Random } from "../random/random.js";
import { maskedTokens, readRows } from "./readings.js";
import { type RowSource, shuffle } from "./row-source.js";

export interface RowStreamOptions extends CallOptions {
  /** Most rows held at once. */
  readonly buffer: number;
  readonly seed: number;
}

/** A part of a pass: its sequences, and how many samples of the pass came before it. */
interface Part {
  readonly sequences: readonly number[];
  readonly from: number;
  readonly rows: number;
}

/** The masked tokens of `sequences` after block `layer`. InputError where a single sequence overflows the buffer. */
export function streamedRows(
  engine: Engine,
  sequences: readonly Sequence[],
  layer: number,
  { buffer, seed, ...calls }: RowStreamOptions,
): RowSource {
  const d = engine.model.dModel;
  const lengths = sequences.map(maskedTokens);
  const count = lengths.reduce((sum, length) => sum + length, 0);
  const longest = lengths.reduce((a, b) => Math.max(a, b), 0);
  if (longest >= buffer)
    throw new InputError(`a prompt has ${longest} tokens to train on, more than a buffer of ${buffer} rows mixes`);
  const parts = Math.max(1, Math.ceil(count / (buffer - longest)));
  const held = new Float32Array(Math.min(buffer, count) * d);

  let planned: { readonly pass: number; readonly parts: readonly Part[] } | undefined;
  const planOf = (pass: number): readonly Part[] => {
    if (planned?.pass !== pass)
      planned = { pass, parts: plan(lengths, count, parts, new Random(seed, `pass ${pass}`)) };
    return planned.parts;
  };

  let at: { readonly pass: number; readonly part: Part; readonly order: Uint32Array } | undefined;
  const load = async (pass: number, part: Part) => {
    if (at?.pass === pass && at.part.from === part.from) return at;
    at = undefined; // what is held now is none of the parts, until the new one is there
    const chosen = part.sequences.map((i) => sequences[i]!);
    await readRows(engine, chosen, layer, { ...calls, into: held });
    const order = Uint32Array.from({ length: part.rows }, (_, i) => i);
    shuffle(order, new Random(seed, `pass ${pass} from ${part.from}`));
    at = { pass, part, order };
    return at;
  };

  return {
    dModel: d,
    count,
    async first() {
      const part = planOf(0)[0]!;
      await load(0, part);
      return held.subarray(0, part.rows * d);
    },
    async samples(from, wanted) {
      const picked = new Float32Array(wanted * d);
      for (let i = 0; i < wanted; ) {
        const pass = Math.floor((from + i) / count);
        const place = from + i - pass * count;
        const part = planOf(pass).findLast((one) => one.from <= place)!;
        const { order } = await load(pass, part);
        for (let k = place - part.from; k < part.rows && i < wanted; k++, i++)
          picked.set(held.subarray(order[k]! * d, (order[k]! + 1) * d), i * d);
      }
      return picked;
    },
  };
}

/** Cuts the sequences, in a random order, into `parts` of about count / parts rows: none is larger by more than a sequence. */
function plan(lengths: readonly number[], count: number, parts: number, random: Random): Part[] {
  const order = Uint32Array.from(lengths.keys());
  shuffle(order, random);
  const made: Part[] = [];
  let sequences: number[] = [];
  let from = 0;
  let done = 0;
  for (const i of order) {
    sequences.push(i);
    done += lengths[i]!;
    if (done * parts < count * (made.length + 1)) continue;
    if (done > from) made.push({ sequences, from, rows: done - from });
    sequences = [];
    from = done;
  }
  return made;
}
