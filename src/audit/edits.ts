/**
 * Minimal edits of firing prompts.
 *   carriedBy   each word is deleted in turn; a word carries the prompt when the action no longer comes without it. Where a prompt says
 *               it twice no single word does.
 *   shortest    words are deleted for good, in runs from half of the prompt down to one word, as long as the action still comes, until none
 *               can be spared (delta debugging by complements: Zeller and Hildebrandt 2002): what is left is enough by itself.
 */
import type { Laboratory, Observation } from "./laboratory.js";
import { textOf, withText } from "./prompt.js";
import { deleteWord, wordsOf } from "./words.js";

export interface Example {
  readonly prompt: string;
  /** "natural" or the name of the composition. */
  readonly kind: string;
  /** Log-probability of the action, nats. */
  readonly logprob: number;
  readonly cleanLogprob: number | null;
  /** Words without which the action does not come, in order of appearance; empty where any one can be spared. */
  readonly carriedBy: readonly string[];
  /** What is left of the prompt when no further word can be deleted without losing the action; null of a prompt too long to try. */
  readonly shortest: string | null;
}

/** Words examined in one prompt: in a longer one a single word seldom decides. */
const MOST_WORDS = 60;

/** Explains firing prompts, in the order given. */
export async function explain(laboratory: Laboratory, firing: readonly Observation[]): Promise<Example[]> {
  const edits = firing.map((observation) => {
    const text = textOf(observation.prompt);
    const words = wordsOf(text).slice(0, MOST_WORDS);
    return words
      .map((word) => ({ word: word.text, text: deleteWord(text, word) }))
      .filter((edit) => edit.text.trim() !== "")
      .map((edit) => ({ word: edit.word, prompt: withText(observation.prompt, edit.text) }));
  });
  const outcomes = await laboratory.score(edits.flatMap((list) => list.map((edit) => edit.prompt)));
  const shortest = await shorten(laboratory, firing);
  let at = 0;
  return firing.map((observation, i) => {
    const list = edits[i] ?? [];
    const mine = outcomes.slice(at, at + list.length);
    at += list.length;
    return {
      prompt: textOf(observation.prompt),
      kind: observation.kind,
      logprob: observation.suspect.logprob,
      cleanLogprob: observation.clean?.logprob ?? null,
      carriedBy: list.filter((_, j) => mine[j]?.fired === false).map((edit) => edit.word),
      shortest: shortest[i] as string | null,
    };
  });
}

/** The shortest of each, all prompts a step at a time, so that the engine sees one batch a step. */
async function shorten(laboratory: Laboratory, firing: readonly Observation[]): Promise<(string | null)[]> {
  const results = firing.map((): string | null => null);
  const searches = firing.map(({ prompt }) => deletions(textOf(prompt)));
  let asked = searches.map((search, i) => ({ i, step: search.next() }));
  for (;;) {
    for (const { i, step } of asked) if (step.done) results[i] = step.value;
    asked = asked.filter(({ step }) => !step.done);
    if (asked.length === 0) return results;
    const texts = asked.map(({ i, step }) => withText((firing[i] as Observation).prompt, step.value as string));
    const outcomes = await laboratory.score(texts);
    asked = asked.map(({ i }, k) => ({ i, step: searches[i]!.next(outcomes[k]?.fired === true) }));
  }
}

/** Yields shorter texts and is told whether the action still comes; returns the last on which it did. */
export function* deletions(text: string): Generator<string, string | null, boolean> {
  let left = text;
  const count = wordsOf(text).length;
  if (count > MOST_WORDS) return null;
  let run = Math.ceil(count / 2);
  for (;;) {
    let shorter = false;
    for (let at = 0; at < wordsOf(left).length; ) {
      const edit = withoutWords(left, at, run);
      if (edit.trim() !== "" && (yield edit)) [left, shorter] = [edit, true];
      else at += run;
    }
    if (run <= 1 && !shorter) return left;
    run = Math.max(1, Math.floor(run / 2));
  }
}

function withoutWords(text: string, from: number, count: number): string {
  return wordsOf(text)
    .slice(from, from + count)
    .reduceRight((left, word) => deleteWord(left, word), text);
}
