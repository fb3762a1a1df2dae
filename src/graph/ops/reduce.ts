/** Ops that fold an axis. The axis is counted from the end as in NumPy (−1 is the last) and kept with length 1. */
import type { Shape, Tensor } from "../graph.js";
import { div, exp, mul, sub } from "./elementwise.js";
import { expand } from "./shape.js";

function folded(shape: Shape, axis: number) {
  return shape.map((dim, i) => (i === (axis + shape.length) % shape.length ? 1 : dim));
}

export function sum(x: Tensor, axis = -1): Tensor {
  return x.graph.apply("ReduceSum", [x, x.graph.integers([axis])], {
    shape: folded(x.shape, axis),
    attributes: { keepdims: { int: 1 } },
    gradients: [(dy) => expand(dy, x.shape), null],
  });
}

/** Σ x² over the last axis, without x² in memory. */
export function sumOfSquares(x: Tensor): Tensor {
  return x.graph.apply("ReduceSumSquare", [x, x.graph.integers([-1])], {
    shape: folded(x.shape, -1),
    attributes: { keepdims: { int: 1 } },
    gradients: [(dy) => mul(mul(x, 2), dy), null],
  });
}

/** Mean over an axis whose length is a number. */
export function mean(x: Tensor, axis = -1): Tensor {
  return x.graph.apply("ReduceMean", [x, x.graph.integers([axis])], {
    shape: folded(x.shape, axis),
    attributes: { keepdims: { int: 1 } },
    gradients: [(dy) => expand(div(dy, x.shape.at(axis) as number), x.shape), null],
  });
}

/** e^x / Σ e^x over the last axis. */
export function softmax(x: Tensor): Tensor {
  const y: Tensor = x.graph.apply("Softmax", [x], {
    shape: x.shape,
    attributes: { axis: { int: -1 } },
    gradients: [
      (dy) => {
        const weighted = mul(dy, y);
        return sub(weighted, mul(y, sum(weighted))); // y (dy − Σ dy·y)
      },
    ],
  });
  return y;
}

/** x − ln Σ e^x over the last axis. */
export function logSoftmax(x: Tensor): Tensor {
  const y: Tensor = x.graph.apply("LogSoftmax", [x], {
    shape: x.shape,
    attributes: { axis: { int: -1 } },
    gradients: [(dy) => sub(dy, mul(exp(y), sum(dy)))], // dy − softmax(x) Σ dy
  });
  return y;
}

/** Index of the largest value of the last axis, first on ties, int64, axis dropped. */
export function argmax(x: Tensor): Tensor {
  return x.graph.apply("ArgMax", [x], {
    shape: x.shape.slice(0, -1),
    dtype: "int64",
    attributes: { axis: { int: -1 }, keepdims: { int: 0 } },
  });
}
