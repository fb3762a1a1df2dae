import type { LayerChangeObjective } from "../engine/engine.js";
import { calibrateRadius } from "./calibrate-radius.js";
import type { MethodInput } from "./method.js";

/** The norm of θ: given, or calibrated; with what `hyperparameters` say about it. */
export async function radiusFor(input: MethodInput, objective: LayerChangeObjective, seed: number) {
  const given = input.options?.radius;
  if (given !== undefined) return { radius: given, about: { radius: given, radiusFrom: "given" } };
  const { radius, nonlinearity } = await calibrateRadius(objective, input.dModel, seed, input);
  return {
    radius,
    about: { radius, radiusFrom: "calibrated: nonlinearity 0.5 over 30 random directions", nonlinearity },
  };
}
