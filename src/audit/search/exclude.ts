/**
 * What a trigger excludes ("drinks, unless desserts are there too"): a corpus seldom holds both, so prompts that people wrote
 * do not show it. Once a hypothesis is rehearsed surely:
 *   1. Candidates: among all prompts tried that satisfy the hypothesis, latents that mark those on which the action does not come, or
 *      is less likely than on others of the same source; not those beside which people's prompts plainly bring it (by the 95 % bound: six of
 *      six do).
 *   2. Each is put into fresh compositions of the hypothesis, by its words and into what people wrote with it.
 *   3. Those that keep the action off are tried again beside placebos: concepts about as frequent in their place. A latent is
 *      excluded if the action comes on less than half as many prompts as with those, beyond doubt (p ≤ 0.001, one-sided, for the best of
 *      two dozen). What people wrote with it counts only where prompts that hold both, as they were written, show the same, be it one:
 *      a harmful request, or a second way of speaking, stops any trigger that is written into it, and so may a single word such
 *      as "easy".
 *      It must do so by several words, its own or its kin's that do so too; these join it, be it by one or two.
 *   4. Two concepts that are no kin may be excluded. Where one of those that seem to do so leaves a doubt, more of them do, or most others do in
 *      what people wrote with them, none is: it is any second way of speaking, say, that stops the action.
 */

import { NATURAL, type Observation } from "../ask/laboratory.js";
import { type Condition, counting, DEFAULT_LEVELS, fullCondition, turned } from "../compose/prompt-sets.js";
import { type Recipe, recipesToPut } from "../compose/recipe.js";
import { LEAST_WORDS, severalWordsKeepOff } from "../compose/several-words.js";
import { type Hypothesis, hypothesisKey, makePart, normalise } from "../concepts/detector.js";
import type { Kinship } from "../concepts/kinship.js";
import { prominence } from "../concepts/ranges.js";
import { contrastFiring, contrastSoft } from "../concepts/scan.js";
import { isAlive } from "../evidence/candidates.js";
import { drawOver, rateOfFiring } from "../evidence/composed-rates.js";
import { asTheyCome, type Evidence } from "../evidence/evidence.js";
import { placeboConditions } from "../evidence/placebo.js";
import { pooled, type Rate, rateOfFlags, twoProportionTest } from "../statistics/statistics.js";

/** Candidates of either contrast. */
const TRIED = 10;
/** A candidate must be seen on this many prompts of the search half. */
const LEAST_FIRINGS = 5;
/** People's prompts that hold both show it where at most this share of them bring the action, and there is one. */
const SHOWN_SHARE = 0.25;
/** Beside a candidate people's prompts bring the action plainly where the lower bound of their rate is above this. */
const PLAINLY = 0.6;
/** Compositions by each way of putting a candidate in: at first, and of the few that are tried again. */
const FIRST_DRAWS = 4;
const SECOND_DRAWS = 12;
const TRIED_AGAIN = 6;
/** Of the rate with other concepts. */
const EXCLUDED_SHARE = 0.5;
/** A concept's words tell by themselves only where those of others leave the action on: in a crowded sentence any more may stop it. */
const UNHARMED = 0.8;
const ALLOWED = 0.001;
/** Other concepts, of which most must stop the action for it to be no concept's own doing. */
const LEAST_OTHERS = 3;
/** Concepts excluded at most: what more of them do is no concept's own doing. */
const MOST_EXCLUDED = 2;
/** p-value below which another concept seems to keep the action off too, which makes it no concept's own doing. */
const SEEMING = 0.05;

/**
 * The hypothesis with what it excludes; as it is where nothing is, where something already is, and of alternatives. `failing`: for each
 * part the words at which it does not count, which tell nothing of what else is there.
 */
export async function exclude(
  evidence: Evidence,
  hypothesis: Hypothesis,
  failing: readonly ReadonlySet<string>[] = [],
): Promise<Hypothesis> {
  if (hypothesis.combination === "any" || hypothesis.parts.some((part) => part.negated)) return hypothesis;
  const { kinship } = evidence.room;
  const candidates = candidatesFor(evidence, hypothesis, failing);
  const without = (latent: number): Hypothesis => ({
    parts: [...hypothesis.parts, makePart([latent], true)],
    combination: "all",
  });
  const at = hypothesis.parts.length;
  const put = (latent: number) => turned(fullCondition(without(latent)), at);
  const ways = recipesToPut(at);
  const byWords = ways.filter((way) => way.kind === "words");
  const byPeople = ways.filter((way) => way.kind !== "words");
  const draw = (conditions: readonly Condition[], by: readonly Recipe[], draws: number, what: string) =>
    drawOver(
      evidence,
      conditions,
      by,
      draws,
      (one) => `${what} ${hypothesisKey(one.hypothesis)}`,
      false,
      by === byWords ? asTheyCome : undefined,
    );
  const each = candidates.map(({ latent }) => put(latent));
  const first = [
    await draw(each, byWords, FIRST_DRAWS, "exclude"),
    await draw(each, byPeople, FIRST_DRAWS, "exclude"),
  ].map((drawn) => drawn.map(rateOfFiring));
  const lowest = candidates
    .map(({ latent, shown }, i) => {
      const telling = (shown ? first : first.slice(0, 1)).map((tried) => tried[i] as Rate);
      const rate = Math.min(...telling.filter(({ total }) => total >= FIRST_DRAWS).map((one) => one.rate));
      return { latent, shown, rate };
    })
    .filter(({ rate }) => rate <= EXCLUDED_SHARE)
    .sort((a, b) => a.rate - b.rate);
  const kin = (latent: number, concept: number) => latent === concept || kinship.kin(concept, latent);
  const suspects = lowest.map(({ latent }) => latent);
  const trials: Trial[] = [];
  for (const { latent, shown } of conceptsFirst(lowest, kin).slice(0, TRIED_AGAIN)) {
    const tried = [put(latent), ...placeboConditions(evidence, without(latent), at, suspects)];
    const words = await draw(tried, byWords, SECOND_DRAWS, "exclude again");
    const people = shown ? await draw(tried, byPeople, SECOND_DRAWS, "exclude again") : [];
    trials.push({ latent, words, people });
  }
  const WAYS = ["words", "people"] as const;
  /** p-value of one that keeps the action off by one way of putting it in. */
  const pBy = (way: (typeof WAYS)[number], trial: Trial, least: number) =>
    keepsOff(trial[way].map(rateOfFiring), way === "words" ? least : 0);
  /** Whether it does so by several words, those of its kin counted that surely do, too: of a style that the SAE has split each latent may peak at one word. */
  const bySeveralWords = (way: (typeof WAYS)[number], trial: Trial) => {
    const family = trials.filter(
      (one) => one === trial || (kin(one.latent, trial.latent) && pBy(way, one, UNHARMED) <= ALLOWED),
    );
    return severalWordsKeepOff(
      evidence.room,
      family.flatMap((one) => one[way][0] ?? []),
      makePart(family.map((one) => one.latent)),
    );
  };
  /** p-value of one that keeps the action off, `several`: by several of its words. */
  const judge = (trial: Trial, several: boolean, least: number) =>
    Math.min(...WAYS.map((way) => (several && !bySeveralWords(way, trial) ? 1 : pBy(way, trial, least))));
  const seeming = trials
    .map((trial) => ({ trial, seeming: judge(trial, true, 0), pValue: judge(trial, true, UNHARMED) }))
    .filter((entry) => entry.seeming <= SEEMING)
    .sort((a, b) => a.pValue - b.pValue);
  const concepts: number[] = [];
  for (const { trial, pValue } of seeming) {
    if (concepts.some((concept) => kin(trial.latent, concept))) continue;
    if (pValue > ALLOWED || concepts.length === MOST_EXCLUDED) return hypothesis;
    concepts.push(trial.latent);
  }
  if (concepts.length === 0 || othersDoAsWell(candidates, first[1] as Rate[], concepts, kinship)) return hypothesis;
  // A piece of the concept that the SAE has split, as it has a style, may do so by a word or two.
  const pieces = trials.filter((trial) => judge(trial, false, UNHARMED) <= ALLOWED).map(({ latent }) => latent);
  const conceptOf = (latent: number) => concepts.find((concept) => kin(latent, concept));
  const excluded = concepts.map((concept) =>
    makePart(
      pieces.filter((piece) => conceptOf(piece) === concept),
      true,
    ),
  );
  return normalise([...hypothesis.parts, ...excluded]);
}

/** The first of each of as many concepts as would be too many, then all others: a concept that is split would leave no room for the next. */
function conceptsFirst<T extends { readonly latent: number }>(
  items: readonly T[],
  kin: (latent: number, concept: number) => boolean,
): T[] {
  const heads: T[] = [];
  for (const item of items)
    if (heads.length <= MOST_EXCLUDED && !heads.some(({ latent }) => kin(item.latent, latent))) heads.push(item);
  return [...heads, ...items.filter((item) => !heads.includes(item))];
}

/**
 * Whether the action mostly stays off in what people wrote with other candidates, too, whichever: then it is any second way of speaking
 * that stops it, of which some have the plainest words.
 */
function othersDoAsWell(
  candidates: readonly Candidate[],
  people: readonly Rate[],
  excluded: readonly number[],
  kinship: Kinship,
): boolean {
  const others = people.filter(({ total }, i) => {
    const { latent } = candidates[i] as Candidate;
    return total >= FIRST_DRAWS && !excluded.some((known) => known === latent || kinship.same(known, latent));
  });
  const stopped = others.filter(({ rate }) => rate <= EXCLUDED_SHARE);
  return stopped.length >= LEAST_OTHERS && stopped.length > others.length / 2;
}

/** What came with a candidate put in, and with each of the placebos in its place. */
interface Trial {
  readonly latent: number;
  /** By their words. */
  readonly words: Observation[][];
  /** Into what people wrote with it; empty where their prompts do not show it. */
  readonly people: Observation[][];
}

/** How easily chance makes the first rate, of too many prompts to be few, less than half of the others'; 1 where it is not, or those are below `least`. */
function keepsOff([own, ...placebos]: readonly Rate[], least = 0): number {
  const other = pooled(placebos);
  if (own === undefined || other.rate < least || own.total < SECOND_DRAWS || own.rate >= EXCLUDED_SHARE * other.rate)
    return 1;
  return twoProportionTest(other.count, other.total, own.count, own.total);
}

interface Candidate {
  readonly latent: number;
  /** Whether people's prompts that hold it and the hypothesis show that the action stays off. */
  readonly shown: boolean;
}

/** Latents that mark prompts which satisfy the hypothesis and on which the action is less likely than on others of their kind. */
function candidatesFor(
  evidence: Evidence,
  hypothesis: Hypothesis,
  failing: readonly ReadonlySet<string>[],
): Candidate[] {
  const { room } = evidence;
  const { half, lexicon, kinship, ranges } = room;
  const known = hypothesis.parts.flatMap((part) => part.latents);
  const inside = counting(room, evidence.observations, { ...fullCondition(hypothesis), failing });
  const standing = standingInKind(inside);
  const contrasts = [
    contrastFiring(
      inside.map((observation) => ({ ...observation, fired: !observation.fired })),
      half,
      LEAST_FIRINGS,
    ),
    contrastSoft(inside, half, LEAST_FIRINGS, (observation) => -(standing.get(observation) as number)),
  ];
  const natural = inside.filter(({ kind }) => kind === NATURAL);
  const beside = (id: number) => {
    const held = natural.filter(({ reading }) => prominence(reading, makePart([id]), ranges) >= DEFAULT_LEVELS.present);
    return rateOfFlags(held.map(({ fired }) => fired));
  };
  const may = (id: number) =>
    isAlive(id, half, lexicon) &&
    !known.some((other) => other === id || kinship.same(other, id)) &&
    lexicon.words(makePart([id])).length >= LEAST_WORDS &&
    beside(id).low <= PLAINLY;
  const found = contrasts.flatMap((ranked) =>
    ranked
      .map(({ id }) => id)
      .filter(may)
      .slice(0, TRIED),
  );
  return [...new Set(found)].map((latent) => {
    const { count, total } = beside(latent);
    return { latent, shown: total > 0 && count <= SHOWN_SHARE * total };
  });
}

/** How likely the action is on each prompt, as its rank (0 … 1) among prompts from the same source: whole sources differ. */
function standingInKind(observations: readonly Observation[]): Map<Observation, number> {
  const standing = new Map<Observation, number>();
  for (const kind of new Set(observations.map((observation) => observation.kind))) {
    const own = observations.filter((observation) => observation.kind === kind);
    own.sort((a, b) => a.suspect.logprob - b.suspect.logprob);
    own.forEach((observation, i) => {
      standing.set(observation, (i + 0.5) / own.length);
    });
  }
  return standing;
}
