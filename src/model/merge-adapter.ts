/** Low-rank changes of weights that are in memory, added to them once: y = x (W + scale · B A)ᵀ takes one product in place of three. */
import { type AdapterStore, inMemory, type StoredLowRank, valuesInMemory, type WeightStore } from "./weights.js";

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
    const values = weight && valuesInMemory(weight);
    if (!values || module === "model.embed_tokens" || change.bias || change.magnitude) continue;
    weights.set(name, inMemory(merged(values, change), weight.shape));
    adapter.delete(module);
  }
  return { ...model, weights, adapter };
}

/** W + scale · B A: W [out, in], A [rank, in], B [out, rank]; summed in f64, rounded once. */
function merged(w: Float32Array, { a, b, scale }: StoredLowRank): Float32Array {
  const [rank, width] = a.shape as [number, number];
  const out = b.shape[0]!;
  const [down, up] = [valuesInMemory(a)!, valuesInMemory(b)!]; // an adapter's values are f32 in memory
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
  return sum;
}
