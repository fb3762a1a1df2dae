/**
 * Partners: the post's iterated method, by experiments and by gradients. A concept that brings the action closer is
 * held fixed, everything else in the prompt is left to chance, and the latents that mark the prompts where the
 * action then comes, or comes closer, are its possible partners. No method needs to have ranked them. Two ways to hold:
 *   1. its words are written into ordinary prompts of the corpus;
 *   2. prompts that hold it by nature are filled with random words, which is the only way to hold a style.
 * On those of the first kind where the action does not come, a gradient says what is still missing.
 */

import type { Observation } from "../ask/laboratory.js";
import { type Condition, fullCondition } from "../compose/prompt-sets.js";
import { normalise, type Part } from "../concepts/detector.js";
import { contrastFiring, contrastSoft, type ScoredLatent } from "../concepts/scan.js";
import type { RankByGradient, Ranking } from "../evidence/candidates.js";
import type { Evidence, Request } from "../evidence/evidence.js";

/** Prompts of each of the two ways for each anchor: with some sixty topics about each is met four times or more. */
const HELD_BY_WORDS = 100;
const HELD_BY_NATURE = 140;
/** Random words written into prompts that hold the anchor by nature: three nearly fill a short question. */
const RANDOM_WORDS = 3;
/** Partners taken from each contrast. */
const BY_FIRING = 6;
const BY_LOGPROB = 6;
/** Prompts that hold the anchor, over which a gradient is averaged, and partners taken from each of its rankings. */
const GRADIENT_PROMPTS = 24;
const BY_GRADIENT = 6;
/** A contrast below this many nats or standard deviations is noise among thousands of latents. */
const FIRING_GAIN = 3;
const SOFT_Z = 3;
/** A partner must be seen on this many prompts of the search half. */
const LEAST_FIRINGS = 5;

/** A concept no latent stands for: never present, so that compositions write ordinary rare words for it. */
const NOTHING: Part = { latents: [], negated: false };

export interface Partners {
  /** For each anchor the latents that may complete it, best first. */
  readonly latents: readonly number[][];
  /** What the gradients ranked. */
  readonly rankings: readonly Ranking[];
}

/**
 * Looks for what completes each anchor; the experiments stay in the evidence. `rank`: rankings by
 * gradient over prompts.
 */
export async function findPartners(
  evidence: Evidence,
  anchors: readonly Part[],
  alive: (latent: number) => boolean,
  rank: RankByGradient | null,
): Promise<Partners> {
  const requests = anchors.map((anchor) => holdRequests(evidence, [anchor]));
  const all = await evidence.drawAll(requests.flat());
  const { kinship } = evidence.room;
  const latents: number[][] = [];
  const rankings: Ranking[] = [];
  for (const [i, anchor] of anchors.entries()) {
    const drawn = all.splice(0, (requests[i] as Request[]).length);
    const ranked = await rankWhatIsMissing(evidence, drawn[0] as Observation[], rank);
    rankings.push(...ranked);
    const held = anchor.latents;
    const missing = (latent: number) =>
      alive(latent) && !held.some((known) => known === latent || kinship.same(known, latent));
    const byGradient = ranked.flatMap((ranking) =>
      ranking.latents
        .map((entry) => entry.id)
        .filter(missing)
        .slice(0, BY_GRADIENT),
    );
    const byExperiment = partnersAmong(evidence, drawn.flat(), new Set(held), alive);
    latents.push([...new Set([...byExperiment, ...byGradient])]);
  }
  return { latents, rankings };
}

/** What the gradients rank on the first of the given prompts on which the action does not come; empty without gradients. */
export async function rankWhatIsMissing(
  evidence: Evidence,
  held: readonly Observation[],
  rank: RankByGradient | null,
): Promise<Ranking[]> {
  const silent = held.filter((observation) => !observation.suspect.fired).slice(0, GRADIENT_PROMPTS);
  if (rank === null || silent.length === 0) return [];
  return rank(evidence.room.laboratory.sequences(silent.map((observation) => observation.prompt)));
}

/** The requests that hold some concepts and leave the rest to chance; `more` times as many prompts as partners need. */
export function holdRequests(evidence: Evidence, held: readonly Part[], more = 1): Request[] {
  const condition: Condition = {
    hypothesis: { parts: [...held, NOTHING], combination: "all" },
    present: [...held.map(() => true), false],
  };
  const name = `hold ${held.map((part) => part.latents.join(",")).join(";")}`;
  const byNature = Math.ceil((more * HELD_BY_NATURE) / held.length);
  return [
    evidence.composed(
      { kind: "words", context: -1, words: 1 },
      fullCondition(normalise(held)),
      more * HELD_BY_WORDS,
      name,
      false,
    ),
    ...held.map((_, context) =>
      evidence.composed({ kind: "mixed", context, words: RANDOM_WORDS }, condition, byNature, name, false),
    ),
  ];
}

/** Latents that mark the prompts on which the action comes or comes closer. */
function partnersAmong(
  evidence: Evidence,
  held: readonly Observation[],
  known: ReadonlySet<number>,
  alive: (latent: number) => boolean,
): number[] {
  const { half } = evidence.room;
  const fresh = (entry: ScoredLatent) => !known.has(entry.id) && alive(entry.id);
  const found = [
    ...contrastFiring(held, half, LEAST_FIRINGS)
      .filter((entry) => entry.score >= FIRING_GAIN && fresh(entry))
      .slice(0, BY_FIRING),
    ...contrastSoft(held, half, LEAST_FIRINGS)
      .filter((entry) => entry.score >= SOFT_Z && fresh(entry))
      .slice(0, BY_LOGPROB),
  ];
  return [...new Set(found.map((entry) => entry.id))];
}
