/**
 * A latent often fires on words that do not bring the action: the verbs of a topic whose nouns do, three planets where one
 * is meant. Everything tried on the search half that satisfies a hypothesis credits or blames the words that carry a part, and
 * those at which the action plainly does not come are named beside the part and asked about no more. The same of a part that must be
 * absent: what satisfies the rest and holds it credits its words where the action stays off.
 *
 *   w fails ⇔ upper Wilson bound of w's rate < ½ · the best word's lower bound (one standard error each)
 *
 * A prompt may hold several words of a part ("follow a dolphin"), and fires by any: what is credited to each is settled by `noisy-or.ts`.
 * This narrows what is claimed, never what an answer is scored by (`detector.ts`).
 */

import type { Observation } from "../ask/laboratory.js";
import { counting, fullCondition, holding, type SourceRoom, turned } from "../compose/prompt-sets.js";
import type { Hypothesis, Part } from "../concepts/detector.js";
import { peakWord } from "../concepts/peak-word.js";
import type { Evidence } from "../evidence/evidence.js";
import { textOf } from "../prompts/prompt.js";
import { foldWord, wordsOf } from "../prompts/words.js";
import { creditCauses } from "../statistics/noisy-or.js";
import { wilson } from "../statistics/statistics.js";

/** Prompts on which a word must have carried the part before it is judged. */
const LEAST_SEEN = 4;
/** Of the best word's rate: what a word must be able to reach. */
const KEPT_SHARE = 0.5;
/** Bounds of one standard error: narrowing is no claim. */
const CAUTION = 1;

/**
 * For each part of the hypothesis the folded words under which it does not count: of a part that must be absent those beside which the
 * action comes all the same. `without`: concepts beside which nothing is asked, and no word is blamed.
 */
export function failingWords(
  { room, observations }: Evidence,
  hypothesis: Hypothesis,
  without: readonly Part[] = [],
): ReadonlySet<string>[] {
  const bringing = hypothesis.parts.map((part, at) => {
    if (part.negated) return new Set<string>();
    const held = holding(observations, { ...fullCondition(hypothesis, at), without }, room.ranges);
    return failingOf(room, part, held, true);
  });
  return hypothesis.parts.map((part, at) => {
    if (!part.negated) return bringing[at] as ReadonlySet<string>;
    const put = { ...turned(fullCondition(hypothesis), at), without, failing: bringing };
    return failingOf(room, part, counting(room, observations, put), false);
  });
}

/** The folded words of the part that plainly do less than its best one: bring the action, or keep it off. */
function failingOf(
  room: SourceRoom,
  part: Part,
  observations: readonly Observation[],
  brings: boolean,
): ReadonlySet<string> {
  const known = new Set(room.lexicon.words(part).map(({ text }) => foldWord(text)));
  const credits = creditCauses(
    observations.map((seen) => ({ causes: carriers(room, part, known, seen), fired: seen.fired === brings })),
  );
  const bounds = [...credits]
    .filter(([, { total }]) => total >= LEAST_SEEN)
    .map(([word, { fired, total }]) => ({ word, ...wilson(fired, total, CAUTION) }));
  const best = Math.max(0, ...bounds.map(({ low }) => low));
  return new Set(bounds.filter(({ high }) => high < KEPT_SHARE * best).map(({ word }) => word));
}

/** The folded words of a prompt that may make a part fire: the one under its peak, and those that are `known` to. */
function carriers(
  room: SourceRoom,
  part: Part,
  known: ReadonlySet<string>,
  { prompt, reading }: Observation,
): ReadonlySet<string> {
  const peak = peakWord(room, prompt, reading, part);
  const theirs = wordsOf(textOf(prompt))
    .map(({ text }) => foldWord(text))
    .filter((word) => known.has(word));
  return new Set(peak === null ? theirs : [peak, ...theirs]);
}
