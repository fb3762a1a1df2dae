/**
 * A graph as the bytes of an ONNX model. Only operations that an output needs are written. What is made of weights alone (their
 * casts, four-bit ones' values) is made again for each use, so that it need not be kept from a block's forward pass to its backward
 * pass, and comes first: ONNX Runtime picks its execution order depth-first from the end of the node list, and only with this
 * order does it make each just before its use instead of all at the start (measured: `node bench/memory.mjs`).
 * Field numbers: onnx.proto of ONNX 1.19 (IR version 10, opset 23).
 */
import type { Attribute, DType, Graph, Operation, Shape, Tensor } from "./graph.js";
import { ProtobufMessage } from "./protobuf.js";

const DATA_TYPE: Record<DType, number> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};
const IR_VERSION = 10;
const OPSET = 23;
const MICROSOFT_OPSET = 1;
const EXTERNAL = 1;
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** Serialises the graph with the given outputs, all by default. */
export function writeOnnx(graph: Graph): Uint8Array {
  const operations = needed(graph);
  const used = new Set<Tensor>(operations.flatMap((op) => op.inputs.filter((t) => t !== null)));
  for (const tensor of graph.outputs.values()) used.add(tensor);

  const body = new ProtobufMessage();
  for (const message of nodes(graph, operations)) body.message(1, message);
  body.string(2, "antecedent");
  for (const [tensor, values] of graph.initializers) if (used.has(tensor)) body.message(5, initializer(tensor, values));
  for (const tensor of graph.inputs)
    if (used.has(tensor)) body.message(11, valueInfo(tensor.name, tensor.dtype, tensor.shape));
  for (const [name, tensor] of graph.outputs) body.message(12, valueInfo(name, tensor.dtype, tensor.shape));

  return new ProtobufMessage()
    .integer(1, IR_VERSION)
    .message(7, body)
    .message(8, new ProtobufMessage().string(1, "").integer(2, OPSET))
    .message(8, new ProtobufMessage().string(1, "com.microsoft").integer(2, MICROSOFT_OPSET))
    .finish();
}

/** Names of the inputs that some output needs, in order. */
export function neededInputs(graph: Graph): string[] {
  const used = new Set(needed(graph).flatMap((op) => op.inputs));
  for (const tensor of graph.outputs.values()) used.add(tensor);
  return graph.inputs.filter((tensor) => used.has(tensor)).map((tensor) => tensor.name);
}

function needed(graph: Graph): Operation[] {
  const wanted = new Set<Operation>();
  const pending = [...graph.outputs.values()];
  for (let tensor = pending.pop(); tensor; tensor = pending.pop()) {
    const { operation } = tensor;
    if (!operation || wanted.has(operation)) continue;
    wanted.add(operation);
    for (const input of operation.inputs) if (input) pending.push(input);
  }
  return graph.operations.filter((operation) => wanted.has(operation));
}

/** The nodes of operations and outputs; those that depend on initializers alone first, once for each use. */
function nodes(graph: Graph, operations: readonly Operation[]): ProtobufMessage[] {
  const constant = new Set<Operation>();
  for (const operation of operations)
    if (operation.inputs.every((t) => t && (t.operation ? constant.has(t.operation) : graph.initializers.has(t))))
      constant.add(operation);
  const first: ProtobufMessage[] = [];
  const uses = new Map<Operation, number>();
  /** Name under which one use reads a tensor: for a constant operation's, of a copy of its own. */
  const nameFor = (tensor: Tensor | null): string => {
    const operation = tensor?.operation;
    if (!operation || !constant.has(operation)) return tensor?.name ?? "";
    const use = uses.get(operation) ?? 0;
    uses.set(operation, use + 1);
    const name = (output: Tensor) => (use === 0 ? output.name : `${output.name}.${use}`);
    first.push(node(operation, operation.inputs.map(nameFor), operation.outputs.map(name)));
    return name(tensor!);
  };
  const rest: ProtobufMessage[] = [];
  for (const operation of operations)
    if (!constant.has(operation))
      rest.push(
        node(
          operation,
          operation.inputs.map(nameFor),
          operation.outputs.map(({ name }) => name),
        ),
      );
  for (const [name, tensor] of graph.outputs)
    rest.push(new ProtobufMessage().string(1, nameFor(tensor)).string(2, name).string(4, "Identity"));
  return [...first, ...rest];
}

function node(operation: Operation, inputs: readonly string[], outputs: readonly string[]): ProtobufMessage {
  const message = new ProtobufMessage();
  for (const input of inputs) message.string(1, input);
  for (const output of outputs) message.string(2, output);
  message.string(3, outputs[0]!).string(4, operation.type);
  for (const [name, value] of Object.entries(operation.attributes)) message.message(5, attribute(name, value));
  if (operation.domain) message.string(7, operation.domain);
  return message;
}

function attribute(name: string, value: Attribute): ProtobufMessage {
  const message = new ProtobufMessage().string(1, name);
  if ("float" in value) return message.float(2, value.float).integer(20, ATTRIBUTE_TYPE.float);
  if ("int" in value) return message.integer(3, value.int).integer(20, ATTRIBUTE_TYPE.int);
  if ("string" in value) return message.string(4, value.string).integer(20, ATTRIBUTE_TYPE.string);
  for (const item of value.ints) message.integer(8, item);
  return message.integer(20, ATTRIBUTE_TYPE.ints);
}

function initializer(
  tensor: Tensor,
  values: { bytes: Uint8Array } | { file: string; offset: number; length: number },
): ProtobufMessage {
  const message = new ProtobufMessage();
  for (const dim of tensor.shape) message.integer(1, dim as number);
  message.integer(2, DATA_TYPE[tensor.dtype]).string(8, tensor.name);
  if ("bytes" in values) return message.bytes(9, values.bytes);
  const entries = {
    location: values.file.replace(/^\//, ""),
    offset: String(values.offset),
    length: String(values.length),
  };
  for (const [key, value] of Object.entries(entries))
    message.message(13, new ProtobufMessage().string(1, key).string(2, value));
  return message.integer(14, EXTERNAL);
}

function valueInfo(name: string, dtype: DType, shape: Shape): ProtobufMessage {
  const dims = new ProtobufMessage();
  for (const dim of shape)
    dims.message(
      1,
      typeof dim === "number" ? new ProtobufMessage().integer(1, dim) : new ProtobufMessage().string(2, dim),
    );
  const tensorType = new ProtobufMessage().integer(1, DATA_TYPE[dtype]).message(2, dims);
  return new ProtobufMessage().string(1, name).message(2, new ProtobufMessage().message(1, tensorType));
}
