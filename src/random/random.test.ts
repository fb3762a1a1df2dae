import { expect, it } from "vitest";
import { Random } from "./random.js";

const draws = (random: Random, count: number) => Array.from({ length: count }, () => random.uniform());

it("gives the same numbers for the same seed and label, others for others", () => {
  expect(draws(new Random(7, "a"), 5)).toEqual(draws(new Random(7, "a"), 5));
  expect(draws(new Random(7, "a"), 5)).not.toEqual(draws(new Random(7, "b"), 5));
  expect(draws(new Random(7), 5)).not.toEqual(draws(new Random(8), 5));
  expect(draws(new Random(7), 5)).not.toEqual(draws(new Random(7 + 2 ** 32), 5));
});

it("is uniform, and its normals have mean 0 and deviation 1", () => {
  const random = new Random(1);
  const uniform = draws(random, 20_000);
  expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...uniform)).toBeLessThan(1);
  expect(uniform.reduce((a, b) => a + b, 0) / uniform.length).toBeCloseTo(0.5, 1);
  const normal = Array.from({ length: 20_000 }, () => random.normal());
  const mean = normal.reduce((a, b) => a + b, 0) / normal.length;
  const variance = normal.reduce((a, b) => a + (b - mean) ** 2, 0) / normal.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});

it("samples without repetition, shuffles without loss, weighs by weight", () => {
  const random = new Random(3, "choices");
  const items = Array.from({ length: 50 }, (_, i) => i);
  expect(new Set(random.sample(items, 20)).size).toBe(20);
  expect(random.sample(items, 99)).toHaveLength(50);
  expect(random.shuffled(items).sort((a, b) => a - b)).toEqual(items);
  const counts = { often: 0, seldom: 0, never: 0 };
  for (let i = 0; i < 4000; i++) counts[random.weighted({ often: 3, seldom: 1, never: 0 })]++;
  expect(counts.never).toBe(0);
  expect(counts.often / counts.seldom).toBeGreaterThan(2.5);
  expect(counts.often / counts.seldom).toBeLessThan(3.6);
  expect(() => random.pick([])).toThrow(RangeError);
});
