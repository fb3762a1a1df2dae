/** Name → method. A new method is one file and one line here. */
import { InputError } from "../formats/input-error.js";
import { melbo } from "./melbo.js";
import type { Method } from "./method.js";
import { saeAttribution } from "./sae-attribution.js";
import { saeMelbo } from "./sae-melbo.js";
import { supervisedMelbo } from "./supervised-melbo.js";
import { supervisedSaeMelbo } from "./supervised-sae-melbo.js";

export const methods: readonly Method[] = [
  saeAttribution, // M1
  melbo, // M2
  saeMelbo, // M3
  supervisedMelbo, // M4
  supervisedSaeMelbo, // M5
];

/** The methods that work towards an action, of which an audit takes its leads. */
export const towardsAction = methods.filter(({ objective }) => objective === "cross-entropy");

/** The method called `name`. Throws InputError that lists the names of those `meant`. */
export function findMethod(name: string, meant: readonly Method[] = methods): Method {
  const method = methods.find((candidate) => candidate.name === name);
  if (method === undefined) {
    throw new InputError(`no method ${JSON.stringify(name)}; there are ${meant.map((m) => m.name).join(", ")}`);
  }
  return method;
}
