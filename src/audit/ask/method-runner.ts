/**
 * Binds a method of `methods/` to the audit: prepares its objective on an engine, runs it, and frees the objective.
 */
import type { SteeringObjective } from "../../engine/engine.js";
import { InputError } from "../../formats/input-error.js";
import type { Method, MethodOptions } from "../../methods/method.js";
import { typicalOfScores } from "../../methods/vector-reading.js";
import { readRows } from "../../sae/readings.js";
import type { Sae } from "../../sae/sae.js";
import type { FoundDirection, MethodRunner } from "./methods.js";

/**
 * The runner of a method with the given options; the method's own defaults hold for the rest. Only methods that work
 * towards an action can rank candidates: InputError for one whose objective is a layer's change. `watch` may stand between the
 * method and its objective, to time it.
 */
export function methodRunner(
  method: Method,
  sae: Sae,
  options: MethodOptions = {},
  watch: (objective: SteeringObjective) => SteeringObjective = (objective) => objective,
): MethodRunner {
  if (method.objective !== "cross-entropy") {
    throw new InputError(`${method.name} does not look for an action, so an audit cannot use it`);
  }
  return {
    name: method.name,
    oneGradient: !method.options.includes("steps"),
    ...(method.scoreDirections === undefined
      ? {}
      : { scoreDirections: (sae, directions) => method.scoreDirections!(sae, directions, options) }),
    async run(engine, sequences, call) {
      const calls = call.signal === undefined ? {} : { signal: call.signal };
      const objective = await engine.steeringObjective(sequences, call.layer, calls);
      try {
        const unitLengths = await sae.unitLengths(() => readRows(engine, sequences, call.layer, calls));
        const result = await method.run({
          objective: watch(objective),
          dModel: engine.model.dModel,
          sae,
          typicalActivation: call.typical,
          unitLengths,
          options: method.options.includes("seed") ? { seed: call.seed, ...options } : options,
          elicitation: async (theta) => {
            const steering = { layer: call.layer, vector: theta };
            const outcomes = await call.action.outcomes(engine, sequences, { steering, ...calls });
            return outcomes.filter(({ fired }) => fired).length / outcomes.length;
          },
          onProgress: call.onProgress,
          signal: call.signal,
        });
        const typical = await typicalOfScores(sae, call.typical, options.unitNorm ?? false, unitLengths);
        return result.vectors.map(
          (found): FoundDirection => ({
            vector: found.vector,
            scores: found.scores ?? new Float32Array(sae.info.latents),
            // Coordinates in SAE space are in units of typical activation already.
            typical: found.z !== null && options.units !== "raw" ? null : typical,
            loss: found.loss,
            steps: found.steps,
          }),
        );
      } finally {
        await objective.dispose();
      }
    },
  };
}
