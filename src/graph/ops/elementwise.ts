/** Ops that act value by value, with NumPy broadcasting. */
import { type Dim, MICROSOFT, type Shape, ShapeError, showShape, type Tensor } from "../graph.js";
import { unbroadcast } from "./shape.js";

type Operand = Tensor | number;

/** NumPy's broadcasting rule. */
export function broadcastShape(a: Shape, b: Shape): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === 1) return y;
    if (y === 1 || x === y) return x;
    throw new ShapeError(`${showShape(a)} and ${showShape(b)} do not broadcast`);
  });
}

function both(a: Operand, b: Operand): [Tensor, Tensor] {
  if (typeof a !== "number") return [a, typeof b === "number" ? a.graph.scalar(b) : b];
  if (typeof b !== "number") return [b.graph.scalar(a), b];
  throw new ShapeError("an op on two plain numbers");
}

export function add(left: Operand, right: Operand): Tensor {
  const [a, b] = both(left, right);
  return a.graph.apply("Add", [a, b], {
    shape: broadcastShape(a.shape, b.shape),
    gradients: [(dy) => unbroadcast(dy, a.shape), (dy) => unbroadcast(dy, b.shape)],
  });
}

export function sub(left: Operand, right: Operand): Tensor {
  const [a, b] = both(left, right);
  return a.graph.apply("Sub", [a, b], {
    shape: broadcastShape(a.shape, b.shape),
    gradients: [(dy) => unbroadcast(dy, a.shape), (dy) => unbroadcast(mul(dy, -1), b.shape)],
  });
}

export function mul(left: Operand, right: Operand): Tensor {
  const [a, b] = both(left, right);
  return a.graph.apply("Mul", [a, b], {
    shape: broadcastShape(a.shape, b.shape),
    gradients: [(dy) => unbroadcast(mul(dy, b), a.shape), (dy) => unbroadcast(mul(dy, a), b.shape)],
  });
}

export function div(left: Operand, right: Operand): Tensor {
  const [a, b] = both(left, right);
  const y: Tensor = a.graph.apply("Div", [a, b], {
    shape: broadcastShape(a.shape, b.shape),
    gradients: [(dy) => unbroadcast(div(dy, b), a.shape), (dy) => unbroadcast(mul(dy, div(mul(y, -1), b)), b.shape)],
  });
  return y;
}

export function exp(x: Tensor): Tensor {
  const y: Tensor = x.graph.apply("Exp", [x], { shape: x.shape, gradients: [(dy) => mul(dy, y)] });
  return y;
}

export function sqrt(x: Tensor): Tensor {
  const y: Tensor = x.graph.apply("Sqrt", [x], { shape: x.shape, gradients: [(dy) => div(mul(dy, 0.5), y)] });
  return y;
}

/** x^a for x ≥ 0; its gradient at x = 0 is taken as 0, whatever a is. */
export function power(x: Tensor, a: number): Tensor {
  if (a === 1) return x;
  return x.graph.apply("Pow", [x, x.graph.scalar(a)], {
    shape: x.shape,
    gradients: [(dy) => where(greater(x, 0), mul(dy, mul(power(x, a - 1), a)), 0), null],
  });
}

/** max(x, 0) */
export function relu(x: Tensor): Tensor {
  return x.graph.apply("Relu", [x], { shape: x.shape, gradients: [(dy) => where(greater(x, 0), dy, 0)] });
}

/** x where x > alpha, else 0; alpha ≥ 0 */
export function thresholdedRelu(x: Tensor, alpha: number): Tensor {
  return x.graph.apply("ThresholdedRelu", [x], {
    shape: x.shape,
    attributes: { alpha: { float: alpha } },
    gradients: [(dy) => where(greater(x, alpha), dy, 0)],
  });
}

/** 1 / (1 + e^−x) */
export function sigmoid(x: Tensor): Tensor {
  const y: Tensor = x.graph.apply("Sigmoid", [x], { shape: x.shape, gradients: [(dy) => mul(dy, mul(y, sub(1, y)))] });
  return y;
}

export function tanh(x: Tensor): Tensor {
  const y: Tensor = x.graph.apply("Tanh", [x], { shape: x.shape, gradients: [(dy) => mul(dy, sub(1, mul(y, y)))] });
  return y;
}

/** x · σ(x) */
export function silu(x: Tensor): Tensor {
  return x.graph.apply("QuickGelu", [x], {
    domain: MICROSOFT,
    shape: x.shape,
    attributes: { alpha: { float: 1 } },
    gradients: [
      (dy) => {
        const s = sigmoid(x);
        return mul(dy, mul(s, add(mul(x, sub(1, s)), 1))); // σ(x)(1 + x(1 − σ(x)))
      },
    ],
  });
}

/** ½x(1 + tanh(√(2/π)(x + 0.044715x³))), the approximation that Gemma uses (Hendrycks & Gimpel 2016). */
export function geluTanh(x: Tensor): Tensor {
  const inner = mul(add(x, mul(mul(mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
}

/** condition ? a : b; no gradient to the condition. */
export function where(condition: Tensor, left: Operand, right: Operand): Tensor {
  const { graph } = condition;
  const first = typeof left === "number" ? graph.scalar(left) : left;
  const second = typeof right === "number" ? graph.scalar(right) : right;
  return condition.graph.apply("Where", [condition, first, second], {
    shape: broadcastShape(condition.shape, broadcastShape(first.shape, second.shape)),
    gradients: [
      null,
      (dy) => unbroadcast(where(condition, dy, 0), first.shape),
      (dy) => unbroadcast(where(condition, 0, dy), second.shape),
    ],
  });
}

/** a > b, elementwise. */
export function greater(left: Operand, right: Operand): Tensor {
  const [a, b] = both(left, right);
  return a.graph.apply("Greater", [a, b], { shape: broadcastShape(a.shape, b.shape), dtype: "bool" });
}

/** a ≤ b, elementwise; also of integers. */
export function lessOrEqual(a: Tensor, b: Tensor): Tensor {
  return a.graph.apply("LessOrEqual", [a, b], { shape: broadcastShape(a.shape, b.shape), dtype: "bool" });
}

/** Both conditions. */
export function and(a: Tensor, b: Tensor): Tensor {
  return a.graph.apply("And", [a, b], { shape: broadcastShape(a.shape, b.shape), dtype: "bool" });
}
