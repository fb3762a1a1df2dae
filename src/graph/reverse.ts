/**
 * Reverse mode: walks the operations backwards from the loss and asks each for the gradients of those inputs that lead
 * to a wanted tensor. Nothing else is built: frozen weights cost no gradient.
 */
import { type Operation, ShapeError, type Tensor } from "./graph.js";
import { add } from "./ops/elementwise.js";

/**
 * ∂(Σ loss)/∂t for each t of `wanted`. `seed` is the gradient of the loss itself (default ones, for a loss of one value).
 * @throws ShapeError when the loss does not depend on a wanted tensor.
 */
export function gradients(loss: Tensor, wanted: readonly Tensor[], seed?: Tensor): Tensor[] {
  const { graph } = loss;
  const leads = new Set<Tensor>(wanted); // tensors that depend on a wanted one
  const path: Operation[] = [];
  const last = loss.operation?.order ?? -1;
  for (const operation of graph.operations.slice(0, last + 1)) {
    if (!operation.sources.some((source) => source && leads.has(source))) continue;
    for (const output of operation.outputs) leads.add(output);
    path.push(operation);
  }
  const flowing = new Map<Tensor, Tensor>([[loss, seed ?? graph.scalar(1)]]);
  for (const operation of path.reverse()) {
    const dy = flowing.get(operation.outputs[0]!);
    if (!dy) continue;
    operation.sources.forEach((input, i) => {
      const rule = operation.gradients[i];
      if (!input || !rule || !leads.has(input)) return;
      const part = rule(dy);
      const soFar = flowing.get(input);
      flowing.set(input, soFar ? add(soFar, part) : part);
    });
  }
  return wanted.map((tensor) => {
    const gradient = flowing.get(tensor);
    if (!gradient) throw new ShapeError(`the loss does not depend on ${tensor.name}`);
    return gradient;
  });
}
