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
  inner: z.strictObject({ on: z.boolean() }).optional(),
});
const good = { steps: 1, name: "x" };

it.each<[unknown, string]>([
  [{ ...good, steps: 0 }, "steps: must be at least 1"],
  [{ ...good, steps: 10 }, "steps: must be at most 9"],
  [{ ...good, steps: "one" }, "steps: must be a number"],
  [{ ...good, steps: 1.5 }, "steps: must be a whole number"],
  [{ steps: 1 }, "name: is missing; a text is needed"],
  [{ ...good, name: "" }, "name: is empty"],
  [{ ...good, list: [] }, "list: is empty"],
  [{ ...good, kind: "c" }, 'kind: must be one of "a", "b"'],
  [{ ...good, rate: -1 }, "rate: must be a rate"],
  [{ ...good, step: 2 }, 'recipe: has no field "step"; did you mean "steps"?'],
  [{ ...good, colour: 2 }, 'recipe: has no field "colour"; there are steps, name, kind, rate, list, inner'],
  [{ ...good, inner: { on: true, of: 1 } }, 'inner: has no field "of"'],
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
