/** A method's search: the objective that it asks for, prepared on an engine, and its run there. */
import { type Action, towardsAction } from "../../audit/ask/action.js";
import type { Engine, LayerChangeObjective, SteeringObjective } from "../../engine/engine.js";
import { InputError } from "../../formats/input-error.js";
import { layerChangeOf } from "../../methods/layer-change.js";
import type { Method, MethodOptions, MethodResult } from "../../methods/method.js";
import type { Sequence } from "../../model/sequence.js";
import { readRows } from "../../sae/readings.js";
import type { Sae } from "../../sae/sae.js";
import type { Io } from "../terminal/io.js";

export interface Search {
  readonly method: Method;
  readonly options: MethodOptions;
  readonly layer: number;
  /** What methods work towards and are judged by; null where there is none, which a layer's change does not need. */
  readonly action: Action | null;
  readonly sae?: Sae | undefined;
  /** [m], for coordinates in typical units. */
  readonly typicalActivation?: Float32Array | undefined;
}

/** Whether the method takes one gradient instead of optimising: its vectors then point away from the action and have no size. */
export function takesOneGradient({ options }: Method): boolean {
  return !options.includes("steps");
}

/** The objective of the method's kind at the search's layer, over prompts without an action. */
export function prepareObjective(
  io: Io,
  engine: Engine,
  prompts: readonly Sequence[],
  { method, options, layer, action }: Search,
): Promise<SteeringObjective | LayerChangeObjective> {
  const call = { signal: io.signal, onProgress: io.progress("preparing") };
  return method.objective === "layer-change"
    ? engine.layerChangeObjective(prompts, layer, layerChangeOf(options, layer, engine.model.layers), call)
    : engine.steeringObjective(towardsAction(prompts, required(action)), layer, call);
}

/**
 * Runs the method on an objective prepared from `prompts`, and frees the objective. `name` is said with the progress and in
 * errors. InputError where the search leaves the range of numbers.
 */
export async function runMethod(
  io: Io,
  engine: Engine,
  prompts: readonly Sequence[],
  objective: SteeringObjective | LayerChangeObjective,
  { method, options, layer, action, sae, typicalActivation }: Search,
  name: string = method.name,
): Promise<MethodResult> {
  const elicitation = async (vector: Float32Array) => {
    const steering = { layer, vector };
    const outcomes = await required(action).outcomes(engine, prompts, { steering, signal: io.signal });
    return outcomes.filter(({ fired }) => fired).length / outcomes.length;
  };
  const unitLengths = await sae?.unitLengths(() => readRows(engine, prompts, layer, { signal: io.signal }));
  const judged = method.objective === "cross-entropy" && !takesOneGradient(method);
  const result = await method.run({
    objective,
    dModel: engine.model.dModel,
    sae,
    typicalActivation,
    unitLengths,
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

/** `find` opens no method that works towards an action without one. */
function required(action: Action | null): Action {
  if (action === null) throw new Error("a method that works towards an action needs one");
  return action;
}
