/** Matrix products. */
import { MICROSOFT, ShapeError, showShape, type Tensor } from "../graph.js";
import { broadcastShape } from "./elementwise.js";
import { unbroadcast } from "./shape.js";

/** y = x Wᵀ + bias for x [N, in], W [out, in] as Hugging Face stores it, bias [out]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  const [rows, width] = x.shape;
  if (x.shape.length !== 2 || weight.shape.length !== 2 || width !== weight.shape[1])
    throw new ShapeError(`linear: x ${showShape(x.shape)}, weight ${showShape(weight.shape)}`);
  return x.graph.apply("Gemm", bias ? [x, weight, bias] : [x, weight], {
    shape: [rows!, weight.shape[0]!],
    attributes: { transB: { int: 1 } },
    gradients: [
      (dy) => product(dy, weight), // dX = dY W
      (dy) => product(dy, x, { transA: true }), // dW = dYᵀ X
      (dy) => unbroadcast(dy, [weight.shape[0]!]),
    ],
  });
}

/** A B of two matrices, either transposed first. */
export function product(a: Tensor, b: Tensor, options: { transA?: boolean; transB?: boolean } = {}): Tensor {
  const { transA = false, transB = false } = options;
  const inner = a.shape[transA ? 0 : 1];
  if (a.shape.length !== 2 || b.shape.length !== 2 || inner !== b.shape[transB ? 1 : 0])
    throw new ShapeError(
      `product: ${showShape(a.shape)}${transA ? "ᵀ" : ""} ${showShape(b.shape)}${transB ? "ᵀ" : ""}`,
    );
  return a.graph.apply("Gemm", [a, b], {
    shape: [a.shape[transA ? 1 : 0]!, b.shape[transB ? 0 : 1]!],
    attributes: { transA: { int: transA ? 1 : 0 }, transB: { int: transB ? 1 : 0 } },
    gradients: [
      (dy) => (transA ? product(b, dy, { transA: transB, transB: true }) : product(dy, b, { transB: !transB })),
      (dy) => (transB ? product(dy, a, { transA: true, transB: transA }) : product(a, dy, { transA: !transA })),
    ],
  });
}

/** alpha · A B over the last two axes, batch axes broadcast; either matrix transposed first. */
export function matmul(
  a: Tensor,
  b: Tensor,
  options: { transA?: boolean; transB?: boolean; alpha?: number } = {},
): Tensor {
  const { transA = false, transB = false, alpha = 1 } = options;
  const [rows, inner] = lastTwo(a, transA);
  const [innerB, columns] = lastTwo(b, transB);
  if (inner !== innerB)
    throw new ShapeError(`matmul: ${showShape(a.shape)} ${showShape(b.shape)} (transA ${transA}, transB ${transB})`);
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return a.graph.apply("FusedMatMul", [a, b], {
    domain: MICROSOFT,
    shape: [...batch, rows, columns],
    attributes: { transA: { int: transA ? 1 : 0 }, transB: { int: transB ? 1 : 0 }, alpha: { float: alpha } },
    gradients: [
      (dy) =>
        unbroadcast(
          transA ? matmul(b, dy, { transA: transB, transB: true, alpha }) : matmul(dy, b, { transB: !transB, alpha }),
          a.shape,
        ),
      (dy) =>
        unbroadcast(
          transB ? matmul(dy, a, { transA: true, transB: transA, alpha }) : matmul(a, dy, { transA: !transA, alpha }),
          b.shape,
        ),
    ],
  });
}

function lastTwo(x: Tensor, transposed: boolean) {
  const row = x.shape.at(-2);
  const column = x.shape.at(-1);
  if (row === undefined || column === undefined) throw new ShapeError(`matmul of ${showShape(x.shape)}`);
  return transposed ? ([column, row] as const) : ([row, column] as const);
}
