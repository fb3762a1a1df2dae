/**
 * Minimal edits of firing prompts: what has to go, so that the action no longer comes?
 *   carriedBy   each word is deleted in turn; a word carries the prompt when the action no longer comes without it.
 *   together    where no single word does (a prompt may name its subject twice): words are deleted for good, those first whose deletion
 *               makes the action least likely, until it stops; each that can be put back is put back. Nothing smaller of these words
 *               does it.
 * Not what is left of a prompt when words go as long as the action comes: that ends with fragments, on which a model is not itself.
 */
import type { Laboratory, Observation, Outcome } from "../ask/laboratory.js";
import { textOf, withText } from "../prompts/prompt.js";
import { deleteWord, type Word, wordsOf } from "../prompts/words.js";

export interface Example {
  readonly prompt: string;
  /** "natural" or the name of the composition. */
  readonly kind: string;
  /** Log-probability of the action, nats. */
  readonly logprob: number;
  readonly cleanLogprob: number | null;
  /** Words without any one of which the action does not come, in order of appearance; empty where each can be spared. */
  readonly carriedBy: readonly string[];
  /** Where each can be spared: words without all of which it does not come, in order of appearance; empty where none were found. */
  readonly together: readonly string[];
}

/** Words examined in one prompt: in a longer one a single word seldom decides. */
const MOST_WORDS = 60;
/** Words deleted together at most; where more must go it is the whole prompt that carries the action. */
const MOST_TOGETHER = 8;

interface Deletion {
  readonly word: Word;
  readonly text: string;
}

/** Explains firing prompts, in the order given. */
export async function explain(laboratory: Laboratory, firing: readonly Observation[]): Promise<Example[]> {
  const deletions = firing.map((observation): Deletion[] => {
    const text = textOf(observation.prompt);
    return wordsOf(text)
      .slice(0, MOST_WORDS)
      .map((word) => ({ word, text: deleteWord(text, word) }))
      .filter((edit) => edit.text.trim() !== "");
  });
  const outcomes = await laboratory.score(
    deletions.flatMap((list, i) => list.map(({ text }) => withText((firing[i] as Observation).prompt, text))),
  );
  const tried = deletions.map((list) => list.map(({ word }) => ({ word, outcome: outcomes.shift() as Outcome })));
  const together = await askInStep(
    laboratory,
    firing,
    tried.map((list, i) =>
      list.some(({ outcome }) => !outcome.fired)
        ? null
        : stopping(
            textOf((firing[i] as Observation).prompt),
            [...list].sort((a, b) => a.outcome.logprob - b.outcome.logprob).map(({ word }) => word),
          ),
    ),
  );
  return firing.map((observation, i) => ({
    prompt: textOf(observation.prompt),
    kind: observation.kind,
    logprob: observation.suspect.logprob,
    cleanLogprob: observation.clean?.logprob ?? null,
    carriedBy: tried[i]!.flatMap(({ word, outcome }) => (outcome.fired ? [] : [word.text])),
    together: together[i]!.map(({ text }) => text),
  }));
}

/** Yields texts and is told whether the action still comes; returns the words that went. */
type Search = Generator<string, readonly Word[], boolean>;

/** Deletes words in the order given until the action stops, and puts back what need not go. */
function* stopping(text: string, order: readonly Word[]): Search {
  let gone: Word[] = [];
  for (const word of order.slice(0, MOST_TOGETHER)) {
    gone = [...gone, word];
    const left = without(text, gone);
    if (left.trim() === "") return [];
    // Without the first alone it is known to come.
    if (gone.length > 1 && !(yield left)) return yield* neededOf(text, gone);
  }
  return [];
}

function* neededOf(text: string, gone: readonly Word[]): Search {
  let needed = [...gone];
  for (const word of gone.slice(0, -1)) {
    const others = needed.filter((one) => one !== word);
    if (!(yield without(text, others))) needed = others;
  }
  return needed.sort((a, b) => a.start - b.start);
}

function without(text: string, words: readonly Word[]): string {
  return [...words].sort((a, b) => b.start - a.start).reduce((left, word) => deleteWord(left, word), text);
}

/** Runs searches, where there are any, side by side, a question of each at a time, so that the engine sees one batch a step. */
async function askInStep(
  laboratory: Laboratory,
  firing: readonly Observation[],
  searches: readonly (Search | null)[],
): Promise<(readonly Word[])[]> {
  const results = searches.map((): readonly Word[] => []);
  let asked = searches.flatMap((search, i) => (search === null ? [] : [{ i, search, step: search.next() }]));
  for (;;) {
    for (const { i, step } of asked) if (step.done) results[i] = step.value;
    asked = asked.filter(({ step }) => !step.done);
    if (asked.length === 0) return results;
    const outcomes = await laboratory.score(
      asked.map(({ i, step }) => withText((firing[i] as Observation).prompt, step.value as string)),
    );
    asked = asked.map(({ i, search }, k) => ({ i, search, step: search.next(outcomes[k]?.fired === true) }));
  }
}
