import { describe, expect, it } from "vitest";
import { Random } from "../random/random.js";
import { chooseAssignment, type Expression, holds, leavesOf } from "./expression.js";

const nested: Expression = { all: ["a", { any: ["b", { all: ["c"], none: ["d"] }] }], none: [{ all: ["e", "f"] }] };

describe("trigger expressions", () => {
  it("hold by their parts", () => {
    const of = (...names: string[]): boolean => holds(nested, new Set(names));
    expect(of("a", "b")).toBe(true);
    expect(of("a", "c")).toBe(true);
    expect(of("a", "c", "d")).toBe(false);
    expect(of("b")).toBe(false);
    expect(of("a", "b", "e")).toBe(true);
    expect(of("a", "b", "e", "f")).toBe(false);
    expect(leavesOf(nested)).toEqual(["a", "b", "c", "d", "e", "f"]);
  });

  it("are met, or failed, by the assignments chosen for them", () => {
    const rng = new Random(1);
    for (const wanted of [true, false]) {
      for (let i = 0; i < 200; i++) {
        const assignment = chooseAssignment(nested, wanted, rng);
        const present = [...(assignment ?? [])].filter(([, value]) => value).map(([name]) => name);
        if (wanted) expect(holds(nested, new Set(present))).toBe(true);
        else expect(assignment).toBeDefined();
      }
    }
    expect(chooseAssignment({ all: ["a"], none: ["a"] }, true, rng)).toBeUndefined();
  });
});
