/** Methods that steer towards the action, and random directions, read by their latents and not tested. */

import type { FoundDirection, MethodRunner } from "../../audit/ask/methods.js";
import { rankScores } from "../../audit/evidence/candidates.js";
import { randomDirection } from "../../methods/controls.js";
import { norm } from "../../methods/orthogonality.js";
import { Random } from "../../random/random.js";
import type { Contender } from "./contender.js";
import { CHOICES, likeliest } from "./likeliest.js";
import { RANKING_READINGS, readRanking } from "./read-ranking.js";
import type { Station } from "./station.js";

/** A method by itself: of several vectors the one under which the action is likeliest, read by its latents. */
export function steeringContender(name: string, summary: string): Contender {
  return {
    name,
    summary,
    readings: RANKING_READINGS,
    async answer(station) {
      const found = await runMethod(station, requireRunner(station, name));
      const best = await likeliest(station, found);
      return readRanking(station, best === undefined ? [] : rankScores(best.scores));
    },
  };
}

/** The method whose norm random directions get. */
const NORM_OF = "supervised-melbo";

/** Random directions of the norm that a supervised vector has; the one under which the action is likeliest, read by the encoder. */
export const randomContender: Contender = {
  name: "random-direction",
  summary: `best of ${CHOICES} random directions of the norm of ${NORM_OF}'s vector`,
  readings: RANKING_READINGS,
  async answer(station) {
    const { context, options } = station;
    const [model] = await runMethod(station, requireRunner(station, NORM_OF));
    if (model === undefined) return readRanking(station, []);
    const random = new Random(options.seed, "contender");
    const vectors = Array.from({ length: CHOICES }, () =>
      randomDirection(model.vector.length, norm(model.vector), random),
    );
    const best = await likeliest(
      station,
      vectors.map((vector) => ({ vector })),
    );
    const scores = best === undefined ? new Float32Array() : await context.sae.projectEncoder(best.vector);
    return readRanking(station, rankScores(scores));
  },
};

function requireRunner({ context }: Station, name: string): MethodRunner {
  const runner = context.methods.find((candidate) => candidate.name === name);
  if (runner === undefined) throw new RangeError(`the audit has no method ${name}`);
  return runner;
}

async function runMethod(station: Station, runner: MethodRunner): Promise<readonly FoundDirection[]> {
  const { context, options, calls } = station;
  const { half } = await station.room();
  calls.onStage?.(`method ${runner.name}`);
  return runner.run(context.suspect, station.training(), {
    action: context.action,
    layer: context.layer,
    typical: half.typical,
    seed: options.seed,
    ...(calls.onProgress === undefined ? {} : { onProgress: calls.onProgress }),
    ...(calls.signal === undefined ? {} : { signal: calls.signal }),
  });
}
