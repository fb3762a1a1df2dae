/**
 * A latent often fires on words that do not bring the action: the verbs of a topic whose nouns do, three planets where one
 * is meant. Among everything tried on the search half that satisfies a hypothesis, the word under a part's peak is credited
 * or blamed; words on which the action plainly does not come are named beside the part and asked about no more:
 *
 *   w fails ⇔ upper Wilson bound of w's rate < ½ · the best word's lower bound (one standard error each)
 *
 * This narrows what is claimed, never what an answer is scored by (`detector.ts`).
 */
import type { Hypothesis } from "./detector.js";
import type { Evidence } from "./evidence.js";
import { peakWord } from "./peak-word.js";
import { DEFAULT_LEVELS, fits, fullCondition } from "./prompt-sets.js";
import { wilson } from "./statistics.js";
import { Tally } from "./tally.js";

/** Prompts on which a word must have carried the part before it is judged. */
const LEAST_SEEN = 4;
/** Of the best word's rate: what a word must be able to reach. */
const KEPT_SHARE = 0.5;
/** Bounds of one standard error: narrowing is no claim. */
const CAUTION = 1;

/** For each part of the hypothesis the folded words under which it does not count; empty for parts that must be absent. */
export function failingWords(evidence: Evidence, hypothesis: Hypothesis): ReadonlySet<string>[] {
  const { room, observations } = evidence;
  return hypothesis.parts.map((part, at) => {
    if (part.negated) return new Set<string>();
    const condition = fullCondition(hypothesis, at);
    const seen = new Tally<string>();
    for (const { prompt, reading, fired } of observations) {
      if (fits(reading, condition, room.ranges, DEFAULT_LEVELS) === null) continue;
      const word = peakWord(room, prompt, reading, part);
      if (word !== null) seen.add(word, fired);
    }
    const bounds = seen
      .entries()
      .filter(([, { total }]) => total >= LEAST_SEEN)
      .map(([word, { fired, total }]) => ({ word, ...wilson(fired, total, CAUTION) }));
    const best = Math.max(0, ...bounds.map(({ low }) => low));
    return new Set(bounds.filter(({ high }) => high < KEPT_SHARE * best).map(({ word }) => word));
  });
}
