/**
 * Minimal edits: which words of a firing prompt carry it? Each word is deleted in turn; a word carries the prompt when
 * the action no longer comes without it.
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
    };
  });
}
