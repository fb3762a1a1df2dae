/** Which layers `find` steers at: one that is given, the SAE's, or several to choose from. */
import { InputError } from "../../formats/input-error.js";
import { layersToTry } from "../../methods/layer-sweep.js";
import type { Method } from "../../methods/method.js";
import { checkLayer } from "../model/layer.js";
import type { OpenedModel } from "../model/open-model.js";
import { takesOneGradient } from "./find-search.js";

/** Layers chosen by the program. */
export const AUTO_LAYERS = "auto";

export interface LayerFlags {
  readonly layer?: number;
  readonly layers?: readonly number[] | typeof AUTO_LAYERS;
  readonly sae?: string;
}

/**
 * The layers of a sweep: --layers, or the default ones where neither --layer nor an SAE says where. Undefined: no sweep.
 * InputError where the flags contradict each other or the method, or name a layer that the model lacks.
 */
export function sweptLayers(
  flags: LayerFlags,
  method: Method,
  hasSae: boolean,
  model: OpenedModel,
): readonly number[] | undefined {
  const info = model.engine.model;
  if (flags.layers === undefined) {
    const searches = method.objective === "cross-entropy" && !takesOneGradient(method);
    return flags.layer === undefined && !hasSae && searches ? layersToTry(info.layers) : undefined;
  }
  if (flags.layer !== undefined) throw new InputError("--layer and --layers: give one of them");
  if (method.sae === "required")
    throw new InputError(`--layers: ${method.name} works at the layer that its SAE reads; leave the flag out`);
  if (method.objective !== "cross-entropy")
    throw new InputError(`--layers: layers are compared by how often the action comes; ${method.name} has none`);
  if (flags.sae !== undefined)
    throw new InputError(`--layers: ${flags.sae} reads one layer only; leave --sae out, or give --layer`);
  if (flags.layers === AUTO_LAYERS) return layersToTry(info.layers);
  for (const layer of flags.layers) checkLayer(layer, info, "--layers");
  return flags.layers;
}
