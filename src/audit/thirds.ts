/**
 * A third concept. Where no two candidates bring the action on half of their compositions, the pairs that bring it closest are held
 * as one concept is (`partners.ts`), and what marks the prompts on which it then comes, or comes closer, is tried beside them, with
 * every other candidate.
 */
import type { RankByGradient, Ranking } from "./candidates.js";
import { type Hypothesis, makePart } from "./detector.js";
import type { Evidence } from "./evidence.js";
import { findPartners } from "./partners.js";
import { type Combination, needsNoMore, screenCombinations, softness } from "./screen.js";
import { rateOfFlags } from "./statistics.js";

/** Pairs held, by each of two measures: how often the action comes, and how near it is. */
const HELD_PAIRS = 2;
/** A pair that could be written on fewer prompts says little. */
const LEAST_SEEN = 12;

export interface Thirds {
  /** The triples that went furthest, the most promising first. */
  readonly triples: readonly Hypothesis[];
  /** Latents of which they consist, and others that may complete a pair. */
  readonly latents: number[];
  /** What the gradients ranked. */
  readonly rankings: readonly Ranking[];
}

/** Whether a pair's rate leaves room for a third concept: the best one does not bring the action on half of its prompts. */
export function wantThird(pairs: readonly Combination[]): boolean {
  return pairs.length > 0 && !pairs.some(({ seen }) => seen.length >= LEAST_SEEN && needsNoMore(rateOfSeen(seen)));
}

/**
 * Tries every group, those of the best pairs, and what holding these shows, as a third concept; the experiments stay in the
 * evidence.
 */
export async function findThirds(
  evidence: Evidence,
  pairs: readonly Combination[],
  groups: readonly (readonly number[])[],
  alive: (latent: number) => boolean,
  iterate: RankByGradient | null,
): Promise<Thirds> {
  const { kinship } = evidence.room;
  const anchors = bestPairs(pairs);
  const partners = await findPartners(
    evidence,
    anchors.map((pair) => pair.groups.map((group) => makePart(group))),
    alive,
    iterate,
  );
  const candidates = [...new Set([...groups, ...pairs.flatMap((pair) => pair.groups)])];
  const triples = anchors.flatMap(({ groups: pair }, i) => {
    const held = pair.flat();
    const free = (group: readonly number[]) =>
      !group.some((latent) => held.some((known) => known === latent || kinship.same(known, latent)));
    const found = (partners.latents[i] as number[]).map((latent) => [latent]);
    return [...candidates, ...found].filter(free).map((third) => [...pair, third]);
  });
  const screened = await screenCombinations(evidence, triples);
  return {
    triples: screened.map(({ hypothesis }) => hypothesis),
    latents: [...new Set([...candidates, ...partners.latents].flat())],
    rankings: partners.rankings,
  };
}

function bestPairs(pairs: readonly Combination[]): Combination[] {
  const written = pairs.filter(({ seen }) => seen.length >= LEAST_SEEN);
  const best = (value: (pair: Combination) => number) =>
    written
      .map((pair, i) => ({ pair, i, value: value(pair) }))
      .sort((a, b) => b.value - a.value || a.i - b.i)
      .slice(0, HELD_PAIRS)
      .map(({ pair }) => pair);
  return [...new Set([...best(({ seen }) => rateOfSeen(seen)), ...best(({ seen }) => softness(seen))])];
}

function rateOfSeen(seen: Combination["seen"]): number {
  return rateOfFlags(seen.map(({ fired }) => fired)).rate;
}
