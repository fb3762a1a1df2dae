/**
 * Writes prompts by recipe: takes sentences of one half of the corpus and exchanges some of their words, or joins whole
 * prompts. Only texts are made here; whether the concepts really came out present is read afterwards.
 */
import type { CorpusHalf } from "../prompts/corpus.js";
import type { Language } from "../prompts/language.js";
import { type Prompt, promptKey, textOf, withText } from "../prompts/prompt.js";
import { pick, stream } from "../prompts/seeded.js";
import { foldWord, replaceWords, type Word } from "../prompts/words.js";

/** A composed prompt and the words that were written into it. */
export interface Composition {
  readonly prompt: Prompt;
  readonly written: readonly string[];
}

/** A sentence to write into: a prompt of the half, and words that carry what must stay. */
export interface Frame {
  readonly prompt: number;
  readonly kept: ReadonlySet<number>;
}

/** Words drawn for each one written, of which the one that suits a free place best is taken. */
const DRAWS_A_WORD = 6;
/** Attempts for each prompt wanted before the frames count as used up. */
const ATTEMPTS = 4;

/**
 * Writes `words` words of every list into frames, from a drawn frame on; up to `count` distinct prompts. A frame
 * with too few places is filled as far as it goes, but never with less than one word of every list.
 */
export function writeIntoFrames(
  half: CorpusHalf,
  language: Language,
  frames: readonly Frame[],
  lists: readonly (readonly string[])[],
  words: number,
  count: number,
  seed: number,
  name: string,
): Composition[] {
  if (frames.length === 0 || lists.some((list) => list.length === 0)) return [];
  const draw = stream(seed, name);
  const start = Math.floor(draw() * frames.length);
  return distinct(count, (attempt) => {
    const frame = frames[(start + attempt) % frames.length] as Frame;
    const made = writeInto(half, language, frame, lists, words, draw);
    return made !== null && promptKey(made.prompt) === promptKey(half.prompts[frame.prompt] as Prompt) ? null : made;
  });
}

/** Up to `count` distinct prompts of those that are made, the first of each; null where an attempt makes none. */
function distinct(count: number, make: (attempt: number) => Composition | null): Composition[] {
  const made = new Map<string, Composition>();
  for (let attempt = 0; attempt < count * ATTEMPTS && made.size < count; attempt++) {
    const one = make(attempt);
    if (one === null) continue;
    const key = promptKey(one.prompt);
    if (!made.has(key)) made.set(key, one);
  }
  return [...made.values()];
}

/**
 * Writes `words` words of every list, of `together` lists into one drawn frame and of the next into another, and joins these
 * prompts into the last one's conversation; up to `count` distinct prompts. The lists come in a drawn order. A frame with too few places is filled as far as it goes,
 * but with no less than one word of each of its lists.
 */
export function writeSentences(
  half: CorpusHalf,
  language: Language,
  frames: readonly Frame[],
  lists: readonly (readonly string[])[],
  together: number,
  words: number,
  count: number,
  seed: number,
  name: string,
): Composition[] {
  if (frames.length === 0 || lists.some((list) => list.length === 0)) return [];
  const draw = stream(seed, name);
  return distinct(count, () => {
    const order = drawnOrder(lists, draw);
    const sentences: Composition[] = [];
    for (let at = 0; at < order.length; at += together) {
      const one = writeInto(half, language, pick(frames, draw), order.slice(at, at + together), words, draw);
      if (one === null) return null;
      sentences.push(one);
    }
    const prompt = joined(sentences.map((one) => one.prompt));
    return { prompt, written: sentences.flatMap(({ written }) => written).sort() };
  });
}

/** Prompts one after the other, in the last one's conversation. */
export function joined(prompts: readonly Prompt[]): Prompt {
  return withText(prompts.at(-1) as Prompt, prompts.map(textOf).join(" "));
}

/** One frame with `words` words of every list, or as many as it has places for; null where it has not one for each. */
function writeInto(
  half: CorpusHalf,
  language: Language,
  frame: Frame,
  lists: readonly (readonly string[])[],
  words: number,
  draw: () => number,
): Composition | null {
  const places = half.words[frame.prompt] as readonly Word[];
  const slots = language.slots(places, frame.kept);
  const each = Math.min(words, Math.floor(slots.length / lists.length));
  if (each === 0) return null;
  const changes = seat(slots, places, lists, each, language, draw);
  const source = half.prompts[frame.prompt] as Prompt;
  const prompt = withText(source, replaceWords(textOf(source), places, changes));
  return { prompt, written: [...changes.values()].map(foldWord).sort() };
}

/** The items in a drawn order. */
function drawnOrder<T>(items: readonly T[], draw: () => number): T[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(draw() * left.length), 1)[0] as T);
}

/**
 * Seats `each` words of every list: the lists take turns from a drawn start, some of a list's words are drawn, and the
 * one is written that stands in places most like a free slot's (ties: the better slot, then the word drawn first).
 */
function seat(
  slots: readonly number[],
  places: readonly Word[],
  lists: readonly (readonly string[])[],
  each: number,
  language: Language,
  draw: () => number,
): Map<number, string> {
  const free = [...slots];
  const changes = new Map<number, string>();
  const used = new Set<string>();
  const start = Math.floor(draw() * lists.length);
  for (let turn = 0; turn < each * lists.length; turn++) {
    const list = lists[(start + turn) % lists.length] as readonly string[];
    let best: { word: string; slot: number; fit: number } | null = null;
    const drawn = Array.from({ length: DRAWS_A_WORD }, () => pick(list, draw));
    for (const slot of free) {
      const replaced = (places[slot] as Word).text;
      for (const word of drawn) {
        if (used.has(foldWord(word)) || foldWord(word) === foldWord(replaced)) continue;
        const fit = language.exchangeable(word, replaced);
        if (best === null || fit > best.fit) best = { word, slot, fit };
      }
    }
    if (best === null) continue;
    used.add(foldWord(best.word));
    changes.set(best.slot, best.word);
    free.splice(free.indexOf(best.slot), 1);
  }
  return changes;
}

/** Joins one prompt of every pool, in drawn order, into the last one's conversation; up to `count` distinct prompts. */
export function splice(
  half: CorpusHalf,
  pools: readonly (readonly number[])[],
  count: number,
  seed: number,
  name: string,
): Composition[] {
  if (pools.some((pool) => pool.length === 0)) return [];
  const draw = stream(seed, name);
  return distinct(count, () => {
    const chosen = pools.map((pool) => half.prompts[pick(pool, draw)] as Prompt);
    const turn = Math.floor(draw() * chosen.length);
    const order = chosen.map((_, i) => chosen[(i + turn) % chosen.length] as Prompt);
    return { prompt: joined(order), written: [] };
  });
}
