/**
 * Candidate latents: the best of every method and of the corpus scan, each in units of the latent's typical activation;
 * latents that never fire are left out, and those that fire together are grouped as one concept.
 */
import type { Sequence } from "../../model/sequence.js";
import type { Lexicon } from "../concepts/lexicon.js";
import { rangeOf, shareOf } from "../concepts/ranges.js";
import type { ScoredLatent } from "../concepts/scan.js";
import type { CorpusHalf } from "../prompts/corpus.js";
import { activation, type Reading } from "../prompts/reading.js";
import type { Evidence } from "./evidence.js";

/** A ranked list of latents under the name of what ranked it. */
export interface Ranking {
  readonly source: string;
  /** Best first. */
  readonly latents: readonly ScoredLatent[];
}

/** Rankings by gradient over sequences with the action. */
export type RankByGradient = (sequences: readonly Sequence[]) => Promise<Ranking[]>;

export interface Candidate {
  readonly id: number;
  /** Sources that list it, with its rank there (1 = best), sorted by name. */
  readonly ranks: Readonly<Record<string, number>>;
}

/** Fewer firing prompts than this give neither words nor frames, and no estimate of the latent's range. */
export const LEAST_FIRINGS = 5;
/** A latent that fires on more than this share of prompts says nothing about any of them. */
const MOST_SHARE = 0.6;

/** Whether a latent is alive: it fires on enough prompts of the search half, or on enough scanned words. */
export function isAlive(latent: number, half: CorpusHalf, lexicon: Lexicon): boolean {
  const fires = half.fires[latent] as number;
  if (fires > MOST_SHARE * half.prompts.length) return false;
  return fires >= LEAST_FIRINGS || lexicon.scannedWords(latent) >= LEAST_FIRINGS;
}

/** Whether a latent may belong to an explanation of what is left to explain: it is alive, and not among what was set aside. */
export function mayExplain(evidence: Pick<Evidence, "room" | "isSetAside">, latent: number): boolean {
  const { half, lexicon } = evidence.room;
  return isAlive(latent, half, lexicon) && !evidence.isSetAside(latent);
}

/** Scores of a direction, times `typical` activation where given; best first, zero and negative ones left out. */
export function rankScores(scores: Float32Array, typical?: Float32Array): ScoredLatent[] {
  const ranked: ScoredLatent[] = [];
  for (let id = 0; id < scores.length; id++) {
    const score = (scores[id] as number) * (typical === undefined ? 1 : (typical[id] as number));
    if (score > 0) ranked.push({ id, score });
  }
  return ranked.sort((a, b) => b.score - a.score || a.id - b.id);
}

/** The best `most` living latents of every ranking, merged; ordered by their best rank anywhere, then by id. */
export function chooseCandidates(
  rankings: readonly Ranking[],
  most: number,
  alive: (latent: number) => boolean,
): Candidate[] {
  const chosen = new Map<number, Record<string, number>>();
  for (const { source, latents } of rankings) {
    let rank = 0;
    for (const { id } of latents) {
      if (!alive(id)) continue;
      rank++;
      if (rank > most) break;
      const ranks = chosen.get(id) ?? {};
      ranks[source] = Math.min(rank, ranks[source] ?? rank);
      chosen.set(id, ranks);
    }
  }
  const best = (ranks: Readonly<Record<string, number>>) => Math.min(...Object.values(ranks));
  return [...chosen.entries()]
    .map(([id, ranks]) => ({ id, ranks }))
    .sort((a, b) => best(a.ranks) - best(b.ranks) || a.id - b.id);
}

/** A latent is on where it reaches this share of its range, when groups are formed. */
const ON = 0.2;
/** Two latents are one concept when this share of the prompts with either has both. */
const SHARED = 0.35;

/** Groups latents that fire on the same prompts; a latent joins the first group whose first latent it fires with. */
export function groupLatents(latents: readonly number[], half: CorpusHalf): number[][] {
  const onPrompts = (latent: number) => {
    const range = rangeOf(latent, [half]);
    const on = new Set<number>();
    half.readings.forEach((reading: Reading, prompt) => {
      if (range !== undefined && shareOf(range, activation(reading, latent)) >= ON) on.add(prompt);
    });
    return on;
  };
  const groups: { latents: number[]; on: Set<number> }[] = [];
  for (const latent of latents) {
    const on = onPrompts(latent);
    const home = groups.find((group) => overlap(group.on, on) >= SHARED);
    if (home === undefined) groups.push({ latents: [latent], on });
    else home.latents.push(latent);
  }
  return groups.map((group) => group.latents);
}

function overlap(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  let both = 0;
  for (const item of a) if (b.has(item)) both++;
  const either = a.size + b.size - both;
  return either === 0 ? 0 : both / either;
}
