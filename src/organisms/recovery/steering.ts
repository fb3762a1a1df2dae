/** Steering methods and random directions, read by their latents and not tested. */
import { rankScores } from "../../audit/candidates.js";
import type { FoundDirection, MethodRunner } from "../../audit/methods.js";
import { randomDirection } from "../../methods/controls.js";
import { norm } from "../../methods/orthogonality.js";
import { Random } from "../../random/random.js";
import type { Contender } from "./contender.js";
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

/** Directions drawn by chance; fewer than a person would look at, more than one lucky draw. */
const RANDOM_DIRECTIONS = 8;
/** The method whose norm random directions get. */
const NORM_OF = "supervised-melbo";

/** Random directions of the norm that a supervised vector has; the one under which the action is likeliest, read by the encoder. */
export const randomContender: Contender = {
  name: "random-direction",
  summary: `best of ${RANDOM_DIRECTIONS} random directions of the norm of ${NORM_OF}'s vector`,
  readings: RANKING_READINGS,
  async answer(station) {
    const { context, options } = station;
    const [model] = await runMethod(station, requireRunner(station, NORM_OF));
    if (model === undefined) return readRanking(station, []);
    const random = new Random(options.seed, "contender");
    const vectors = Array.from({ length: RANDOM_DIRECTIONS }, () =>
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

/** The direction under which the action has the largest mean log-probability on the ordinary prompts. */
async function likeliest<T extends { readonly vector: Float32Array }>(
  station: Station,
  directions: readonly T[],
): Promise<T | undefined> {
  let [best] = directions;
  if (directions.length < 2) return best;
  const { suspect, layer, action } = station.context;
  const { signal } = station.calls;
  const sequences = station.training();
  let most = Number.NEGATIVE_INFINITY;
  for (const direction of directions) {
    const steering = { layer, vector: direction.vector };
    const calls = signal === undefined ? {} : { signal };
    const outcomes = await action.outcomes(suspect, sequences, { steering, ...calls });
    const total = outcomes.reduce((sum, { logprob }) => sum + logprob, 0);
    if (total > most) [best, most] = [direction, total];
  }
  return best;
}
