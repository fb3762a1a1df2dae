import { describe, expect, it } from "vitest";
import { keepOut } from "./held-out.js";

const prompts = (count: number) =>
  Array.from({ length: count }, (_, i) => [{ role: "user" as const, content: `${i}` }]);

describe("prompts kept out of training", () => {
  it("are drawn by seed, with all their copies", () => {
    const twice = [...prompts(30), ...prompts(30)];
    const { trained, heldOut } = keepOut(twice, 7, 1);
    expect([trained.length, heldOut.length]).toEqual([46, 7]);
    const kept = new Set(heldOut.map((one) => one[0]!.content));
    expect(kept.size).toBe(7);
    expect(trained.some((one) => kept.has(one[0]!.content))).toBe(false);
    expect(keepOut(twice, 7, 1)).toEqual({ trained, heldOut });
    expect(keepOut(twice, 7, 2).heldOut).not.toEqual(heldOut);
  });

  it("are a tenth, at most 200, unless a number is given", () => {
    const sizes = (total: number, count?: number) => keepOut(prompts(total), count, 1).heldOut.length;
    expect([sizes(5), sizes(40), sizes(4000), sizes(4000, 0), sizes(40, 38)]).toEqual([0, 4, 200, 0, 38]);
  });

  it("leave something to train on", () => {
    expect(() => keepOut(prompts(10), 9, 1)).toThrow("--held-out 9: of 10 different prompts at most 8 can be kept out");
    expect(() => keepOut([...prompts(1), ...prompts(1)], 0, 1)).toThrow("the prompts are all the same");
  });
});
