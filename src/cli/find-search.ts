/** A method's search: the objective that it asks for, prepared on an engine, and its run there. */
import type { Engine, LayerChangeObjective, SteeringObjective } from "../engine/engine.js";
import { InputError } from "../formats/input-error.js";
import { layerChangeOf } from "../methods/layer-change.js";
import type { Method, MethodOptions, MethodResult } from "../methods/method.js";
import type { Sequence } from "../model/sequence.js";
import type { Sae } from "../sae/sae.js";
import type { Io } from "./io.js";

export interface Search {
  readonly method: Method;
  readonly options: MethodOptions;
  readonly layer: number;
  readonly sae?: Sae | undefined;
  /** [m], for coordinates in typical units. */
  readonly typicalActivation?: Float32Array | undefined;
}

/** Whether the method takes one gradient instead of optimising: its vectors then point away from the action and have no size. */
export function takesOneGradient({ options }: Method): boolean {
  return !options.includes("steps");
}

/** The objective of the method's kind at the search's layer. */
export function prepareObjective(
  io: Io,
  engine: Engine,
  sequences: readonly Sequence[],
  { method, options, layer }: Search,
): Promise<SteeringObjective | LayerChangeObjective> {
  const call = { signal: io.signal, onProgress: io.progress("preparing") };
  return method.objective === "layer-change"
    ? engine.layerChangeObjective(sequences, layer, layerChangeOf(options, layer, engine.model.layers), call)
    : engine.steeringObjective(sequences, layer, call);
}

/**
 * Runs the method on an objective prepared from `sequences`, and frees the objective. `name` is said with the progress and in
 * errors. InputError where the search leaves the range of numbers.
 */
export async function runMethod(
  io: Io,
  engine: Engine,
  sequences: readonly Sequence[],
  objective: SteeringObjective | LayerChangeObjective,
  { method, options, layer, sae, typicalActivation }: Search,
  name: string = method.name,
): Promise<MethodResult> {
  const elicitation = async (vector: Float32Array) => {
    const scores = await engine.score(sequences, { steering: { layer, vector }, signal: io.signal });
    return scores.filter(({ greedyMatch }) => greedyMatch).length / scores.length;
  };
  const judged = method.objective === "cross-entropy" && !takesOneGradient(method);
  const result = await method.run({
    objective,
    dModel: engine.model.dModel,
    sae,
    typicalActivation,
    options,
    elicitation: judged ? elicitation : undefined,
    onProgress: io.progress(name),
    signal: io.signal,
  });
  await objective.dispose();
  const finite = (values: Float32Array | null) => values === null || values.every(Number.isFinite);
  if (!result.vectors.every(({ vector, scores }) => finite(vector) && finite(scores)))
    throw new InputError(
      `${name}: the search left the range of numbers; give a smaller --lr, --lambda, --radius or --p`,
    );
  return result;
}
