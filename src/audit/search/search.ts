/**
 * The search for hypotheses on the search half, from rankings of latents to hypotheses that are worth confirming:
 * candidates → groups → screen → partners → pairs → what evolves → fit → sharpen → grow → fit. Pruning and confirmation come after.
 */

import type { AuditCalls, AuditOptions } from "../ask/context.js";
import type { Observation } from "../ask/laboratory.js";
import { type Hypothesis, makePart } from "../concepts/detector.js";
import { contrastFiring, contrastSoft } from "../concepts/scan.js";
import {
  type Candidate,
  chooseCandidates,
  groupLatents,
  mayExplain,
  type RankByGradient,
  type Ranking,
} from "../evidence/candidates.js";
import type { Evidence } from "../evidence/evidence.js";
import { rateOfFlags } from "../statistics/statistics.js";
import { EVOLVED, evolve } from "./evolve.js";
import { type Fitted, fit } from "./fit.js";
import { grow } from "./grow.js";
import { findPartners } from "./partners.js";
import { type Alone, type Combination, needsNoMore, screenCombinations, screenSingles } from "./screen.js";
import { leaders, sharpen } from "./sharpen.js";
import { standingFor } from "./standing.js";

/** Fewer firing prompts than this leave nothing to fit: the search ends with "nothing found". */
export const LEAST_FIRINGS = 5;
/** Rounds of sharpening and refitting. */
const SHARPENINGS = 2;
/** Hypotheses for which further latents are sought. */
const GROWN = 1;
/** A latent must fire on this many prompts to enter a contrast of the corpus scan. */
const SCANNED_FIRINGS = 5;

export interface SearchOutcome {
  readonly candidates: readonly Candidate[];
  /** Best first; empty where nothing fires. */
  readonly fitted: readonly Fitted[];
  /** What explains the prompts of the corpus alone, best first; empty where too few of them fire. */
  readonly fittedNaturally: readonly Fitted[];
  /** What the corpus scan ranked: by firing and by log-probability. */
  readonly scans: readonly Ranking[];
  /** What gradient methods ranked on prompts that hold one part. */
  readonly iterated: readonly Ranking[];
  /** Prompts bred for the action that it comes on, the nearest and shortest first; empty where nothing had to be bred. */
  readonly bred: readonly Bred[];
}

/** A prompt that was bred, and the words that it cannot spare; null where they were not asked. */
export interface Bred {
  readonly observation: Observation;
  readonly carriedBy: readonly string[] | null;
}

/** Groups are tried alone in so many times the number in which pairs of them are tried. */
const SCREENED_ALONE = 2;

/** A pair that could be written on fewer prompts says little. */
const LEAST_SEEN = 12;

/** How often prompts are bred, as chance has its part in where a population ends, and whether by what they do beside others too. */
const BREEDINGS: readonly boolean[] = [true, false, true];
/** Concepts of earlier breedings that are tried with those of the next. */
const MOST_PROMISING = 5;

/** Groups held while partners are sought, by each of two measures. */
const ANCHORS = 3;

/** Names under which the corpus scan appears among the sources. */
export const SCAN_FIRING = "corpus-scan";
export const SCAN_SOFT = "corpus-scan-logprob";

/** Searches. `iterate`: gradient methods on given prompts. `natural` prompts of the half must be observed already (the corpus scan). */
export async function search(
  evidence: Evidence,
  rankings: readonly Ranking[],
  options: AuditOptions,
  calls: AuditCalls,
  iterate: RankByGradient | null = null,
): Promise<SearchOutcome> {
  const { room } = evidence;
  const same = (a: number, b: number) => room.kinship.same(a, b);
  const alive = (latent: number) => mayExplain(evidence, latent);
  const scans: Ranking[] = [
    { source: SCAN_FIRING, latents: contrastFiring(evidence.natural, room.half, SCANNED_FIRINGS) },
    { source: SCAN_SOFT, latents: contrastSoft(evidence.natural, room.half, SCANNED_FIRINGS) },
  ];
  const candidates = chooseCandidates([...rankings, ...scans], options.latentsPerMethod, alive);
  const pool = candidates.map((candidate) => candidate.id);

  calls.onStage?.("screen");
  const grouped = groupLatents(pool, room.half).slice(0, SCREENED_ALONE * options.groupLimit);
  const tried = await screenSingles(evidence, grouped);
  const chosen = mostPromising(tried, options.groupLimit);
  const groups = chosen.map((i) => grouped[i] as number[]);
  const alone = chosen.map((i) => tried[i] as Alone);
  const open = groups.filter((_, i) => !(alone[i] as Alone).enough);
  const pairs = open.flatMap((first, i) => open.slice(i + 1).map((second) => [first, second] as const));
  const iterated: Ranking[] = [];
  if (open.length === groups.length) {
    calls.onStage?.("partners");
    const anchors = anchorsAmong(groups, alone, scans[0] as Ranking);
    const partners = await findPartners(
      evidence,
      anchors.map((anchor) => makePart(anchor)),
      alive,
      iterate,
    );
    iterated.push(...partners.rankings);
    partners.latents.forEach((latents, i) => {
      for (const latent of latents) pairs.push([anchors[i] as number[], [latent]]);
    });
    addTo(pool, partners.latents.flat());
  }
  calls.onStage?.("pairs");
  const screened = await screenCombinations(evidence, pairs);
  const answered = open.length < groups.length || screened.some((pair) => bringsItOften(evidence, pair));
  const { given, bred, concepts } = answered ? NOTHING_BRED : await breed(evidence, alive, calls);
  evidence.noteBred(concepts.flat().filter((latent) => !pool.includes(latent)));
  addTo(pool, concepts.flat());
  const outcome = (fitted: readonly Fitted[], fittedNaturally: readonly Fitted[] = []): SearchOutcome => ({
    candidates,
    fitted,
    fittedNaturally,
    scans,
    iterated,
    bred,
  });
  if (evidence.observations.filter((observation) => observation.fired).length < LEAST_FIRINGS) return outcome([]);

  calls.onStage?.("fit");
  const fitTo = (observations: readonly Observation[], latents: readonly number[]) =>
    fit(observations, latents, room.maxima, same, given);
  let fitted = fitTo(evidence.observations, pool);
  for (let round = 0; round < SHARPENINGS; round++) {
    await sharpen(evidence, fitted, round);
    fitted = fitTo(evidence.observations, pool);
  }
  calls.onStage?.("grow");
  const grown = new Set(pool);
  for (const hypothesis of leaders(fitted, GROWN)) {
    const growth = await grow(evidence, hypothesis, thresholdOf(fitted, hypothesis), alive, iterate);
    for (const latent of growth.latents) grown.add(latent);
    iterated.push(...growth.rankings);
  }
  const latents = [...grown].sort((a, b) => a - b);
  fitted = fitTo(evidence.observations, latents);
  const natural = evidence.natural;
  const enough = natural.filter((observation) => observation.fired).length >= LEAST_FIRINGS;
  return outcome(fitted, enough ? fitTo(natural, latents) : []);
}

/** What prompts bred for the action point to. */
interface Breeding {
  /** Pairs and triples of the concepts, tried on compositions, the most promising first. */
  readonly given: readonly Hypothesis[];
  readonly bred: readonly Bred[];
  readonly concepts: readonly (readonly number[])[];
}

const NOTHING_BRED: Breeding = { given: [], bred: [], concepts: [] };

/**
 * Breeds prompts, asks what their words stand for, and tries these concepts together. Where they do not bring the action, prompts are bred again, once by
 * what they do alone: these hold fewer words; what they point to is tried with the more promising of the others. Where replies are looked at,
 * each of which is dear, they are bred alone at once.
 */
async function breed(evidence: Evidence, alive: (latent: number) => boolean, calls: AuditCalls): Promise<Breeding> {
  const { given, bred, concepts } = {
    given: [] as Hypothesis[],
    bred: [] as Bred[],
    concepts: [] as (readonly number[])[],
  };
  let promising: readonly (readonly number[])[] = [];
  const ways = Number.isFinite(evidence.room.laboratory.sure)
    ? BREEDINGS
    : BREEDINGS.filter((besideOthers) => !besideOthers);
  for (const [round, besideOthers] of ways.entries()) {
    calls.onStage?.("evolve");
    const firing = await evolve(evidence, besideOthers, round);
    if (firing.length === 0) break;
    const { groups: found, carriedBy } = await standingFor(evidence, firing, alive, concepts);
    const together = pairsAndTriples([...found, ...promising]).filter((some) =>
      some.some((one) => found.includes(one)),
    );
    // The first latent of a concept marks its words best; the others may be of something else.
    const heads = together.map((some) => some.map(([first]) => [first as number]));
    const tried = await screenCombinations(evidence, [...together, ...heads]);
    given.push(...tried.map(({ hypothesis }) => hypothesis));
    for (const observation of firing)
      if (observation.kind === EVOLVED) bred.push({ observation, carriedBy: carriedBy.get(observation.key) ?? null });
    concepts.push(...found);
    if (tried.some((combination) => bringsItOften(evidence, combination))) break;
    const heard = new Set(tried.flatMap(({ groups }) => groups.map(([first]) => first)));
    promising = [...concepts]
      .sort((a, b) => Number(heard.has(b[0])) - Number(heard.has(a[0])))
      .slice(0, MOST_PROMISING);
  }
  return { given, bred, concepts };
}

/** Whether two concepts need no third: the action comes on half of their prompts, of which there are enough. */
function bringsItOften(evidence: Evidence, { seen }: Combination): boolean {
  const open = seen.filter(({ reading }) => evidence.isOpen(reading));
  return open.length >= LEAST_SEEN && needsNoMore(rateOfFlags(open.map(({ fired }) => fired)).rate);
}

function pairsAndTriples<T>(items: readonly T[]): (readonly T[])[] {
  return items.flatMap((first, i) =>
    items
      .slice(i + 1)
      .flatMap((second, j) => [[first, second], ...items.slice(i + j + 2).map((third) => [first, second, third])]),
  );
}

function addTo(pool: number[], latents: readonly number[]): void {
  for (const latent of latents) if (!pool.includes(latent)) pool.push(latent);
}

/** Which groups go on to pairs: half of them the best ranked, half those whose words alone bring the action closest. */
function mostPromising(alone: readonly Alone[], most: number): number[] {
  const ranked = alone.slice(0, Math.ceil(most / 2)).map((_, i) => i);
  const closest = alone
    .map((entry, i) => ({ ...entry, i }))
    .slice(ranked.length)
    .sort((a, b) => b.logprob - a.logprob || a.i - b.i)
    .slice(0, most - ranked.length);
  return [...ranked, ...closest.map(({ i }) => i).sort((a, b) => a - b)];
}

/** Groups worth holding: those whose words bring the action closest, and those that mark firing prompts of the corpus. */
function anchorsAmong(groups: readonly number[][], alone: readonly Alone[], scan: Ranking): number[][] {
  const gain = new Map(scan.latents.map((entry) => [entry.id, entry.score]));
  const gainOf = (group: readonly number[]) => Math.max(...group.map((latent) => gain.get(latent) ?? 0));
  const ranked = groups.map((group, i) => ({ group, i, logprob: (alone[i] as Alone).logprob, gain: gainOf(group) }));
  const closest = [...ranked].sort((a, b) => b.logprob - a.logprob || a.i - b.i).slice(0, ANCHORS);
  const marking = [...ranked].sort((a, b) => b.gain - a.gain || a.i - b.i).slice(0, ANCHORS);
  return [...new Set([...closest, ...marking].map((entry) => entry.group))];
}

function thresholdOf(fitted: readonly Fitted[], hypothesis: Hypothesis): number {
  return fitted.find((entry) => entry.hypothesis === hypothesis)?.threshold ?? 1;
}
