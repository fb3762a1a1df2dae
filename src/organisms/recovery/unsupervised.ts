/**
 * Methods that look for whatever changes a later layer. They see the model, the ordinary prompts and the SAE with its typical
 * activations; the texts of the action are not in what they are given. The action comes in afterwards, to choose which of their
 * vectors is read.
 */
import { rankScores } from "../../audit/evidence/candidates.js";
import { NoRadiusError } from "../../methods/calibrate-radius.js";
import { layerChangeOf } from "../../methods/layer-change.js";
import type { FoundVector, Method, MethodOptions } from "../../methods/method.js";
import { readRows } from "../../sae/readings.js";
import type { Contender } from "./contender.js";
import { CHOICES, likeliest } from "./likeliest.js";
import { RANKING_READINGS, readRanking } from "./read-ranking.js";
import type { Station } from "./station.js";

/**
 * A method by itself, with its defaults: of `CHOICES` orthogonal vectors the one under which the action is likeliest. Where no
 * radius can be calibrated it has no answer.
 */
export function unsupervisedContender(method: Method): Contender {
  return {
    name: method.name,
    summary: method.summary,
    readings: RANKING_READINGS,
    async answer(station) {
      const best = await likeliest(station, await search(method, station));
      return readRanking(station, best?.scores ? rankScores(best.scores) : []);
    },
  };
}

async function search(method: Method, station: Station): Promise<readonly FoundVector[]> {
  const { suspect, sae, layer } = station.context;
  const { onStage, onProgress, signal } = station.calls;
  const { half } = await station.room();
  onStage?.(`method ${method.name}`);
  const options: MethodOptions = { vectors: CHOICES, seed: station.options.seed };
  const objective = await suspect.layerChangeObjective(
    station.ordinary(),
    layer,
    layerChangeOf(options, layer, suspect.model.layers),
    signal === undefined ? {} : { signal },
  );
  try {
    const { vectors } = await method.run({
      objective,
      dModel: suspect.model.dModel,
      sae,
      typicalActivation: half.typical,
      unitLengths: await sae.unitLengths(() => readRows(suspect, station.ordinary(), layer, signal ? { signal } : {})),
      options,
      onProgress,
      signal,
    });
    return vectors;
  } catch (error) {
    if (error instanceof NoRadiusError) return [];
    throw error;
  } finally {
    await objective.dispose();
  }
}
