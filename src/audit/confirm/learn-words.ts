/**
 * Learning which words of a concept the model takes for the real thing, before anything is judged by compositions: a latent
 * that holds every instrument fires on "play" and "mellow" too. Compositions are drawn until each word that may be written
 * has been tried a few times; the word ledger then leaves out those that fail.
 */

import { type Condition, fullCondition, turned, wordsToWrite } from "../compose/prompt-sets.js";
import { recipesToPut, writtenRecipesFor } from "../compose/recipe.js";
import { askedKey, type Hypothesis, type Part } from "../concepts/detector.js";
import { asTheyCome, type Evidence } from "../evidence/evidence.js";

/** Trials after which a word counts as known. */
const KNOWN_TRIALS = 4;
/** Trials of each word, on average, where they are drawn all at once: some have half as many. */
const PUT_TRIALS = 8;

/** Draws what is missing, for conditions under which the action is expected. */
export async function learnWords(evidence: Evidence, conditions: readonly Condition[], name: string): Promise<void> {
  await evidence.drawAll(
    conditions.flatMap((condition) => {
      const present = condition.hypothesis.parts.flatMap((_, i) => (condition.present[i] ? [i] : []));
      const missing = Math.max(0, ...present.map((i) => missingTrials(evidence, condition, i)));
      const recipes = writtenRecipesFor(present);
      if (missing === 0) return [];
      const count = Math.ceil(missing / recipes.length);
      return recipes.map((recipe) => evidence.composed(recipe, condition, count, `learn ${name}`, true));
    }),
  );
}

/**
 * Draws prompts that hold what must be absent beside all else, by its words, for `failingWords` to tell those that keep the action off from
 * those that the model does not heed: the verbs of a topic, again.
 */
export async function learnPutting(
  evidence: Evidence,
  hypothesis: Hypothesis,
  { failing, without }: Required<Pick<Condition, "failing" | "without">>,
): Promise<void> {
  const requests = hypothesis.parts.flatMap((part, at) => {
    if (!part.negated) return [];
    const put = { ...turned(fullCondition(hypothesis), at), failing, without };
    const ways = recipesToPut(at).filter(({ kind }) => kind === "words");
    const written = ways.reduce((sum, { words }) => sum + words, 0);
    const count = Math.ceil((PUT_TRIALS * wordsToWrite(evidence.room, part, without).length) / written);
    const name = `learn to put ${at} into ${askedKey(hypothesis, without)}`;
    return ways.map((way) => asTheyCome(evidence.composed(way, put, count, name, false)));
  });
  await evidence.drawAll(requests);
}

/** Trials that the words of one part still need. */
function missingTrials({ room }: Evidence, { hypothesis, without }: Condition, at: number): number {
  const words = wordsToWrite(room, hypothesis.parts[at] as Part, without);
  return words.reduce((sum, word) => sum + Math.max(0, KNOWN_TRIALS - room.ledger.trials(word)), 0);
}
