/**
 * A graph as the bytes of an ONNX model. Only operations that an output needs are written. What is made of
 * weights alone (their casts, four-bit ones' values) comes first: ONNX Runtime picks its execution order depth-first from the end of
 * the node list, and only with this order does it make each just before its use instead of all at the start (measured; see docs/engine.md).
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
  for (const operation of operations) body.message(1, node(operation));
  for (const [name, tensor] of graph.outputs)
    body.message(1, new ProtobufMessage().string(1, tensor.name).string(2, name).string(4, "Identity"));
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
  const ordered = graph.operations.filter((operation) => wanted.has(operation));
  const constant = new Set<Operation>();
  for (const operation of ordered)
    if (operation.inputs.every((input) => input && isConstant(graph, input, constant))) constant.add(operation);
  return [...constant, ...ordered.filter((operation) => !constant.has(operation))];
}

/** Whether a tensor depends on initializers alone. */
function isConstant(graph: Graph, tensor: Tensor, constant: ReadonlySet<Operation>): boolean {
  return tensor.operation ? constant.has(tensor.operation) : graph.initializers.has(tensor);
}

function node(operation: Operation): ProtobufMessage {
  const message = new ProtobufMessage();
  for (const input of operation.inputs) message.string(1, input?.name ?? "");
  for (const output of operation.outputs) message.string(2, output.name);
  message.string(3, operation.outputs[0]!.name).string(4, operation.type);
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
