/** Ops of transformer blocks that ONNX Runtime has fused kernels for. */
import type { Tensor } from "../graph.js";
import { mul, sub } from "./elementwise.js";
import { mean } from "./reduce.js";
import { reshape, unbroadcast } from "./shape.js";

/** x / √(mean x² + ε) · weight over the last axis (Zhang & Sennrich 2019); x [..., d], weight [d]. */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
  const rowShape = [...x.shape.slice(0, -1), 1];
  const [y, inverse] = x.graph.applyMany("SimplifiedLayerNormalization", [x, weight], {
    outputs: [{ shape: x.shape }, { shape: rowShape }], // inverse = 1 / √(mean x² + ε)
    attributes: { axis: { int: -1 }, epsilon: { float: epsilon }, stash_type: { int: 1 } },
    gradients: [
      (dy) => {
        const normal = mul(x, inverse!);
        const g = mul(dy, weight);
        return mul(inverse!, sub(g, mul(normal, mean(mul(g, normal))))); // (g − x̂ · mean(g x̂)) / rms
      },
      (dy) => unbroadcast(mul(dy, mul(x, inverse!)), weight.shape),
    ],
  });
  return y!;
}

/**
 * Rotary position embedding (Su et al. 2021), half-rotated as in Hugging Face: for each head's first 2h values,
 * (a, b) → (a cos − b sin, b cos + a sin) with a the first and b the second half.
 * x [N, heads · headDim], cos and sin [N, h]. The gradient is the rotation the other way.
 */
export function rotary(x: Tensor, cos: Tensor, sin: Tensor, heads: number): Tensor {
  const [rows, width] = x.shape;
  const half = cos.shape[1] as number;
  const headDim = (width as number) / heads;
  const batch = (t: Tensor) => reshape(t, [1, ...t.shape]);
  const y = x.graph.apply("RotaryEmbedding", [batch(x), batch(cos), batch(sin)], {
    shape: [1, rows!, width!],
    attributes: {
      num_heads: { int: heads },
      interleaved: { int: 0 },
      rotary_embedding_dim: { int: 2 * half === headDim ? 0 : 2 * half },
    },
    gradients: [(dy) => batch(rotary(reshape(dy, [rows!, width!]), cos, mul(sin, -1), heads)), null, null],
  });
  return reshape(y, [rows!, width!]);
}
