/**
 * The graphs that the engine runs, each a few lines over the decoder. Names of inputs and outputs are the contract with
 * `onnx-engine.ts`; shapes as in model/decoder.ts, V steering vectors, A readout rows.
 */
import {
  add,
  argmax,
  concat,
  Graph,
  gatherRows,
  gradients,
  moveRows,
  mul,
  pickLogProbability,
  product,
  reshape,
  sum,
  type Tensor,
} from "../../graph/index.js";
import { block, embed, head, type Layout, logitLens } from "../../model/decoder.js";
import type { DecoderConfig } from "../../model/decoder-config.js";
import { GraphParameters } from "../../model/graph-parameters.js";
import type { AdapterStore, WeightStore } from "../../model/weights.js";
import { layoutInputs } from "./layout.js";

/** What is opened: geometry, weights and adapter. */
export interface OpenModel {
  readonly config: DecoderConfig;
  readonly weights: WeightStore;
  readonly adapter: AdapterStore;
}

/** Runs blocks [from, to) and says what each left as keys and values. With `readout`, the last of them makes A rows only. */
export function blocks(
  model: OpenModel,
  weights: GraphParameters,
  x: Tensor,
  layout: Layout,
  from: number,
  to: number,
  after?: (layer: number, x: Tensor, kv: { key: Tensor; value: Tensor }) => Tensor,
): Tensor {
  let h = x;
  for (let layer = from; layer < to; layer++) {
    const { x: next, key, value } = block(model.config, weights, layer, h, layout, layer === to - 1);
    h = after ? after(layer, next, { key, value }) : next;
  }
  return h;
}

/** x + steerMatrix · vectors: each row gets the vectors [V, D] that its entries of the matrix [N, V] say. */
export function steered(x: Tensor, vectors: Tensor): Tensor {
  const matrix = x.graph.input("steerMatrix", "float32", [x.shape[0]!, vectors.shape[0]!]);
  return add(x, product(matrix, vectors));
}

/** ids → residual after block `layer` at the rows `select` [R], output "residual"; optionally keys and values too. */
export function residualProgram(model: OpenModel, layer: number): Graph {
  const { graph, weights, layout, x } = start(model, {});
  const h = blocks(model, weights, x, layout, 0, Math.min(layer + 1, model.config.layers - 1));
  // The last block has no readout here: every row is computed.
  const whole = layer === model.config.layers - 1 ? block(model.config, weights, layer, h, layout).x : h;
  graph.output("residual", gatherRows(whole, graph.input("select", "int32", ["R"])));
  return graph;
}

/** ids → keys and values of blocks [from, to), outputs "key<l>", "value<l>". */
export function prefixProgram(model: OpenModel, from: number, to: number): Graph {
  const { graph, weights, layout, x } = start(model, {});
  blocks(model, weights, x, layout, 0, to, (layer, h, kv) => {
    if (layer >= from) {
      graph.output(`key${layer}`, kv.key);
      graph.output(`value${layer}`, kv.value);
    }
    return h;
  });
  return graph;
}

/**
 * ids → log p of `targets` at the readout rows ("logprobs" [A]) and the likeliest tokens ("greedy" [A]). `steerLayer`: adds
 * steerMatrix · vectors after that block.
 */
export function scoreProgram(model: OpenModel, options: { steerLayer: number | null; past: boolean }): Graph {
  const { graph, weights, layout, x } = start(model, { past: options.past, readout: true });
  const logits = logitsFrom(model, graph, weights, layout, x, 0, options.steerLayer);
  const targets = graph.input("targets", "int32", ["A"]);
  graph.output("logprobs", reshape(pickLogProbability(logits, targets), ["A"]));
  graph.output("greedy", argmax(logits));
  return graph;
}

/**
 * ids → log p of `targets` at every row ("logprobs" [N]). `spliceLayer`: after that block row i of the residual stream becomes
 * row "source"[i] of the stream [N, D] and "replacements" [R, D] one after the other.
 */
export function textProgram(model: OpenModel, spliceLayer: number | null): Graph {
  const { graph, weights, layout, x } = start(model, {});
  const h = blocks(model, weights, x, layout, 0, model.config.layers, (layer, next) => {
    if (layer !== spliceLayer) return next;
    const replacements = graph.input("replacements", "float32", ["R", model.config.dModel]);
    return gatherRows(concat([next, replacements], 0), graph.input("source", "int32", ["N"]));
  });
  const logits = head(model.config, weights, h);
  graph.output("logprobs", reshape(pickLogProbability(logits, graph.input("targets", "int32", ["N"])), ["N"]));
  return graph;
}

/** ids → logits [A, V] of the readout rows and all keys and values; the step and the start of generation. */
export function generateProgram(model: OpenModel, options: { steerLayer: number | null; past: boolean }): Graph {
  const { graph, weights, layout, x } = start(model, { past: options.past, readout: true });
  const logits = logitsFrom(model, graph, weights, layout, x, 0, options.steerLayer, (layer, kv) => {
    graph.output(`key${layer}`, kv.key);
    graph.output(`value${layer}`, kv.value);
  });
  graph.output("logits", logits);
  graph.output("greedy", argmax(logits));
  return graph;
}

/**
 * The steering objective: residual after block `layer` of the live tokens ("residual" [N, D]) + steerMatrix · theta → "logprobs"
 * [A] and "gradient" [V, D] = ∂(Σ weightsₐ · −log pₐ)/∂theta.
 */
export function objectiveProgram(model: OpenModel, layer: number, past: boolean): Graph {
  const graph = new Graph();
  const weights = new GraphParameters(graph, model.weights, model.adapter);
  const layout = layoutInputs(graph, model.config, { past, readout: true });
  const x = graph.input("residual", "float32", ["N", model.config.dModel]);
  const theta = graph.input("vectors", "float32", ["V", model.config.dModel]);
  const logits = logitsFrom(model, graph, weights, layout, steered(x, theta), layer + 1, null);
  const logprobs = pickLogProbability(logits, graph.input("targets", "int32", ["A"])); // [A, 1]
  const loss = sum(mul(logprobs, mul(graph.input("weights", "float32", ["A", 1]), -1)), 0);
  graph.output("logprobs", reshape(logprobs, ["A"]));
  graph.output("gradient", gradients(loss, [theta])[0]!);
  return graph;
}

/** Directions "directions" [N, D] of the last residual stream → what they add to the logits, "logits" [N, V] (model/decoder.ts). */
export function logitLensProgram(model: OpenModel): Graph {
  const graph = new Graph();
  const weights = new GraphParameters(graph, model.weights, model.adapter);
  graph.output(
    "logits",
    logitLens(model.config, weights, graph.input("directions", "float32", ["N", model.config.dModel])),
  );
  return graph;
}

/** Loss Σ weightsₐ · −log pₐ and its gradient for each trained weight, outputs "loss" and "gradient.<name>". */
export function trainProgram(
  model: OpenModel,
  isTrained: (name: string) => boolean,
): { graph: Graph; parameters: string[] } {
  const graph = new Graph();
  const weights = new GraphParameters(graph, model.weights, model.adapter, isTrained);
  const layout = layoutInputs(graph, model.config, { readout: true });
  const x = embed(model.config, weights, graph.input("ids", "int32", ["N"]));
  const logits = logitsFrom(model, graph, weights, layout, x, 0, null);
  const logprobs = pickLogProbability(logits, graph.input("targets", "int32", ["A"]));
  const loss = sum(mul(logprobs, mul(graph.input("weights", "float32", ["A", 1]), -1)), 0);
  const parameters = [...weights.trained.keys()].sort();
  const parts = gradients(
    loss,
    parameters.map((name) => weights.trained.get(name)!),
  );
  graph.output("loss", reshape(loss, [1]));
  parameters.forEach((name, i) => {
    graph.output(`gradient.${name}`, parts[i]!);
  });
  return { graph, parameters };
}

function start(model: OpenModel, options: { past?: boolean; readout?: boolean }) {
  const graph = new Graph();
  const weights = new GraphParameters(graph, model.weights, model.adapter);
  const ids = graph.input("ids", "int32", ["N"]);
  const layout = layoutInputs(graph, model.config, options);
  return { graph, weights, layout, x: embed(model.config, weights, ids) };
}

function logitsFrom(
  model: OpenModel,
  graph: Graph,
  weights: GraphParameters,
  layout: Layout,
  x: Tensor,
  from: number,
  steerLayer: number | null,
  onKeys?: (layer: number, kv: { key: Tensor; value: Tensor }) => void,
): Tensor {
  const last = model.config.layers - 1;
  const vectors = steerLayer === null ? null : graph.input("vectors", "float32", ["V", model.config.dModel]);
  // Steering after the last block touches no readout row that user content does not hold; it is applied before the selection.
  const late = steerLayer === last || from > last;
  const narrow = late ? withoutReadout(layout) : layout;
  const h = blocks(model, weights, x, narrow, from, last + 1, (layer, next, kv) => {
    onKeys?.(layer, kv);
    return layer === steerLayer ? steered(next, vectors!) : next;
  });
  return head(model.config, weights, late ? moveRows(h, layout.readout!.index, layout.readout!.back) : h);
}

function withoutReadout(layout: Layout): Layout {
  const { readout: _, ...rest } = layout;
  return rest;
}
