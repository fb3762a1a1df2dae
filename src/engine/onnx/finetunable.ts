/** A base model whose adapters are trained over ONNX Runtime: each training is a model of its own, as pairs are part of its graph. */
import type { DecoderConfig } from "../../model/decoder-config.js";
import { blockModules } from "../../model/modules.js";
import { peftName } from "../../model/weight-names.js";
import { inMemory } from "../../model/weights.js";
import type { Finetunable, LinearModule } from "../training.js";
import { type EngineOptions, onnxEngine } from "./open.js";
import type { OpenModel } from "./programs.js";
import type { Channel } from "./protocol.js";

/** `channel` makes the place where a training's sessions live. */
export function onnxFinetunable(base: OpenModel, channel: () => Channel, options: EngineOptions): Finetunable {
  const linears = blockLinears(base);
  const shapes = new Map(linears.map((linear) => [linear.name, linear]));
  return {
    layers: base.config.layers,
    linears,
    async withPairs(pairs) {
      const adapter = [...pairs].map(([module, { a, b, rank, scale }]) => {
        const { out, width } = shapes.get(module)!;
        return [module, { a: inMemory(a, [rank, width]), b: inMemory(b, [out, rank]), scale }] as const;
      });
      return onnxEngine({ ...base, adapter: new Map(adapter) }, channel(), options);
    },
  };
}

/** The linear layers of the blocks, in order. */
function blockLinears({ config }: OpenModel): LinearModule[] {
  return Array.from({ length: config.layers }, (_, layer) =>
    blockModules(config).map(({ module, out, width }) => ({
      ...named(config, `model.layers.${layer}.${module}`),
      layer,
      out,
      width,
    })),
  ).flat();
}

const named = (config: DecoderConfig, name: string) => ({ name, peftName: peftName(config, name) });
