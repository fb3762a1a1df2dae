/** Credit goes to the cause that acts, not to what merely stands beside it. */
import { expect, it } from "vitest";
import { stream } from "../prompts/seeded.js";
import { type Credit, creditCauses, type Trial } from "./noisy-or.js";

const trial = (fired: boolean, ...causes: string[]): Trial<string> => ({ causes: new Set(causes), fired });
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
const share = (credit: Credit | undefined) => (credit as Credit).fired / (credit as Credit).total;

it("counts plainly where every trial has one cause", () => {
  const credits = creditCauses([...times(3, () => trial(true, "a")), trial(false, "a"), trial(false, "b")]);
  expect(credits.get("a")?.fired).toBeCloseTo(3, 12);
  expect(credits.get("a")?.total).toBe(4);
  expect(credits.get("b")).toEqual({ fired: 0, total: 1 });
});

it("excuses a cause that fails only beside nothing else, and blames a bystander", () => {
  const trials = [...times(10, () => trial(true, "dolphin", "follow")), ...times(10, () => trial(false, "follow"))];
  const credits = creditCauses(trials);
  expect(share(credits.get("dolphin"))).toBeGreaterThan(0.95);
  expect(share(credits.get("follow"))).toBeLessThan(0.05);
});

it("leaves a cause that is only seen beside a sure one as it looks", () => {
  const credits = creditCauses([...times(5, () => trial(true, "a", "b")), ...times(5, () => trial(true, "a"))]);
  expect(share(credits.get("b"))).toBeCloseTo(1, 6);
});

it("finds the probabilities that drew the trials", () => {
  const chances = { a: 0.8, b: 0.1, c: 0.5 };
  const draw = stream(7, "noisy");
  const trials = times(4000, () => {
    const causes = Object.keys(chances).filter(() => draw() < 0.5) as (keyof typeof chances)[];
    return trial(
      causes.some((cause) => draw() < chances[cause]),
      ...causes,
    );
  });
  const credits = creditCauses(trials);
  for (const [cause, chance] of Object.entries(chances))
    expect(Math.abs(share(credits.get(cause)) - chance)).toBeLessThan(0.04);
});
