/** What is read off a direction, on numbers that can be worked out on paper. */
import { describe, expect, it } from "vitest";
import { latentCosines } from "./direction-reading.js";
import { explainedShare } from "./explained-share.js";
import { histogram } from "./histogram.js";
import { largest, rankOf } from "./ranking.js";
import { toySae } from "./toy.testing.js";

const row = (...values: number[]) => Float32Array.from(values);

describe("cosines", () => {
  it("are those of each direction with decoder and encoder rows, whatever their norms", async () => {
    const sae = toySae(
      [
        [2, 0],
        [3, 4],
        [0, 0],
      ],
      [
        [0, 5],
        [1, 1],
        [0, 1],
      ],
    );
    const [first, second] = await latentCosines(sae, [row(10, 0), row(0, -2)]);
    expect([...first!.decoder]).toEqual([1, Math.fround(0.6), 0]);
    expect([...first!.encoder]).toEqual([0, Math.fround(Math.SQRT1_2), 0]);
    expect([...second!.decoder]).toEqual([0, Math.fround(-0.8), 0]);
    expect([...second!.encoder].map((x) => x.toFixed(4))).toEqual(["-1.0000", "-0.7071", "-1.0000"]);
  });

  it("of a zero direction are 0", async () => {
    const [zero] = await latentCosines(toySae([[1, 0]]), [row(0, 0)]);
    expect([zero!.decoder[0], zero!.encoder[0]]).toEqual([0, 0]);
    expect(await latentCosines(toySae([[1, 0]]), [])).toEqual([]);
  });
});

describe("ranking", () => {
  it("lists the largest, ties by id, and agrees with rankOf", () => {
    const values = row(1, 5, -2, 5, 3);
    expect(largest(values, 3)).toEqual([1, 3, 4]);
    expect(largest(values, 9)).toEqual([1, 3, 4, 0, 2]);
    expect(largest(values, 2, [4, 2, 0])).toEqual([4, 0]);
    expect(largest(values, 0)).toEqual([]);
    expect([...values.keys()].map((id) => rankOf(values, id))).toEqual([4, 1, 5, 2, 3]);
  });
});

describe("explained share", () => {
  it("is the squared cosine for one row", () => {
    expect(explainedShare(row(3, 4, 0, 0), [row(7, 0, 0, 0)])).toEqual({ share: 9 / 25, rank: 1, byChance: 0.25 });
  });

  it("is that of the span, so rows that are not orthogonal are not counted twice", () => {
    const theta = row(1, 2, 2); // ‖θ‖² = 9, of which (x, y) holds 5
    const { share, rank } = explainedShare(theta, [row(1, 1, 0), row(1, 0.5, 0), row(2, 2, 0)]);
    expect(share).toBeCloseTo(5 / 9, 6);
    expect(rank).toBe(2);
    expect(explainedShare(theta, [row(1, 0, 0), row(1, 1, 0), row(1, 1, 1)]).share).toBeCloseTo(1, 6);
  });

  it("is 0 where there is nothing to explain or nothing that explains", () => {
    expect(explainedShare(row(0, 0), [row(1, 0)])).toEqual({ share: 0, rank: 1, byChance: 0.5 });
    expect(explainedShare(row(1, 0), [])).toEqual({ share: 0, rank: 0, byChance: 0 });
    expect(explainedShare(row(1, 0), [row(0, 0)]).rank).toBe(0);
  });
});

describe("histogram", () => {
  it("counts every value once, on round edges with 0 among them", () => {
    // 8 / 40 = 0.2 is a round width already: −2 … 6 in steps of 0.2, and a bin for the 6 itself.
    const { edges, counts, zeros } = histogram(row(-2, 0, 0, 0.1, 5.9, 6));
    expect(edges).toHaveLength(42);
    expect([edges[0], edges[1], edges[10], edges[41]]).toEqual([-2, -1.8, 0, 6.2]);
    expect(counts[0]).toBe(1);
    expect(counts[10]).toBe(3);
    expect(counts.slice(-2)).toEqual([1, 1]);
    expect(counts.reduce((a, b) => a + b)).toBe(6);
    expect(zeros).toBe(2);
  });

  it("has one bin where all values are 0", () => {
    expect(histogram(new Float32Array(4))).toEqual({ edges: [0, 1], counts: [4], zeros: 4 });
  });

  it("leaves out what is not finite", () => {
    const { counts } = histogram(row(1, Number.POSITIVE_INFINITY, Number.NaN));
    expect(counts.reduce((a, b) => a + b)).toBe(1);
  });
});
