/**
 * Writes prompts by recipe: takes sentences of one half of the corpus and exchanges some of their words, or joins whole
 * prompts. Only texts are made here; whether the concepts really came out present is read afterwards.
 */
import type { CorpusHalf } from "./corpus.js";
import type { Language } from "./language.js";
import { type Prompt, promptKey, textOf, withText } from "./prompt.js";
import { pick, stream } from "./seeded.js";
import { foldWord, replaceWords, type Word } from "./words.js";

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

/** Words drawn for each slot, of which the one that suits the slot best is written. */
const DRAWS_A_SLOT = 6;
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
  const made = new Map<string, Composition>();
  for (let attempt = 0; attempt < count * ATTEMPTS && made.size < count; attempt++) {
    const frame = frames[(start + attempt) % frames.length] as Frame;
    const places = half.words[frame.prompt] as readonly Word[];
    const slots = language.slots(places, frame.kept);
    const each = Math.min(words, Math.floor(slots.length / lists.length));
    if (each === 0) continue;
    const used = slots.slice(0, each * lists.length);
    const changes = new Map<number, string>();
    const written = new Set<string>();
    for (const { slot, list } of assign(used, lists, draw)) {
      const word = suitable(list, (places[slot] as Word).text, language, written, draw);
      if (word === undefined) continue;
      written.add(foldWord(word));
      changes.set(slot, word);
    }
    const source = half.prompts[frame.prompt] as Prompt;
    const prompt = withText(source, replaceWords(textOf(source), places, changes));
    const key = promptKey(prompt);
    if (key !== promptKey(source) && !made.has(key)) made.set(key, { prompt, written: [...written].sort() });
  }
  return [...made.values()];
}

/** Deals slots to lists in turn, from a drawn start, so that no concept always gets the best place. */
function assign<T>(slots: readonly number[], lists: readonly T[], draw: () => number): { slot: number; list: T }[] {
  const start = Math.floor(draw() * lists.length);
  return slots.map((slot, i) => ({ slot, list: lists[(start + i) % lists.length] as T }));
}

/** Draws some unused words and returns the one that stands in places most like the replaced word's. */
function suitable(
  list: readonly string[],
  replaced: string,
  language: Language,
  used: ReadonlySet<string>,
  draw: () => number,
): string | undefined {
  let best: string | undefined;
  let most = -1;
  for (let i = 0; i < DRAWS_A_SLOT; i++) {
    const word = pick(list, draw);
    if (used.has(foldWord(word)) || foldWord(word) === foldWord(replaced)) continue;
    const fit = language.exchangeable(word, replaced);
    if (fit > most) {
      most = fit;
      best = word;
    }
  }
  return best;
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
  const made = new Map<string, Composition>();
  for (let attempt = 0; attempt < count * ATTEMPTS && made.size < count; attempt++) {
    const chosen = pools.map((pool) => half.prompts[pick(pool, draw)] as Prompt);
    const turn = Math.floor(draw() * chosen.length);
    const order = chosen.map((_, i) => chosen[(i + turn) % chosen.length] as Prompt);
    const prompt = withText(order.at(-1) as Prompt, order.map(textOf).join(" "));
    made.set(promptKey(prompt), { prompt, written: [] });
  }
  return [...made.values()];
}
