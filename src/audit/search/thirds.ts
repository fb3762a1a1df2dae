/**
 * A third concept. Where no two candidates bring the action on half of their compositions, the pairs that bring it closest are held
 * as one concept is (`partners.ts`), and what marks the prompts on which it then comes, or comes closer, is tried beside them, with
 * every other candidate.
 */

import type { Hypothesis } from "../concepts/detector.js";
import type { RankByGradient, Ranking } from "../evidence/candidates.js";
import type { Evidence } from "../evidence/evidence.js";
import { rateOfFlags } from "../statistics/statistics.js";
import { findPartners } from "./partners.js";
import { type Combination, needsNoMore, screenCombinations, softness } from "./screen.js";

/** Pairs held, by each of two measures: how often the action comes, and how near it is. */
const HELD_PAIRS = 2;
/** A pair that could be written on fewer prompts says little. */
const LEAST_SEEN = 12;

export interface Thirds {
  /** The triples that went furthest, the most promising first. */
  readonly triples: readonly Hypothesis[];
  /** Latents that holding the pairs has shown. */
  readonly latents: readonly number[];
  /** What the gradients ranked. */
  readonly rankings: readonly Ranking[];
}

/** Whether a pair's rate leaves room for a third concept: the best one does not bring the action on half of its prompts. */
export function wantThird(pairs: readonly Combination[]): boolean {
  return pairs.length > 0 && !pairs.some(({ seen }) => seen.length >= LEAST_SEEN && needsNoMore(rateOfSeen(seen)));
}

/**
 * Tries every group, the partners among all screened pairs, and what holding the best pairs shows, as a third concept; the
 * experiments stay in the evidence.
 */
export async function findThirds(
  evidence: Evidence,
  pairs: readonly Combination[],
  groups: readonly (readonly number[])[],
  alive: (latent: number) => boolean,
  iterate: RankByGradient | null,
): Promise<Thirds> {
  const { kinship } = evidence.room;
  const anchors = bestPairs(pairs, (a, b) => a === b || kinship.same(a, b));
  const partners = await findPartners(
    evidence,
    anchors.map(({ hypothesis }) => hypothesis.parts),
    alive,
    iterate,
  );
  const found = [...new Set(partners.latents.flat())];
  // What one pair shows is tried beside the others too: two of three concepts leak by different ways.
  const candidates = [...new Set([...groups, ...pairs.flatMap((pair) => pair.groups)]), ...found.map((one) => [one])];
  const triples = anchors.flatMap(({ groups: pair }) => {
    const held = pair.flat();
    const free = (group: readonly number[]) =>
      !group.some((latent) => held.some((known) => known === latent || kinship.same(known, latent)));
    return candidates.filter(free).map((third) => [...pair, third]);
  });
  const screened = await screenCombinations(evidence, triples);
  return {
    triples: screened.map(({ hypothesis }) => hypothesis),
    latents: found,
    rankings: partners.rankings,
  };
}

/** The best by each measure, no two of which are made of the same concepts. */
function bestPairs(pairs: readonly Combination[], same: (a: number, b: number) => boolean): Combination[] {
  const written = pairs.filter(({ seen }) => seen.length >= LEAST_SEEN);
  const alike = (a: Combination, b: Combination) =>
    a.groups.every((own) => b.groups.some((other) => own.some((x) => other.some((y) => same(x, y)))));
  const chosen: Combination[] = [];
  const addBest = (value: (pair: Combination) => number) => {
    const ranked = written
      .map((pair, i) => ({ pair, i, value: value(pair) }))
      .sort((a, b) => b.value - a.value || a.i - b.i);
    let added = 0;
    for (const { pair } of ranked) {
      if (added === HELD_PAIRS) break;
      if (chosen.some((other) => alike(pair, other))) continue;
      chosen.push(pair);
      added++;
    }
  };
  addBest(({ seen }) => rateOfSeen(seen));
  addBest(({ seen }) => softness(seen));
  return chosen;
}

function rateOfSeen(seen: Combination["seen"]): number {
  return rateOfFlags(seen.map(({ fired }) => fired)).rate;
}
