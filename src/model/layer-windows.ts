/** Which layers of a model see only a window of tokens, and how many. */
import { InputError, quote } from "../formats/input-error.js";
import type { DecoderConfig, HfConfig } from "./decoder-config.js";

const KINDS = ["sliding_attention", "full_attention"];

/**
 * Window of each layer in tokens, null for none: where config.json has layer_types as it says, else `window` for the layers
 * that `isLocal` names.
 * @throws InputError for layer_types that are not understood, of another length, or that want a window where there is none.
 */
export function layerWindows(
  config: HfConfig,
  { layers }: DecoderConfig,
  window: number | null,
  isLocal: (layer: number) => boolean,
  file: string,
): (number | null)[] {
  const types = layerTypes(config, layers, file);
  return Array.from({ length: layers }, (_, layer) => {
    const local = types ? types[layer] === "sliding_attention" : isLocal(layer);
    if (local && window === null)
      throw new InputError(`${file}: layer ${layer} has sliding attention, but no sliding_window is in use; give it`);
    return local ? window : null;
  });
}

/** The same window for every layer, as families have it that know no kinds of layers; layer_types must not contradict. */
export function sameWindow(config: HfConfig, { layers }: DecoderConfig, file: string): (number | null)[] {
  const window = config.sliding_window ?? null;
  const kind = window === null ? "full_attention" : "sliding_attention";
  const other = layerTypes(config, layers, file)?.find((type) => type !== kind);
  if (other !== undefined)
    throw new InputError(
      `${file}: layer type ${quote(other)} where sliding_window is ${window}; all layers of a ${config.model_type} model are alike`,
    );
  return Array.from({ length: layers }, () => window);
}

function layerTypes(config: HfConfig, layers: number, file: string): readonly string[] | null {
  const types = config.layer_types;
  if (!types) return null;
  if (types.length !== layers)
    throw new InputError(
      `${file}: layer_types has ${types.length} entries, num_hidden_layers is ${layers}; they must agree`,
    );
  const unknown = types.find((type) => !KINDS.includes(type));
  if (unknown !== undefined)
    throw new InputError(`${file}: layer type ${quote(unknown)} is not supported; supported: ${KINDS.join(", ")}`);
  return types;
}
