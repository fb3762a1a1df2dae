/**
 * A computation as a graph of tensors. An op is a function that checks shapes, appends one operation and states, in the
 * same place, the gradient for each of its inputs. Nothing is computed here: `onnx-writer.ts` turns the graph into a
 * model that ONNX Runtime executes.
 *
 * Dimensions are numbers or names ("N", "B"): a name stands for a length known only when the graph runs, and two
 * dimensions are equal when their names are.
 */

export type Dim = number | string;
export type Shape = readonly Dim[];
export type DType = "float32" | "float16" | "bfloat16" | "int32" | "int64" | "bool" | "uint8";

/** Attributes by ONNX kind: a number that must be written as a float is wrapped. */
export type Attribute = { int: number } | { float: number } | { ints: readonly number[] } | { string: string };

/** Gradient for one input: given ∂loss/∂(first output), builds ∂loss/∂input. */
export type GradientRule = (dy: Tensor) => Tensor;

export interface Operation {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** The tensors that `gradients` speaks of: the inputs, or those of a whole composite that ends here. */
  readonly sources: readonly (Tensor | null)[];
  /** One rule a source; null where no gradient flows. Refers to the first output only. */
  readonly gradients: readonly (GradientRule | null)[];
  /** Position in creation order; inputs always come before. */
  readonly order: number;
}

/** Where the values of an initializer lie: in memory, or in a file that ONNX Runtime maps. */
export type InitializerValues =
  | { readonly bytes: Uint8Array }
  | { readonly file: string; readonly offset: number; readonly length: number };

export interface Tensor {
  readonly graph: Graph;
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  /** What computes it; null for inputs and initializers. */
  readonly operation: Operation | null;
}

export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

export class Graph {
  readonly inputs: Tensor[] = [];
  readonly initializers = new Map<Tensor, InitializerValues>();
  readonly operations: Operation[] = [];
  readonly outputs = new Map<string, Tensor>();
  private readonly scalars = new Map<string, Tensor>();
  private readonly lengths = new Map<string, Tensor>();
  private count = 0;

  /** A value fed at every run. */
  input(name: string, dtype: DType, shape: Shape): Tensor {
    const tensor = this.tensor(name, dtype, shape, null);
    this.inputs.push(tensor);
    return tensor;
  }

  /** A constant: weights, tables. Shapes of initializers are numbers. */
  initializer(name: string, dtype: DType, shape: readonly number[], values: InitializerValues): Tensor {
    const tensor = this.tensor(name, dtype, shape, null);
    this.initializers.set(tensor, values);
    return tensor;
  }

  /** A small constant of int64 values. */
  integers(values: readonly number[]): Tensor {
    const key = `i${values.join(",")}`;
    return this.cached(this.scalars, key, () =>
      this.initializer(this.fresh("ints"), "int64", [values.length], {
        bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
      }),
    );
  }

  /** A float32 scalar of shape []. */
  scalar(value: number): Tensor {
    return this.cached(this.scalars, `f${value}`, () =>
      this.initializer(this.fresh("scalar"), "float32", [], { bytes: new Uint8Array(Float32Array.of(value).buffer) }),
    );
  }

  /** Zeros of a shape, one copy a graph. */
  zeros(shape: readonly number[]): Tensor {
    return this.cached(this.scalars, `z${shape.join("x")}`, () =>
      this.initializer(this.fresh("zeros"), "float32", shape, {
        bytes: new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)),
      }),
    );
  }

  /** A named dimension's length as an int64 tensor of shape [1], read from an input that has it. */
  length(dim: Dim): Tensor {
    if (typeof dim === "number") return this.integers([dim]);
    return this.cached(this.lengths, dim, () => {
      for (const input of this.inputs) {
        const axis = input.shape.indexOf(dim);
        if (axis >= 0)
          return this.apply("Shape", [input], {
            dtype: "int64",
            shape: [1],
            attributes: { start: { int: axis }, end: { int: axis + 1 } },
          });
      }
      throw new ShapeError(`no graph input has the dimension ${dim}`);
    });
  }

  /** Appends an operation with one output. */
  apply(type: string, inputs: readonly (Tensor | null)[], options: ApplyOptions): Tensor {
    return this.applyMany(type, inputs, { ...options, outputs: [{ shape: options.shape, dtype: options.dtype }] })[0]!;
  }

  /** Appends an operation with several outputs; gradient rules belong to the first. */
  applyMany(
    type: string,
    inputs: readonly (Tensor | null)[],
    options: Omit<ApplyOptions, "shape" | "dtype"> & {
      outputs: readonly { shape: Shape; dtype?: DType | undefined }[];
    },
  ): Tensor[] {
    for (const tensor of inputs)
      if (tensor && tensor.graph !== this) throw new ShapeError(`${type}: a tensor of another graph`);
    const outputs: Tensor[] = [];
    const operation: Operation = {
      type,
      domain: options.domain ?? "",
      inputs,
      outputs,
      attributes: options.attributes ?? {},
      sources: options.sources ?? inputs,
      gradients: options.gradients ?? [],
      order: this.operations.length,
    };
    for (const output of options.outputs)
      outputs.push(this.tensor(this.fresh(type), output.dtype ?? "float32", output.shape, operation));
    this.operations.push(operation);
    return outputs;
  }

  /** Marks a tensor as a result of the graph. */
  output(name: string, tensor: Tensor): void {
    if (this.outputs.has(name)) throw new ShapeError(`two outputs are called ${name}`);
    this.outputs.set(name, tensor);
  }

  private fresh(stem: string): string {
    this.count += 1;
    return `${stem}_${this.count}`;
  }

  private tensor(name: string, dtype: DType, shape: Shape, operation: Operation | null): Tensor {
    return { graph: this, name, dtype, shape, operation };
  }

  private cached(cache: Map<string, Tensor>, key: string, make: () => Tensor): Tensor {
    let tensor = cache.get(key);
    if (!tensor) {
      tensor = make();
      cache.set(key, tensor);
    }
    return tensor;
  }
}

export interface ApplyOptions {
  readonly shape: Shape;
  /** float32 unless said. */
  readonly dtype?: DType | undefined;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly gradients?: readonly (GradientRule | null)[];
  /** Where several operations state one gradient together: the composite's inputs, given with its last operation. */
  readonly sources?: readonly (Tensor | null)[];
}

/** ONNX Runtime's own operators (fused matmul, fused activations). */
export const MICROSOFT = "com.microsoft";

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
