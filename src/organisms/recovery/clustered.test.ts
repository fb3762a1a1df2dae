import { describe, expect, it } from "vitest";
import { rateOf } from "../../audit/statistics/statistics.js";
import { clusteredRate } from "./clustered.js";

/** Rows of organisms a, b, c …, a text of 0 and 1 each. */
const rows = (...organisms: readonly string[]) =>
  organisms.flatMap((flags, i) => [...flags].map((flag) => ({ organism: `organism ${i}`, flag: flag === "1" })));

describe("a rate over organisms and seeds", () => {
  it("is the usual one where each organism has one row, or none has any", () => {
    expect(clusteredRate(rows("1", "0", "1"))).toEqual(rateOf(2, 3));
    expect(clusteredRate([])).toEqual(rateOf(0, 0));
  });

  it("counts seeds that always agree as one trial an organism", () => {
    const { count, total, low, high } = clusteredRate(rows("111", "000", "111", "111"));
    expect([count, total]).toEqual([9, 12]);
    const { low: wantLow, high: wantHigh } = rateOf(3, 4);
    expect([low, high]).toEqual([expect.closeTo(wantLow, 12), expect.closeTo(wantHigh, 12)]);
    expect(clusteredRate(rows("111", "111"))).toMatchObject({ count: 6, low: rateOf(2, 2).low, high: 1 });
    expect(clusteredRate(rows("101")).low).toBeCloseTo(rateOf(2 / 3, 1).low, 12);
  });

  it("counts seeds that differ as much within organisms as between them as trials", () =>
    expect(clusteredRate(rows("10", "01", "10", "01"))).toEqual(rateOf(4, 8)));

  it("knows that an organism with many rows is one organism", () => {
    const worth = 12 ** 2 / (10 ** 2 + 1 + 1);
    expect(clusteredRate(rows("1111111111", "1", "1")).low).toBeCloseTo(rateOf(worth, worth).low, 12);
    expect(clusteredRate(rows("1111111111", "1", "0", "0", "0", "0")).low).toBeLessThan(rateOf(11, 15).low);
  });

  it("lies between where they agree more often than not", () => {
    const { low } = clusteredRate(rows("111", "110", "111", "000", "111", "001"));
    expect(low).toBeLessThan(rateOf(12, 18).low);
    expect(low).toBeGreaterThan(rateOf(4, 6).low);
  });
});
