/** Ops that pick values by index. */
import { ShapeError, showShape, type Tensor } from "../graph.js";
import { exp, mul } from "./elementwise.js";
import { cast, concat, expand, reshape } from "./shape.js";

/**
 * table[index]: rows of table [V, d] for index [...]; the gradient adds up rows that were picked more than once.
 * It adds by ScatterElements, which runs on one thread: onnxruntime's ScatterND adds from several threads at once, and
 * where two of them meet at a row the sum depends on chance.
 */
export function gatherRows(table: Tensor, index: Tensor): Tensor {
  const width = table.shape.slice(1);
  return table.graph.apply("Gather", [table, index], {
    shape: [...index.shape, ...width],
    dtype: table.dtype,
    attributes: { axis: { int: 0 } },
    gradients: [
      (dy) => {
        const rows = index.shape.length === 1 ? index.shape[0]! : index.shape.join("*");
        const flat = reshape(dy, [rows, ...width]);
        const places = expand(reshape(cast(index, "int64"), [rows, ...width.map(() => 1)]), flat.shape);
        return table.graph.apply("ScatterElements", [zeros(table), places, flat], {
          shape: table.shape,
          attributes: { axis: { int: 0 }, reduction: { string: "add" } },
        });
      },
      null,
    ],
  });
}

/** table[:, index]: columns of table [R, V] for index [K] → [R, K]; the gradient adds up columns that were picked more than once. */
export function gatherColumns(table: Tensor, index: Tensor): Tensor {
  const [rows] = table.shape;
  const [count] = index.shape;
  if (table.shape.length !== 2 || index.shape.length !== 1)
    throw new ShapeError(`gatherColumns: table ${showShape(table.shape)}, index ${showShape(index.shape)}`);
  return table.graph.apply("Gather", [table, index], {
    shape: [rows!, count!],
    dtype: table.dtype,
    attributes: { axis: { int: 1 } },
    gradients: [
      (dy) => {
        const places = expand(reshape(cast(index, "int64"), [1, count!]), dy.shape);
        return table.graph.apply("ScatterElements", [zeros(table), places, dy], {
          shape: table.shape,
          attributes: { axis: { int: 1 }, reduction: { string: "add" } },
        });
      },
      null,
    ],
  });
}

/**
 * Rows moved to other places: y[i] = x[index[i]], where the index |x| stands for a row of zeros (padding).
 * `inverse` is the same map the other way round, so that the gradient is a gather as well: dx[j] = dy[inverse[j]], flattened.
 * No row of x may be used twice. x [R, d], index [...], inverse [R] → [..., d].
 */
export function moveRows(x: Tensor, index: Tensor, inverse: Tensor): Tensor {
  const [rows, width] = x.shape;
  if (x.shape.length !== 2 || rows !== inverse.shape[0])
    throw new ShapeError(`moveRows: x ${showShape(x.shape)}, inverse ${showShape(inverse.shape)}`);
  const padded = concat([x, x.graph.zeros([1, width as number])], 0, `${rows}+1`);
  return x.graph.apply("Gather", [padded, index], {
    shape: [...index.shape, width!],
    attributes: { axis: { int: 0 } },
    sources: [x],
    gradients: [
      (dy) => {
        const flat = index.shape.length === 1 ? index.shape[0]! : index.shape.join("*");
        const rowsOf = reshape(dy, [flat, width!]);
        return moveRows(rowsOf, inverse, reshape(index, [flat]));
      },
    ],
  });
}

/**
 * log softmax(logits)[i, target[i]] for logits [N, V], target [N] → [N, 1]. One gradient for the whole:
 * dlogits = dy · (onehot(target) − softmax(logits)), in three passes over [N, V].
 */
export function pickLogProbability(logits: Tensor, target: Tensor): Tensor {
  const { graph } = logits;
  const column = reshape(target, [...target.shape, 1]);
  const all = graph.apply("LogSoftmax", [logits], { shape: logits.shape, attributes: { axis: { int: -1 } } });
  return graph.apply("GatherElements", [all, column], {
    shape: column.shape,
    attributes: { axis: { int: -1 } },
    sources: [logits],
    gradients: [
      (dy) =>
        graph.apply("ScatterElements", [mul(exp(all), mul(dy, -1)), column, dy], {
          shape: logits.shape,
          attributes: { axis: { int: -1 }, reduction: { string: "add" } },
        }),
    ],
  });
}

function zeros(like: Tensor): Tensor {
  return expand(like.graph.scalar(0), like.shape);
}
