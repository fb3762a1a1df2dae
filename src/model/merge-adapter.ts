/** Low-rank changes of weights that are in memory, added to them once: y = x (W + scale · B A)ᵀ takes one product in place of three. */
import type { AdapterStore, StoredLowRank, StoredWeight, WeightStore } from "./weights.js";
import { inMemory } from "./weights.js";

/**
 * The model with plain LoRA changes added to weights that are f32 in memory. Others stay beside their weight: those of mapped and
 * of quantised weights, of an embedding and of a head that is one, with a bias, and DoRA's.
 */
export function mergeAdapter<Model extends { weights: WeightStore; adapter: AdapterStore }>(model: Model): Model {
  const weights = new Map(model.weights);
  const adapter = new Map(model.adapter);
  for (const [module, change] of model.adapter) {
    const name = `${module}.weight`;
    const weight = weights.get(name);
    if (!weight || module === "model.embed_tokens" || change.bias || change.magnitude || !isF32InMemory(weight))
      continue;
    weights.set(name, merged(weight, change));
    adapter.delete(module);
  }
  return { ...model, weights, adapter };
}

/** W + scale · B A: W [out, in], A [rank, in], B [out, rank]; summed in f64, rounded once. */
function merged(weight: StoredWeight, { a, b, scale }: StoredLowRank): StoredWeight {
  const [out, width] = weight.shape as [number, number];
  const rank = a.shape[0]!;
  const [w, down, up] = [valuesOf(weight), valuesOf(a), valuesOf(b)];
  const sum = new Float32Array(out * width);
  const row = new Float64Array(width);
  for (let i = 0; i < out; i++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = up[i * rank + r]!;
      for (let j = 0; j < width; j++) row[j] = row[j]! + factor * down[r * width + j]!;
    }
    for (let j = 0; j < width; j++) sum[i * width + j] = w[i * width + j]! + scale * row[j]!;
  }
  return inMemory(sum, weight.shape);
}

function isF32InMemory({ dtype, values }: StoredWeight): boolean {
  return dtype === "float32" && "bytes" in values;
}

function valuesOf({ values }: StoredWeight): Float32Array {
  const { bytes } = values as { bytes: Uint8Array };
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Float32Array.BYTES_PER_ELEMENT);
}
