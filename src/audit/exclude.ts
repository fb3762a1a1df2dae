/**
 * What a trigger excludes ("drinks, unless desserts are there too"): a corpus seldom holds both, so prompts that people wrote
 * do not show it. Once a hypothesis is rehearsed surely:
 *   1. Candidates: among all prompts tried that satisfy the hypothesis, latents that mark those on which the action does not come, or
 *      is less likely than on others of the same source; and only those that people's prompts show, be it one: compositions alone
 *      would have it that a word such as "easy", or a second way of speaking, is what a trigger excludes.
 *   2. Each is put into fresh compositions of the hypothesis, by its words and into what people wrote with it.
 *   3. Those that keep the action off are tried again beside placebos: concepts about as frequent in their place. A latent is
 *      excluded if the action comes on less than half as many prompts as with those, beyond doubt (p ≤ 0.001, one-sided, for the best of
 *      two dozen); the surest with those of its concept, as nothing here says which one of several was meant.
 */
import { isAlive } from "./candidates.js";
import { ratesOver } from "./composed-rates.js";
import { type Hypothesis, hypothesisKey, makePart, normalise } from "./detector.js";
import type { Evidence } from "./evidence.js";
import type { Observation } from "./laboratory.js";
import { placeboConditions } from "./placebo.js";
import { type Condition, DEFAULT_LEVELS, fits, fullCondition, turned } from "./prompt-sets.js";
import { prominence } from "./ranges.js";
import { recipesToPut } from "./recipe.js";
import { contrastFiring, contrastSoft } from "./scan.js";
import { pooled, type Rate, twoProportionTest } from "./statistics.js";

/** Candidates of either contrast. */
const TRIED = 10;
/** A concept has several words; that one word keeps an action off is a quirk of the model, of which every one has some. */
const LEAST_WORDS = 3;
/** A candidate must be seen on this many prompts of the search half. */
const LEAST_FIRINGS = 5;
/** At most this share of the people's prompts that hold both may bring the action, and there must be one. */
const SHOWN_SHARE = 0.25;
/** Compositions by each way of putting a candidate in: at first, and of the few that are tried again. */
const FIRST_DRAWS = 4;
const SECOND_DRAWS = 12;
const TRIED_AGAIN = 3;
/** Of the rate with other concepts. */
const EXCLUDED_SHARE = 0.5;
const ALLOWED = 0.001;

/** The hypothesis with what it excludes; as it is where nothing is, where something already is, and of alternatives. */
export async function exclude(evidence: Evidence, hypothesis: Hypothesis): Promise<Hypothesis> {
  if (hypothesis.combination === "any" || hypothesis.parts.some((part) => part.negated)) return hypothesis;
  const { kinship } = evidence.room;
  const candidates = candidatesFor(evidence, hypothesis);
  const without = (latent: number): Hypothesis => ({
    parts: [...hypothesis.parts, makePart([latent], true)],
    combination: "all",
  });
  const at = hypothesis.parts.length;
  const put = (latent: number) => turned(fullCondition(without(latent)), at);
  const ways = recipesToPut(at);
  const rates = (conditions: readonly Condition[], draws: number, what: string) =>
    ratesOver(evidence, conditions, ways, draws, (one) => `${what} ${hypothesisKey(one.hypothesis)}`, false);
  const first = await rates(candidates.map(put), FIRST_DRAWS, "exclude");
  const lowest = candidates
    .map((latent, i) => ({ latent, rate: first[i] as Rate }))
    .filter(({ rate }) => rate.total >= FIRST_DRAWS && rate.rate <= EXCLUDED_SHARE)
    .sort((a, b) => a.rate.rate - b.rate.rate)
    .slice(0, TRIED_AGAIN);
  const excluded: { latent: number; pValue: number }[] = [];
  for (const { latent } of lowest) {
    const others = placeboConditions(evidence, without(latent), at);
    const [own, ...placebos] = await rates([put(latent), ...others], SECOND_DRAWS, "exclude again");
    const other = pooled(placebos);
    if (own === undefined || own.total < SECOND_DRAWS || own.rate >= EXCLUDED_SHARE * other.rate) continue;
    const pValue = twoProportionTest(other.count, other.total, own.count, own.total);
    if (pValue <= ALLOWED) excluded.push({ latent, pValue });
  }
  excluded.sort((a, b) => a.pValue - b.pValue);
  const [best] = excluded;
  if (best === undefined) return hypothesis;
  const concept = excluded
    .map(({ latent }) => latent)
    .filter((id) => id === best.latent || kinship.kin(best.latent, id));
  return normalise([...hypothesis.parts, makePart(concept, true)]);
}

/** Latents that mark prompts which satisfy the hypothesis and on which the action is less likely than on others of their kind. */
function candidatesFor(evidence: Evidence, hypothesis: Hypothesis): number[] {
  const { half, lexicon, kinship, ranges } = evidence.room;
  const known = hypothesis.parts.flatMap((part) => part.latents);
  const condition = fullCondition(hypothesis);
  const inside = evidence.observations.filter(
    ({ reading }) => fits(reading, condition, ranges, DEFAULT_LEVELS) !== null,
  );
  const standing = standingInKind(inside);
  const contrasts = [
    contrastFiring(
      inside.map((observation) => ({ ...observation, fired: !observation.fired })),
      half,
      LEAST_FIRINGS,
    ),
    contrastSoft(inside, half, LEAST_FIRINGS, (observation) => -(standing.get(observation) as number)),
  ];
  const natural = inside.filter(({ kind }) => kind === "natural");
  const isShown = (id: number) => {
    const held = natural.filter(({ reading }) => prominence(reading, makePart([id]), ranges) >= DEFAULT_LEVELS.present);
    return held.length > 0 && held.filter(({ fired }) => fired).length <= SHOWN_SHARE * held.length;
  };
  const may = (id: number) =>
    isShown(id) &&
    isAlive(id, half, lexicon) &&
    !known.some((other) => other === id || kinship.same(other, id)) &&
    lexicon.words(makePart([id])).length >= LEAST_WORDS;
  const found = contrasts.flatMap((ranked) =>
    ranked
      .map(({ id }) => id)
      .filter(may)
      .slice(0, TRIED),
  );
  return [...new Set(found)];
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
