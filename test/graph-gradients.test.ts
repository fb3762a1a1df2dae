/** Every op's gradient against central differences of its own forward pass, f32 on ONNX Runtime. */
import { afterAll, describe, expect, it } from "vitest";
import { openNodeChannel } from "../src/engine/onnx/node-channel.js";
import { OnnxRuntime } from "../src/engine/onnx/onnx-runtime.js";
import {
  add,
  concat,
  div,
  exp,
  expand,
  Graph,
  gatherColumns,
  gatherRows,
  geluTanh,
  gradients,
  greater,
  linear,
  logSoftmax,
  matmul,
  mean,
  moveRows,
  mul,
  pickLogProbability,
  power,
  product,
  relu,
  reshape,
  rmsNorm,
  rotary,
  sigmoid,
  silu,
  slice,
  softmax,
  sqrt,
  sub,
  sum,
  sumOfSquares,
  type Tensor,
  tanh,
  thresholdedRelu,
  transpose,
  where,
} from "../src/graph/index.js";
import { Random } from "../src/random/random.js";

const runtime = new OnnxRuntime(openNodeChannel(), { threads: 1 });
afterAll(() => runtime.close());

type Build = (inputs: Tensor[], graph: Graph) => Tensor;
interface Case {
  readonly name: string;
  /** Shapes of the differentiable inputs. */
  readonly shapes: readonly (readonly number[])[];
  readonly build: Build;
  /** Inputs are drawn from [low, low + 2). */
  readonly low?: number;
}

const integers = (graph: Graph, name: string, values: number[]) =>
  graph.initializer(name, "int32", [values.length], { bytes: new Uint8Array(Int32Array.from(values).buffer) });

const cases: Case[] = [
  { name: "add, broadcast", shapes: [[2, 3], [3]], build: ([a, b]) => add(a!, b!) },
  {
    name: "sub, broadcast both ways",
    shapes: [
      [2, 1],
      [1, 3],
    ],
    build: ([a, b]) => sub(a!, b!),
  },
  {
    name: "mul, broadcast",
    shapes: [
      [2, 3],
      [2, 1],
    ],
    build: ([a, b]) => mul(a!, b!),
  },
  { name: "div", shapes: [[2, 3], [3]], build: ([a, b]) => div(a!, b!), low: 0.5 },
  { name: "exp", shapes: [[2, 3]], build: ([x]) => exp(x!) },
  { name: "sqrt", shapes: [[2, 3]], build: ([x]) => sqrt(x!), low: 0.5 },
  { name: "power", shapes: [[2, 3]], build: ([x]) => power(x!, 1.3), low: 0.5 },
  { name: "relu", shapes: [[3, 3]], build: ([x]) => relu(x!) },
  { name: "thresholded relu", shapes: [[3, 3]], build: ([x]) => thresholdedRelu(x!, 0.25) },
  { name: "sigmoid", shapes: [[2, 3]], build: ([x]) => sigmoid(x!) },
  { name: "tanh", shapes: [[2, 3]], build: ([x]) => tanh(x!) },
  { name: "silu", shapes: [[2, 3]], build: ([x]) => silu(x!) },
  { name: "geluTanh", shapes: [[2, 3]], build: ([x]) => geluTanh(x!) },
  { name: "where", shapes: [[2, 3], [3]], build: ([a, b]) => where(greater(a!, 0.1), mul(a!, 3), b!) },
  { name: "linear with bias", shapes: [[4, 3], [2, 3], [2]], build: ([x, w, b]) => linear(x!, w!, b!) },
  {
    name: "product",
    shapes: [
      [2, 3],
      [3, 4],
    ],
    build: ([a, b]) => product(a!, b!),
  },
  {
    name: "product, first transposed",
    shapes: [
      [3, 2],
      [3, 4],
    ],
    build: ([a, b]) => product(a!, b!, { transA: true }),
  },
  {
    name: "product, both transposed",
    shapes: [
      [3, 2],
      [4, 3],
    ],
    build: ([a, b]) => product(a!, b!, { transA: true, transB: true }),
  },
  {
    name: "matmul, batched",
    shapes: [
      [2, 2, 3],
      [2, 3, 2],
    ],
    build: ([a, b]) => matmul(a!, b!, { alpha: 0.7 }),
  },
  {
    name: "matmul, second transposed",
    shapes: [
      [2, 2, 3],
      [2, 4, 3],
    ],
    build: ([a, b]) => matmul(a!, b!, { transB: true, alpha: 0.5 }),
  },
  {
    name: "matmul, first transposed",
    shapes: [
      [2, 3, 2],
      [2, 3, 4],
    ],
    build: ([a, b]) => matmul(a!, b!, { transA: true }),
  },
  { name: "sum", shapes: [[2, 3]], build: ([x]) => sum(x!, 0) },
  { name: "sumOfSquares", shapes: [[2, 3]], build: ([x]) => sumOfSquares(x!) },
  { name: "mean", shapes: [[2, 3]], build: ([x]) => mean(x!) },
  { name: "softmax", shapes: [[2, 4]], build: ([x]) => softmax(x!) },
  { name: "logSoftmax", shapes: [[2, 4]], build: ([x]) => logSoftmax(x!) },
  { name: "reshape", shapes: [[2, 6]], build: ([x]) => reshape(x!, [3, 4]) },
  { name: "transpose", shapes: [[2, 3, 4]], build: ([x]) => transpose(x!, [2, 0, 1]) },
  {
    name: "concat",
    shapes: [
      [2, 3],
      [2, 2],
    ],
    build: ([a, b]) => concat([a!, b!], 1),
  },
  { name: "slice", shapes: [[2, 5]], build: ([x]) => slice(x!, 1, 1, 3) },
  { name: "expand", shapes: [[2, 1]], build: ([x]) => expand(x!, [3, 2, 4]) },
  {
    name: "gatherRows, a row twice",
    shapes: [[4, 3]],
    build: ([x], g) => gatherRows(x!, integers(g, "index", [2, 0, 2])),
  },
  {
    name: "gatherColumns, a column twice",
    shapes: [[4, 3]],
    build: ([x], g) => gatherColumns(x!, integers(g, "index", [2, 0, 2])),
  },
  {
    name: "moveRows, padded",
    shapes: [[3, 2]],
    build: ([x], g) =>
      moveRows(x!, reshape(integers(g, "index", [1, 3, 0, 2]), [2, 2]), integers(g, "inverse", [2, 0, 3])),
  },
  {
    name: "pickLogProbability",
    shapes: [[3, 4]],
    build: ([x], g) => pickLogProbability(x!, integers(g, "target", [1, 3, 0])),
  },
  { name: "rmsNorm", shapes: [[3, 4], [4]], build: ([x, w]) => rmsNorm(x!, w!, 1e-5) },
  {
    name: "rotary",
    shapes: [[3, 8]],
    build: ([x], g) => {
      const table = (name: string, f: (angle: number) => number) =>
        g.initializer(name, "float32", [3, 2], {
          bytes: new Uint8Array(Float32Array.from({ length: 6 }, (_, i) => f(0.3 + i)).buffer),
        });
      return rotary(x!, table("cos", Math.cos), table("sin", Math.sin), 2);
    },
  },
];

/** Step of the central difference, and what f32 leaves of agreement at it. */
const STEP = 1e-2;
const TOLERANCE = 2e-3;

describe("gradients equal central differences", () => {
  it.each(cases)("$name", async ({ shapes, build, low = -1 }) => {
    const random = new Random(7);
    const graph = new Graph();
    const inputs = shapes.map((shape, i) => graph.input(`x${i}`, "float32", shape));
    const y = build(inputs, graph);
    const size = y.shape.reduce<number>((n, dim) => n * (dim as number), 1);
    // A random weighting of the outputs, so that no error cancels.
    const weights = graph.initializer("weights", "float32", [size, 1], {
      bytes: new Uint8Array(Float32Array.from({ length: size }, () => random.normal()).buffer),
    });
    const loss = sum(mul(reshape(y, [size, 1]), weights), 0);
    graph.output("loss", reshape(loss, [1]));
    gradients(loss, inputs).forEach((gradient, i) => graph.output(`g${i}`, gradient));
    const program = await runtime.compile(graph);
    const values = shapes.map((shape) =>
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => low + 2 * random.uniform()),
    );
    const feed = () =>
      Object.fromEntries(values.map((data, i) => [`x${i}`, { type: "float32" as const, dims: shapes[i]!, data }]));
    const lossNow = async () => ((await program.run(feed(), { outputs: ["loss"] })).loss!.data as Float32Array)[0]!;
    const exact = await program.run(feed());
    for (const [i, data] of values.entries()) {
      const gradient = exact[`g${i}`]!.data as Float32Array;
      expect(exact[`g${i}`]!.dims).toEqual(shapes[i]);
      const scale = Math.max(1, ...gradient.map(Math.abs));
      for (let j = 0; j < data.length; j++) {
        const kept = data[j]!;
        data[j] = kept + STEP;
        const above = await lossNow();
        data[j] = kept - STEP;
        const below = await lossNow();
        data[j] = kept;
        expect(Math.abs(gradient[j]! - (above - below) / (2 * STEP)) / scale, `input ${i}, value ${j}`).toBeLessThan(
          TOLERANCE,
        );
      }
    }
    await program.release();
  });
});
