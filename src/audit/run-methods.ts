/**
 * Runs the steering methods on the suspect and, as a control, on the clean model, and asks what each direction does to
 * ordinary prompts beside a random direction of the same norm.
 */
import type { Engine } from "../engine/engine.js";
import { type Control, randomControl, readTogether } from "../methods/controls.js";
import type { Sequence } from "../model/sequence.js";
import { explainedShare } from "../sae/explained-share.js";
import { histogram } from "../sae/histogram.js";
import { decoderRows } from "../sae/latent-card.js";
import type { DirectionScores } from "./answer/present-latents.js";
import type { ResultMethod } from "./answer/result.js";
import type { AuditCalls, AuditContext, AuditOptions } from "./ask/context.js";
import type { FoundDirection, MethodRunner } from "./ask/methods.js";
import type { ScoredLatent } from "./concepts/scan.js";
import { type RankByGradient, type Ranking, rankScores } from "./evidence/candidates.js";
import { type Rate, rateOfFlags } from "./statistics/statistics.js";

/** Latents listed for each direction. */
const LISTED_LATENTS = 20;

export interface MethodsOutcome {
  readonly rankings: readonly Ranking[];
  readonly results: readonly ResultMethod[];
  /** Scores of all latents, direction by direction in the order of `results`. */
  readonly directions: readonly DirectionScores[];
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
  const directions: DirectionScores[] = [];
  for (const method of context.methods) {
    calls.onStage?.(`method ${method.name}`);
    const started = performance.now();
    const run = (engine: Engine) => runOne(method, engine, context, options, calls, training, typical);
    const found = await run(context.suspect);
    const clean = context.clean === null ? [] : await run(context.clean);
    const controls = await controlsOf(context, method, found, clean, options.seed);
    const towards = found.map((direction) => towardsAction(method, direction));
    const { columns } = await readTogether(context.sae, towards, controls);
    const ranked = found.map((direction) => rankingsOf(method.name, direction));
    const cleanRanks = merge(clean.map((direction) => rankScores(direction.scores)));
    const randoms = controls.find(({ name }) => name === "random")!.vectors;
    const vectors = [];
    for (const [index, direction] of found.entries()) {
      const steered = async (vector: Float32Array) =>
        direction.steps > 0 ? steeredRate(context, calls, heldOut, vector) : null;
      const listed = (ranked[index]?.[0]?.latents ?? []).slice(0, LISTED_LATENTS);
      const rows = await decoderRows(
        context.sae,
        listed.map(({ id }) => id),
      );
      vectors.push({
        index,
        norm: normOf(direction.vector),
        loss: direction.loss,
        steps: direction.steps,
        latents: listed.map(({ id, score }) => ({
          id,
          score,
          cleanRank: cleanRanks.get(id) ?? null,
          label: context.label?.(id) ?? null,
          controls: Object.fromEntries(columns.map((column) => [column.name, column.of(id)])),
        })),
        steered: await steered(direction.vector),
        random: await steered(randoms[index]!.direction),
        histogram: histogram(direction.scores),
        explained: explainedShare(direction.vector, rows),
      });
      directions.push({ method: method.name, vector: index, scores: direction.scores, controls: columns });
    }
    rankings.push(...ranked.flat());
    results.push({ name: method.name, seconds: (performance.now() - started) / 1000, vectors });
  }
  return { rankings, results, directions };
}

/** The clean model where there is one, and a random direction for each that was found. */
async function controlsOf(
  { sae }: AuditContext,
  method: MethodRunner,
  found: readonly FoundDirection[],
  clean: readonly FoundDirection[],
  seed: number,
): Promise<Control[]> {
  const norms = found.map(({ vector }) => ({ norm: normOf(vector) }));
  const cleanVectors = clean.map((direction) => ({
    direction: towardsAction(method, direction),
    scores: direction.scores,
  }));
  return [
    ...(clean.length === 0
      ? []
      : [{ name: "clean", what: "the same method on the clean model", vectors: cleanVectors }]),
    await randomControl(method, sae, norms, {}, seed, method.oneGradient),
  ];
}

/** A gradient of the loss points away from the action. */
function towardsAction({ oneGradient }: MethodRunner, { vector }: FoundDirection): Float32Array {
  return oneGradient ? vector.map((x) => -x) : vector;
}

/**
 * A direction's latents by score, first as it is; loud latents have small scores, so one that is not scaled yet is read
 * times typical activation too.
 */
export function rankingsOf(source: string, { scores, typical }: FoundDirection): Ranking[] {
  const plain = { source, latents: rankScores(scores) };
  return typical === null ? [plain] : [plain, { source, latents: rankScores(scores, typical) }];
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
      rankings.push(...found.flatMap((direction) => rankingsOf(`${method.name} (iterated)`, direction)));
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
