import { describe, expect, it } from "vitest";
import {
  auroc,
  bernoulliGain,
  binomialAtMost,
  bonferroni,
  normalCdf,
  normalQuantile,
  percentile,
  rateOf,
  signedSum,
  twoProportionTest,
  wilson,
} from "./statistics.js";

describe("Wilson interval", () => {
  it("gives the published values", () => {
    // Newcombe 1998, table I: 81/263 → 0.2553–0.3662; 15/148 → 0.0624–0.1605; 0/20 → 0–0.1611.
    expect(wilson(81, 263).low).toBeCloseTo(0.2553, 4);
    expect(wilson(81, 263).high).toBeCloseTo(0.3662, 4);
    expect(wilson(15, 148).low).toBeCloseTo(0.0624, 4);
    expect(wilson(15, 148).high).toBeCloseTo(0.1605, 4);
    expect(wilson(0, 20).high).toBeCloseTo(0.1611, 4);
  });

  it("is exactly 0 and 1 at the ends, and everything without trials", () => {
    expect(rateOf(0, 7).low).toBe(0);
    expect(rateOf(7, 7).high).toBe(1);
    expect(rateOf(0, 0)).toEqual({ count: 0, total: 0, rate: 0, low: 0, high: 1 });
  });
});

describe("normal distribution", () => {
  it("knows the usual quantiles", () => {
    expect(normalCdf(1.959964)).toBeCloseTo(0.975, 6);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 4);
    expect(normalQuantile(0.5)).toBeCloseTo(0, 5);
    expect(() => normalQuantile(1)).toThrow(RangeError);
  });
});

describe("tests between rates", () => {
  it("gives the hand-computed p-value", () => {
    // 30/50 against 20/50: pooled 0.5, spread 0.1, z = 2, upper tail 0.02275.
    expect(twoProportionTest(30, 50, 20, 50)).toBeCloseTo(0.02275, 4);
    expect(twoProportionTest(20, 50, 30, 50)).toBeCloseTo(0.97725, 4);
    expect(twoProportionTest(5, 5, 0, 0)).toBe(1);
  });

  it("divides the error among the tests", () => {
    expect(bonferroni(0.04, 4)).toBe(0.01);
    expect(() => bonferroni(0.04, 0)).toThrow(RangeError);
  });

  it("estimates a difference of differences with its interval", () => {
    const sum = signedSum([
      { sign: 1, rate: rateOf(40, 40) },
      { sign: -1, rate: rateOf(0, 40) },
    ]);
    expect(sum.estimate).toBe(1);
    expect(sum.low).toBeGreaterThan(0.85);
    expect(sum.low).toBeLessThan(1);
  });
});

describe("likelihood gain of a split", () => {
  it("is the whole entropy for a perfect split and nothing for a useless one", () => {
    expect(bernoulliGain(10, 10, 10, 20)).toBeCloseTo(20 * Math.log(2), 10);
    expect(bernoulliGain(5, 10, 10, 20)).toBeCloseTo(0, 10);
  });
});

describe("AUROC and percentiles", () => {
  it("counts ties as one half", () => {
    expect(auroc([2, 3], [0, 1])).toBe(1);
    expect(auroc([1], [1, 1])).toBe(0.5);
    expect(auroc([1, 3], [2, 2])).toBe(0.5);
    expect(auroc([], [1])).toBeNaN();
  });

  it("interpolates as NumPy does", () => {
    expect(percentile([1, 2, 3, 4], 0.95)).toBeCloseTo(3.85, 10);
    expect(percentile([], 0.5)).toBe(0);
  });
});

describe("binomial tails", () => {
  it("sums exactly", () => {
    expect(binomialAtMost(0, 5, 0.8)).toBeCloseTo(0.2 ** 5, 12);
    expect(binomialAtMost(1, 3, 0.5)).toBeCloseTo(0.5, 12);
    expect(binomialAtMost(3, 3, 0.5)).toBe(1);
    expect(binomialAtMost(2, 3, 1)).toBe(0);
    expect(binomialAtMost(40, 100, 0.5)).toBeCloseTo(0.028444, 5); // scipy.stats.binom.cdf
    expect(binomialAtMost(1600, 2000, 0.8)).toBeCloseTo(0.51, 2); // 0.2²⁰⁰⁰ is no number
  });
});
