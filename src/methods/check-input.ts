import type { LayerChange, LayerChangeObjective, SteeringObjective } from "../engine/engine.js";
import { InputError } from "../formats/input-error.js";
import type { Sae } from "../sae/sae.js";
import type { Method, MethodInput, MethodOptions } from "./method.js";

/** [smallest, largest, whole number] of each numeric option; the bounds only refuse what cannot mean anything. */
const RANGES: Partial<Record<keyof MethodOptions, readonly [number, number, boolean]>> = {
  steps: [1, 1_000_000, true],
  vectors: [1, 100_000, true],
  lambda: [0, Number.MAX_VALUE, false],
  radius: [Number.MIN_VALUE, Number.MAX_VALUE, false],
  learningRate: [Number.MIN_VALUE, Number.MAX_VALUE, false],
  patience: [1, 1_000_000, true],
  p: [Number.MIN_VALUE, Number.MAX_VALUE, false],
  q: [Number.MIN_VALUE, Number.MAX_VALUE, false],
};

/** Refuses options that are not the method's or not in range, and an SAE that is missing. Throws InputError. */
export function checkInput(
  method: Pick<Method, "name" | "options" | "sae">,
  input: Pick<MethodInput, "options" | "sae">,
): void {
  const options = input.options ?? {};
  for (const key of Object.keys(options) as (keyof MethodOptions)[]) {
    const value = options[key];
    if (value === undefined) continue;
    if (!method.options.includes(key)) {
      throw new InputError(`${method.name} has no option ${key}; it takes ${method.options.join(", ") || "none"}`);
    }
    const range = RANGES[key];
    if (range === undefined) continue;
    const [smallest, largest, whole] = range;
    if (typeof value !== "number" || !(value >= smallest && value <= largest) || (whole && !Number.isInteger(value))) {
      throw new InputError(
        `${method.name}: ${key} is ${value}; it must be ${whole ? "a whole number of at least 1" : smallest === 0 ? "0 or more" : "positive"}`,
      );
    }
  }
  if (method.sae === "required" && input.sae === undefined) throw new InputError(`${method.name} needs an SAE`);
}

/** How many vectors are asked for (1). Throws InputError for more than can be orthogonal to each other. */
export function vectorCount(method: string, { options = {}, dModel }: MethodInput): number {
  const count = options.vectors ?? 1;
  if (count > dModel)
    throw new InputError(
      `${method}: ${count} vectors of width ${dModel} cannot be orthogonal; ask for at most ${dModel}`,
    );
  return count;
}

/** The SAE that `checkInput` made sure of. */
export function requiredSae(input: MethodInput): Sae {
  if (input.sae === undefined) throw new InputError("this method needs an SAE");
  return input.sae;
}

/** The objective of a method that works towards an action. Throws InputError on another kind. */
export function actionObjective({ objective }: MethodInput): SteeringObjective {
  if ("attribute" in objective) return objective;
  throw new InputError("this method needs the objective of an action, not a layer's change");
}

/**
 * The objective of a method that looks for what changes a layer. Throws InputError on another kind, and on one that measures
 * otherwise than the options say (they shape the objective, so the caller has read them before).
 */
export function changeObjective({ objective, options = {} }: MethodInput): LayerChangeObjective {
  if (!("measure" in objective))
    throw new InputError("this method needs the objective of a layer's change, not an action");
  const { measure } = objective;
  const asked: Partial<LayerChange> = {
    ...(options.targetLayer === undefined ? {} : { targetLayer: options.targetLayer }),
    ...(options.p === undefined ? {} : { p: options.p }),
    ...(options.q === undefined ? {} : { q: options.q }),
    norm: options.variant === "published" ? "unit" : "token",
  };
  for (const [key, value] of Object.entries(asked))
    if (measure[key as keyof LayerChange] !== value)
      throw new InputError(
        `the objective was prepared with ${key} ${measure[key as keyof LayerChange]}, but the options say ${value}`,
      );
  return objective;
}
