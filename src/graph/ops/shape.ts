/** Ops that move values without changing them. */
import { type Dim, type Shape, ShapeError, sameShape, showShape, type Tensor } from "../graph.js";

/** The same values in another shape. At most the lengths of named dimensions are computed while running. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  return x.graph.apply("Reshape", [x, shapeTensor(x, shape)], {
    shape,
    dtype: x.dtype,
    gradients: [(dy) => reshape(dy, x.shape), null],
  });
}

/**
 * The shape operand of Reshape: 0 copies the input's dimension at the same place, −1 is inferred once; only a shape
 * with more unknowns is put together at run time.
 */
function shapeTensor(x: Tensor, shape: Shape): Tensor {
  const unknown = shape.filter((dim, axis) => typeof dim === "string" && x.shape[axis] !== dim);
  if (unknown.length <= 1)
    return x.graph.integers(
      shape.map((dim, axis) =>
        x.shape[axis] === dim && typeof dim === "string" ? 0 : typeof dim === "number" ? dim : -1,
      ),
    );
  return dims(x, shape);
}

/** `shape` as an int64 tensor of run-time lengths. */
function dims(x: Tensor, shape: Shape): Tensor {
  const { graph } = x;
  if (shape.every((dim) => typeof dim === "number")) return graph.integers(shape as number[]);
  return graph.apply(
    "Concat",
    shape.map((dim) => graph.length(dim)),
    {
      shape: [shape.length],
      dtype: "int64",
      attributes: { axis: { int: 0 } },
    },
  );
}

/** Axes reordered: output axis i is input axis permutation[i]. */
export function transpose(x: Tensor, permutation: readonly number[]): Tensor {
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  return x.graph.apply("Transpose", [x], {
    shape: permutation.map((axis) => x.shape[axis]!),
    dtype: x.dtype,
    attributes: { perm: { ints: permutation } },
    gradients: [(dy) => transpose(dy, inverse)],
  });
}

/** Joined along an axis. `length` names the joined dimension (needed where a part's is named). */
export function concat(parts: readonly Tensor[], axis: number, length?: Dim): Tensor {
  const [first] = parts;
  if (!first) throw new ShapeError("concat of nothing");
  if (parts.length === 1) return first;
  for (const part of parts)
    if (part.shape.length !== first.shape.length || part.shape.some((dim, i) => i !== axis && dim !== first.shape[i]))
      throw new ShapeError(`concat along ${axis}: ${parts.map((p) => showShape(p.shape)).join(" ")}`);
  const joined = length ?? sum(parts.map((part) => part.shape[axis]!));
  return first.graph.apply("Concat", parts, {
    shape: first.shape.map((dim, i) => (i === axis ? joined : dim)),
    dtype: first.dtype,
    attributes: { axis: { int: axis } },
    gradients: parts.map(
      (part, i) => (dy: Tensor) =>
        sliceAfter(
          dy,
          axis,
          parts.slice(0, i).map((p) => p.shape[axis]!),
          part.shape[axis]!,
        ),
    ),
  });
}

/** Values [start, start + length) of an axis; all numbers. */
export function slice(x: Tensor, axis: number, start: number, length: number): Tensor {
  return sliceAfter(x, axis, [start], length);
}

/** `length` values of an axis after skipping the given dimensions. */
function sliceAfter(x: Tensor, axis: number, skip: readonly Dim[], length: Dim): Tensor {
  const { graph } = x;
  const start = addLengths(x, skip);
  const end = addLengths(x, [...skip, length]);
  return graph.apply("Slice", [x, start, end, graph.integers([axis])], {
    shape: x.shape.map((dim, i) => (i === axis ? length : dim)),
    dtype: x.dtype,
    gradients: [(dy) => padSlice(dy, x, axis, skip, length)],
  });
}

/** `dy` with zeros around it, so that it has the shape of x. */
function padSlice(dy: Tensor, x: Tensor, axis: number, skip: readonly Dim[], length: Dim): Tensor {
  const { graph } = x;
  const one = { shape: [1], dtype: "int64" } as const;
  const before = addLengths(x, skip);
  const after = graph.apply("Sub", [graph.length(x.shape[axis]!), addLengths(x, [...skip, length])], one);
  const others = (count: number) => (count > 0 ? [graph.integers(new Array<number>(count).fill(0))] : []);
  const behind = x.shape.length - axis - 1;
  const parts = [...others(axis), before, ...others(behind + axis), after, ...others(behind)];
  const pads = graph.apply("Concat", parts, {
    shape: [2 * x.shape.length],
    dtype: "int64",
    attributes: { axis: { int: 0 } },
  });
  return graph.apply("Pad", [dy, pads], {
    shape: x.shape,
    gradients: [(d) => sliceAfter(d, axis, skip, length), null],
  });
}

function addLengths(x: Tensor, lengths: readonly Dim[]): Tensor {
  const { graph } = x;
  const known = graph.integers([
    lengths.reduce<number>((total, dim) => (typeof dim === "number" ? total + dim : total), 0),
  ]);
  return lengths
    .filter((dim) => typeof dim === "string")
    .reduce((total, dim) => graph.apply("Add", [total, graph.length(dim)], { shape: [1], dtype: "int64" }), known);
}

function sum(lengths: readonly Dim[]): Dim {
  if (lengths.every((dim) => typeof dim === "number")) return (lengths as number[]).reduce((a, b) => a + b, 0);
  return lengths.filter((dim) => dim !== 0).join("+");
}

/** Repeated along dimensions of length 1 (or missing ones in front) up to `shape`. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  return x.graph.apply("Expand", [x, dims(x, shape)], {
    shape,
    dtype: x.dtype,
    gradients: [(dy) => unbroadcast(dy, x.shape), null],
  });
}

/** Sum over the axes along which a tensor of `shape` was repeated to become `dy`'s shape. */
export function unbroadcast(dy: Tensor, shape: Shape): Tensor {
  const missing = dy.shape.length - shape.length;
  const axes = dy.shape.flatMap((dim, axis) =>
    axis < missing || (shape[axis - missing] === 1 && dim !== 1) ? [axis] : [],
  );
  if (axes.length === 0) return dy;
  const summed = dy.graph.apply("ReduceSum", [dy, dy.graph.integers(axes)], {
    shape: dy.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)),
    attributes: { keepdims: { int: 1 } },
    gradients: [(d) => expand(d, dy.shape), null],
  });
  return reshape(summed, shape);
}

/** Element types that are cast to, with ONNX's numbers for them. */
const CAST_CODES = { float32: 1, int32: 6, int64: 7, float16: 10, bfloat16: 16 } as const;

/** Another element type; gradients flow between floating types. */
export function cast(x: Tensor, dtype: keyof typeof CAST_CODES): Tensor {
  if (x.dtype === dtype) return x;
  return x.graph.apply("Cast", [x], {
    shape: x.shape,
    dtype,
    attributes: { to: { int: CAST_CODES[dtype] } },
    gradients: [(dy) => dy],
  });
}
