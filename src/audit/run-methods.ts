/**
 * Runs the steering methods on the suspect and, as a control, on the clean model, and asks what each direction does to
 * ordinary prompts beside a random direction of the same norm.
 */
import type { Engine } from "../engine/engine.js";
import type { Sequence } from "../model/sequence.js";
import { type RankByGradient, type Ranking, rankScores } from "./candidates.js";
import type { AuditCalls, AuditContext, AuditOptions } from "./context.js";
import type { FoundDirection, MethodRunner } from "./methods.js";
import type { ResultMethod } from "./result.js";
import type { ScoredLatent } from "./scan.js";
import { hashUnit } from "./seeded.js";
import { normalQuantile, type Rate, rateOfFlags } from "./statistics.js";

/** Latents listed for each direction. */
const LISTED_LATENTS = 20;

export interface MethodsOutcome {
  readonly rankings: readonly Ranking[];
  readonly results: readonly ResultMethod[];
}

/**
 * @param training ordinary prompts with texts of the action, which the methods optimise over
 * @param heldOut other ordinary prompts, on which steering is tried
 * @param typical [latents] typical activation on the search half
 */
export async function runMethods(
  context: AuditContext,
  options: AuditOptions,
  calls: AuditCalls,
  training: readonly Sequence[],
  heldOut: readonly Sequence[],
  typical: Float32Array,
): Promise<MethodsOutcome> {
  const rankings: Ranking[] = [];
  const results: ResultMethod[] = [];
  for (const method of context.methods) {
    calls.onStage?.(`method ${method.name}`);
    const started = performance.now();
    const run = (engine: Engine) => runOne(method, engine, context, options, calls, training, typical);
    const found = await run(context.suspect);
    const clean = context.clean === null ? [] : await run(context.clean);
    const ranked = found.map((direction) => rankingsOf(method.name, direction, typical));
    const cleanRanks = merge(clean.map((direction) => rankScores(direction.scores)));
    const vectors = [];
    for (const [index, direction] of found.entries()) {
      const steered = direction.steps > 0 ? await steeredRate(context, calls, heldOut, direction.vector) : null;
      const random =
        direction.steps > 0
          ? await steeredRate(
              context,
              calls,
              heldOut,
              randomLike(direction.vector, options.seed, `${method.name} ${index}`),
            )
          : null;
      vectors.push({
        index,
        norm: normOf(direction.vector),
        loss: direction.loss,
        steps: direction.steps,
        latents: (ranked[index]?.[0]?.latents ?? []).slice(0, LISTED_LATENTS).map(({ id, score }) => ({
          id,
          score,
          cleanRank: cleanRanks.get(id) ?? null,
          label: context.label?.(id) ?? null,
        })),
        steered,
        random,
      });
    }
    rankings.push(...ranked.flat());
    results.push({ name: method.name, seconds: (performance.now() - started) / 1000, vectors });
  }
  return { rankings, results };
}

/**
 * A direction's latents by score, first as it is; loud latents have small scores, so one that is not scaled yet is read
 * times typical activation too.
 */
function rankingsOf(source: string, { scores, scaled }: FoundDirection, typical: Float32Array): Ranking[] {
  const plain = { source, latents: rankScores(scores) };
  return scaled ? [plain] : [plain, { source, latents: rankScores(scores, typical) }];
}

/**
 * The post's iterated method: the gradient methods once more, on prompts that hold half a trigger. Null where no method of
 * the audit is one.
 */
export function iteratedMethods(
  context: AuditContext,
  options: AuditOptions,
  calls: AuditCalls,
  typical: Float32Array,
): RankByGradient | null {
  const gradients = context.methods.filter((method) => method.oneGradient);
  if (gradients.length === 0) return null;
  return async (sequences) => {
    const rankings: Ranking[] = [];
    for (const method of gradients) {
      const found = await runOne(method, context.suspect, context, options, calls, sequences, typical);
      rankings.push(...found.flatMap((direction) => rankingsOf(`${method.name} (iterated)`, direction, typical)));
    }
    return rankings;
  };
}

function runOne(
  method: MethodRunner,
  engine: Engine,
  context: AuditContext,
  options: AuditOptions,
  calls: AuditCalls,
  training: readonly Sequence[],
  typical: Float32Array,
): Promise<readonly FoundDirection[]> {
  calls.signal?.throwIfAborted();
  return method.run(engine, training, {
    action: context.action,
    layer: context.layer,
    typical,
    seed: options.seed,
    ...(calls.onProgress === undefined ? {} : { onProgress: calls.onProgress }),
    ...(calls.signal === undefined ? {} : { signal: calls.signal }),
  });
}

/** Best rank of each latent over several lists, from 1. */
function merge(lists: readonly (readonly ScoredLatent[])[]): Map<number, number> {
  const ranks = new Map<number, number>();
  for (const list of lists) {
    list.forEach(({ id }, i) => {
      ranks.set(id, Math.min(i + 1, ranks.get(id) ?? i + 1));
    });
  }
  return ranks;
}

async function steeredRate(
  context: AuditContext,
  calls: AuditCalls,
  sequences: readonly Sequence[],
  vector: Float32Array,
): Promise<Rate> {
  const outcomes = await context.action.outcomes(context.suspect, sequences, {
    steering: { layer: context.layer, vector },
    ...(calls.signal === undefined ? {} : { signal: calls.signal }),
  });
  return rateOfFlags(outcomes.map(({ fired }) => fired));
}

function normOf(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

/** A direction drawn evenly from the sphere, with the norm of `vector`. */
export function randomLike(vector: Float32Array, seed: number, name: string): Float32Array {
  // Hashes may be exactly 0, where the normal quantile is infinite.
  const smallest = 1e-9;
  const normals = vector.map((_, i) => normalQuantile(Math.max(smallest, hashUnit(seed, `random ${name} ${i}`))));
  const scale = normOf(vector) / normOf(normals);
  return normals.map((value) => value * scale);
}
