/** Where in the model: --layer, or the SAE's own hook point. */
import type { ModelInfo } from "../../engine/engine.js";
import { InputError } from "../../formats/input-error.js";
import type { SaeInfo } from "../../sae/sae.js";
import type { Io } from "../terminal/io.js";

/** InputError unless the model has a block `layer`; `where` names what asked for it. */
export function checkLayer(layer: number, { layers, name }: ModelInfo, where: string): void {
  if (!(layer >= 0 && layer < layers))
    throw new InputError(`${where}: layer ${layer} is out of range; ${name} has ${layers} layers, 0 to ${layers - 1}`);
}

/** The layer to work at. Says so where it is not the one that the SAE was trained on. */
export function chooseLayer(io: Io, given: number | undefined, sae: SaeInfo | undefined, model: ModelInfo): number {
  const layer = given ?? sae?.layer;
  if (layer === undefined)
    throw new InputError(
      sae === undefined
        ? "no --layer: give the block whose output is steered, or an SAE that names one"
        : `${sae.name}: does not say after which block it reads (hook ${sae.hook ?? "unknown"}); give --layer`,
    );
  checkLayer(layer, model, given === undefined && sae ? sae.name : "--layer");
  if (sae?.layer !== undefined && sae.layer !== layer)
    io.log(`${sae.name}: reads the residual stream after block ${sae.layer}; --layer ${layer} has it read another`);
  return layer;
}
