/**
 * The graphs of a later layer's change. All start from the cached residual stream ("residual" [N, D]) + steerMatrix ·
 * vectors and read block `target` at the readout rows: A masked tokens of B sequences, T the most that one sequence has.
 */
import { Graph, gradients, moveRows, mul, power, reshape, sub, sum, type Tensor } from "../../graph/index.js";
import type { Layout } from "../../model/decoder.js";
import { GraphParameters } from "../../model/graph-parameters.js";
import type { LayerChange } from "../engine.js";
import { layoutInputs } from "./layout.js";
import { blocks, type OpenModel, steered } from "./programs.js";

/** Z(θ): "stream" [A, D]. */
export function streamProgram(model: OpenModel, layer: number, target: number, past: boolean): Graph {
  const { graph, stream } = start(model, layer, target, past);
  graph.output("stream", stream);
  return graph;
}

/**
 * "losses" [B], the measure of Δ = Z(θ) − "unsteered" [A, D] for each sequence (see engine.ts), and "gradient" [1, D] of
 * their sum.
 */
export function layerChangeProgram(model: OpenModel, layer: number, measure: LayerChange, past: boolean): Graph {
  const { graph, theta, layout, stream } = start(model, layer, measure.targetLayer, past);
  const change = sub(stream, graph.input("unsteered", "float32", stream.shape)); // [A, D]
  const losses = mul(power(sumOfNorms(change, layout, measure), 1 / measure.q), -1); // [B, 1]
  graph.output("losses", reshape(losses, ["B"]));
  graph.output("gradient", gradients(sum(losses, 0), [theta])[0]!);
  return graph;
}

/**
 * J v for J = ∂Z/∂θ and "direction" v [1, D]: "product" [A, D].
 *
 * Reverse mode gives g(u) = Jᵀ u, which is linear in u; reverse mode on ⟨g(u), v⟩ gives its gradient with respect to u,
 * which is J v: exact, at the cost of about three forward passes, and no op needs a forward-mode rule. u itself drops out.
 */
export function jacobianProgram(model: OpenModel, layer: number, target: number, past: boolean): Graph {
  const { graph, theta, stream } = start(model, layer, target, past);
  const u = graph.input("u", "float32", stream.shape);
  const [transposed] = gradients(stream, [theta], u); // Jᵀ u [1, D]
  const along = sum(mul(transposed!, graph.input("direction", "float32", theta.shape)));
  graph.output("product", gradients(along, [u])[0]!);
  return graph;
}

function start(model: OpenModel, layer: number, target: number, past: boolean) {
  const graph = new Graph();
  const weights = new GraphParameters(graph, model.weights, model.adapter);
  const layout = layoutInputs(graph, model.config, { past, readout: true });
  const x = graph.input("residual", "float32", ["N", model.config.dModel]);
  const theta = graph.input("vectors", "float32", [1, model.config.dModel]);
  const stream = blocks(model, weights, steered(x, theta), layout, layer + 1, target + 1);
  return { graph, theta, layout, stream };
}

/** Σ ‖·‖ᵖ of each sequence, [B, 1]: over its tokens, or over hidden units. */
function sumOfNorms(change: Tensor, { readout }: Layout, { p, norm }: LayerChange): Tensor {
  // [A, ·] → [B, 1, ·]: the sum over each sequence's rows; places without a row hold zeros.
  const overTokens = (rows: Tensor) => sum(moveRows(rows, readout!.slots, readout!.places), 1);
  const squares = mul(change, change);
  return norm === "token"
    ? reshape(overTokens(power(sum(squares), p / 2)), ["B", 1])
    : reshape(sum(power(overTokens(squares), p / 2)), ["B", 1]);
}
