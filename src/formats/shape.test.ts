import { expect, it } from "vitest";
import { z } from "zod";
import { nearestOf } from "./nearest.js";
import { firstWrong } from "./shape.js";

const shape = z.strictObject({
  steps: z.number().int().min(1).max(9),
  name: z.string().min(1),
  kind: z.enum(["a", "b"]).optional(),
  rate: z.number().positive("must be a rate").optional(),
  list: z.array(z.string()).min(1).optional(),
  version: z.literal(1).optional(),
  either: z.union([z.string(), z.number(), z.boolean()]).optional(),
  named: z.record(z.string().regex(/^[a-z]+$/, "small letters"), z.number()).optional(),
  pair: z.array(z.string()).length(2).optional(),
  inner: z.strictObject({ on: z.boolean() }).optional(),
});
const good = { steps: 1, name: "x" };

it.each<[unknown, string]>([
  [{ ...good, steps: 0 }, "steps: must be at least 1"],
  [{ ...good, steps: 10 }, "steps: must be at most 9"],
  [{ ...good, steps: "one" }, "steps: must be a finite number"],
  [{ ...good, steps: 1.5 }, "steps: must be a whole number"],
  [{ steps: 1 }, "name: is missing; give a text"],
  [{ ...good, name: "" }, "name: is empty"],
  [{ ...good, list: [] }, "list: is empty"],
  [{ ...good, kind: "c" }, 'kind: must be "a" or "b"'],
  [{ ...good, rate: -1 }, "rate: must be a rate"],
  [{ ...good, step: 2 }, 'recipe: has no field "step"; did you mean "steps"?'],
  [
    { ...good, colour: 2 },
    'recipe: has no field "colour"; there are steps, name, kind, rate, list, version, either, named, pair, inner',
  ],
  [{ ...good, inner: { on: true, of: 1 } }, 'inner: has no field "of"'],
  [{ step: 2, name: "x" }, 'recipe: has no field "step"; did you mean "steps"?'],
  [{ ...good, inner: { onn: true } }, 'inner: has no field "onn"; did you mean "on"?'],
  [{ ...good, version: 2 }, "version: must be 1"],
  [{ ...good, either: null }, "either: must be a text, a finite number or true or false"],
  [{ ...good, named: { No: 1 } }, "named.No: small letters"],
  [{ ...good, pair: ["a"] }, "pair: must have exactly 2 entries"],
  [[], "recipe: must be fields with names"],
])("says of %j what is wrong", (given, message) => {
  expect(firstWrong(shape.safeParse(given).error!, "recipe", Object.keys(shape.shape))).toBe(message);
});

it("finds the name that was meant, and none that is far away", () => {
  const names = ["steps", "trigger", "learningRate"];
  expect(nearestOf("stesp", names)).toBe("steps");
  expect(nearestOf("learning_rate", names)).toBe("learningRate");
  expect(nearestOf("action", names)).toBeUndefined();
  expect(nearestOf("", [])).toBeUndefined();
});
