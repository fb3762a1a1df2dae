import { describe, expect, it } from "vitest";
import type { Engine } from "../engine/engine.js";
import type { Sequence } from "../model/sequence.js";
import { Random } from "../random/random.js";
import { memoryRows } from "./row-source.js";
import { streamedRows } from "./row-stream.js";

const D = 3;
const random = new Random(5);
/** 60 prompts of 2 to 9 tokens, of which the first is not read; every token has its own number. */
let next = 0;
const sequences: Sequence[] = Array.from({ length: 60 }, () => {
  const length = 2 + random.integer(8);
  const prompt = Int32Array.from({ length }, () => next++);
  return { prompt, mask: Uint8Array.from(prompt, (_, t) => (t === 0 ? 0 : 1)), action: new Int32Array(0) };
});
const read = sequences.flatMap(({ prompt }) => [...prompt.subarray(1)]).sort((a, b) => a - b);

/** A token's row is its number, D times; `asked` counts the sequences computed. */
function countingEngine() {
  const asked: number[] = [];
  const engine = {
    model: { dModel: D },
    async residuals(some: readonly Sequence[]) {
      asked.push(some.length);
      return some.map(({ prompt }) => ({
        tokens: Int32Array.from({ length: prompt.length - 1 }, (_, i) => i + 1),
        values: Float32Array.from({ length: (prompt.length - 1) * D }, (_, i) => prompt[1 + Math.floor(i / D)]!),
      }));
    },
  } as unknown as Engine;
  return { engine, asked };
}
const numbers = (rows: Float32Array) => Array.from({ length: rows.length / D }, (_, i) => rows[i * D]!);
const stream = (buffer: number, seed = 1) => streamedRows(countingEngine().engine, sequences, 0, { buffer, seed });

describe("rows computed as they are needed", () => {
  it("are each used once a pass, in another order every time", async () => {
    const rows = stream(50);
    expect(rows.count).toBe(read.length);
    const passes = [numbers(await rows.samples(0, rows.count)), numbers(await rows.samples(rows.count, rows.count))];
    for (const pass of passes) expect(pass.toSorted((a, b) => a - b)).toEqual(read);
    expect(passes[0]).not.toEqual(passes[1]);
    expect(numbers(await stream(50, 2).samples(0, rows.count))).not.toEqual(passes[0]);
  });

  it("are the same whatever was asked before", async () => {
    const whole = numbers(await stream(50).samples(0, 3 * read.length));
    const inBatches = stream(50);
    const together: number[] = [];
    for (let at = 0; at < 3 * read.length; at += 32) together.push(...numbers(await inBatches.samples(at, 32)));
    expect(together.slice(0, whole.length)).toEqual(whole);
    for (const at of [read.length - 7, 200, 451, 3]) {
      expect(numbers(await inBatches.samples(at, 40))).toEqual(whole.slice(at, at + 40));
      expect(numbers(await stream(50).samples(at, 40))).toEqual(whole.slice(at, at + 40));
    }
  });

  it("mix the prompts of a part, hold no more than the buffer, and are computed once a pass", async () => {
    const { engine, asked } = countingEngine();
    const rows = streamedRows(engine, sequences, 0, { buffer: 60, seed: 1 });
    const first = await rows.first();
    expect(first.length).toBeLessThanOrEqual(60 * D);
    expect(first.length).toBeGreaterThan(30 * D);
    const size = first.length / D;
    const drawn = numbers(await rows.samples(0, size));
    expect(drawn.toSorted((a, b) => a - b)).toEqual(numbers(first).toSorted((a, b) => a - b));
    const neighbours = drawn.filter((number, i) => i > 0 && number === drawn[i - 1]! + 1).length;
    expect(neighbours).toBeLessThan(10);
    await rows.samples(size, rows.count - size);
    expect(asked.reduce((sum, count) => sum + count, 0)).toBe(sequences.length);
  });

  it("need a buffer that mixes prompts", () => {
    expect(() => stream(8)).toThrow("a prompt has 8 tokens to train on, more than a buffer of 8 rows mixes");
  });
});

describe("rows held in memory", () => {
  it("come in a seeded order of their own each pass", async () => {
    const rows = memoryRows(
      Float32Array.from({ length: 20 * D }, (_, i) => Math.floor(i / D)),
      D,
      4,
    );
    const all = numbers(await rows.samples(0, 40));
    expect(all.slice(0, 20).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(all.slice(20)).not.toEqual(all.slice(0, 20));
    expect(numbers(await rows.samples(15, 10))).toEqual(all.slice(15, 25));
  });
});
