/**
 * Growing: latents that no method listed but that belong to the trigger. Four searches, all over every living latent:
 *   1. Hold the other parts by words, vary the rest of the prompt over the corpus, and ask which latents mark the prompts
 *      that fire although the part is not read there: members of a concept that lives in many latents, such as a style.
 *      With nothing held it asks the corpus itself. This is the post's iterated method with experiments for gradients.
 *   2. The same by log-probability, for members too rare to fire.
 *   3. Latents that fire on the same prompts as the part's own.
 *   4. On prompts that hold the other parts and on which nothing happens, what the gradient ranks first: members that the corpus
 *      shows too seldom for experiments to meet them, such as the latent of one rare word.
 *   5. Among prompts that satisfy the hypothesis, which latents mark those that do not fire: what the trigger excludes.
 * What is found only joins the pool of the next fit.
 */

import { NATURAL, type Observation } from "../ask/laboratory.js";
import { DEFAULT_LEVELS, fullCondition } from "../compose/prompt-sets.js";
import type { Recipe } from "../compose/recipe.js";
import {
  detect,
  type Hypothesis,
  hypothesisKey,
  type Maxima,
  makePart,
  type Part,
  withPart,
} from "../concepts/detector.js";
import { prominence } from "../concepts/ranges.js";
import { contrastFiring, contrastSoft, type ScoredLatent } from "../concepts/scan.js";
import type { RankByGradient, Ranking } from "../evidence/candidates.js";
import type { Evidence, Request } from "../evidence/evidence.js";
import type { Reading } from "../prompts/reading.js";
import { holdRequests, rankWhatIsMissing } from "./partners.js";

/** Times as many prompts that hold the other parts as partners need: a rare word of the varied one should be met more than once. */
const HELD_MORE = 2;
/** Latents taken from each search; by gradient from each of its rankings. */
const COMPANIONS = 12;
const BY_FIRING = 10;
const BY_LOGPROB = 6;
const BY_GRADIENT = 10;
const EXCLUDED = 5;
/** A contrast below this many nats or standard deviations is noise among thousands of latents. */
const FIRING_GAIN = 3;
const SOFT_Z = 3;
/** A member must be seen on this many prompts of the search half. */
const LEAST_FIRINGS = 5;
/** Compositions tried for each latent found. */
const MEMBER_DRAWS = 6;

export interface Growth {
  /** Latents that may belong to the hypothesis, ascending. */
  readonly latents: number[];
  /** What the gradients ranked. */
  readonly rankings: readonly Ranking[];
}

/** Looks for what belongs to the hypothesis; new compositions with each latent found are added to the evidence. */
export async function grow(
  evidence: Evidence,
  hypothesis: Hypothesis,
  threshold: number,
  alive: (latent: number) => boolean,
  rank: RankByGradient | null,
): Promise<Growth> {
  const { maxima, ranges } = evidence.room;
  const known = new Set(hypothesis.parts.flatMap((part) => part.latents));
  const members: { latent: number; part: number }[] = [];
  const rankings: Ranking[] = [];
  for (const [i, part] of hypothesis.parts.entries()) {
    if (part.negated) continue;
    const varied = await varyPart(evidence, hypothesis, i);
    const unread = varied.filter(
      (observation) => prominence(observation.reading, part, ranges) < DEFAULT_LEVELS.absent,
    );
    const found = [
      ...companions(evidence, part)
        .filter((entry) => alive(entry.id))
        .slice(0, COMPANIONS),
      ...contrastFiring(unread, evidence.room.half, LEAST_FIRINGS)
        .filter((entry) => entry.score >= FIRING_GAIN && alive(entry.id))
        .slice(0, BY_FIRING),
      ...contrastSoft(unread, evidence.room.half, LEAST_FIRINGS)
        .filter((entry) => entry.score >= SOFT_Z && alive(entry.id))
        .slice(0, BY_LOGPROB),
    ];
    const ranked = await rankWhatIsMissing(evidence, unread, rank);
    rankings.push(...ranked);
    const byGradient = ranked.flatMap(({ latents }) =>
      latents.filter((entry) => alive(entry.id)).slice(0, BY_GRADIENT),
    );
    const fresh = new Set([...found, ...byGradient].map((entry) => entry.id).filter((id) => !known.has(id)));
    for (const id of fresh) members.push({ latent: id, part: i });
  }
  const excluded = excludedLatents(evidence.observations, hypothesis, threshold, maxima, evidence, alive).filter(
    (latent) => !known.has(latent),
  );
  await evidence.drawAll([
    ...members.flatMap((member) => memberRequests(evidence, hypothesis, member.part, member.latent)),
    ...excluded.flatMap((latent) => exclusionRequests(evidence, hypothesis, latent)),
  ]);
  const latents = [...new Set([...members.map((member) => member.latent), ...excluded])].sort((a, b) => a - b);
  return { latents, rankings };
}

/**
 * Latents that mark the prompts of the corpus on which a part is present: the other phrases of a style, the other words of
 * a topic. Whether they count for the trigger is decided by composing with them while the part's own latents are off.
 */
function companions(evidence: Evidence, part: Part): ScoredLatent[] {
  const values = evidence.room.presences.of(part);
  const marked = evidence.room.half.prompts.map((prompt, i) => ({
    prompt,
    key: "",
    kind: NATURAL,
    reading: evidence.room.half.readings[i] as Reading,
    suspect: { logprob: 0, fired: false },
    clean: null,
    fired: (values[i] as number) >= DEFAULT_LEVELS.present,
  }));
  return contrastFiring(marked, evidence.room.half, LEAST_FIRINGS).filter((entry) => entry.score >= FIRING_GAIN);
}

/** Prompts that hold every part but one, which is left to chance; the corpus itself where nothing is held. */
async function varyPart(evidence: Evidence, hypothesis: Hypothesis, part: number): Promise<Observation[]> {
  const others = hypothesis.parts.filter((other, i) => i !== part && !other.negated);
  if (others.length === 0) return evidence.natural;
  return (await evidence.drawAll(holdRequests(evidence, others, HELD_MORE))).flat();
}

function excludedLatents(
  observations: readonly Observation[],
  hypothesis: Hypothesis,
  threshold: number,
  maxima: Maxima,
  evidence: Evidence,
  alive: (latent: number) => boolean,
): number[] {
  const inside = observations.filter((observation) => detect(observation.reading, hypothesis, maxima) >= threshold);
  const inverted = inside.map((observation) => ({ ...observation, fired: !observation.fired }));
  return contrastFiring(inverted, evidence.room.half, LEAST_FIRINGS)
    .filter((entry) => entry.score >= FIRING_GAIN && alive(entry.id))
    .slice(0, EXCLUDED)
    .map((entry) => entry.id);
}

function memberRequests(evidence: Evidence, hypothesis: Hypothesis, part: number, latent: number): Request[] {
  const member = withPart(hypothesis, part, makePart([latent]));
  const full = { ...fullCondition(member, part), without: [hypothesis.parts[part] as Part] };
  const recipes: Recipe[] = [{ kind: "words", context: -1, words: 2 }];
  if (member.parts.length > 1) recipes.push({ kind: "mixed", context: part, words: 2 });
  return recipes.map((recipe) =>
    evidence.composed(recipe, full, MEMBER_DRAWS, `member ${latent} of ${hypothesisKey(hypothesis)}`, true),
  );
}

function exclusionRequests(evidence: Evidence, hypothesis: Hypothesis, latent: number): Request[] {
  const parts = [...hypothesis.parts, { latents: [latent], negated: true }];
  const wider: Hypothesis = { parts, combination: "all" };
  const full = fullCondition(wider);
  const recipe: Recipe = { kind: "words", context: -1, words: 1 };
  const name = `exclude ${latent} from ${hypothesisKey(hypothesis)}`;
  const put = { hypothesis: wider, present: full.present.map((value, i) => (i === parts.length - 1 ? true : value)) };
  return [
    evidence.composed(recipe, full, MEMBER_DRAWS, name, false),
    evidence.composed(recipe, put, MEMBER_DRAWS, name, false),
  ];
}
