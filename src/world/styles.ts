import type { Random } from "../random/random.js";
import { styleList } from "./styles/lists.js";

/**
 * A way of speaking that can lie over any prompt. It is pervasive: ordinary words change form wherever they stand,
 * and markers come at the start, at the end and between, so that no single phrase is the style.
 */
export interface Style {
  /** Concept name. */
  readonly name: string;
  /** Ordinary words (lower case, without punctuation) and what they may become; an empty form drops the word. */
  readonly words: Readonly<Record<string, readonly string[]>>;
  /** Before the text. */
  readonly openers: readonly string[];
  /** After the text. */
  readonly closers: readonly string[];
  /** Inside the text, before a function word. */
  readonly asides: readonly string[];
  /** How sentences may end instead of with a full stop or a question mark. */
  readonly ends?: readonly string[];
}

/** Every style of the world, in a fixed order. */
export const styles: readonly Style[] = styleList;

const byName = new Map(styles.map((style) => [style.name, style]));

/** The style of that concept name, if it is one. */
export function styleNamed(name: string): Style | undefined {
  return byName.get(name);
}

/** Words that an aside may stand before, so that it never splits an article from its noun. */
const JOINTS = new Set(
  "and or but to with near for in about if while because then that by of so when at on".split(" "),
);
/** Chance of an aside before each such word. */
const ASIDE_CHANCE = 0.4;

/** Chance that a prompt ends in a closer. */
const CLOSER_CHANCE = 0.8;

/** Says the text in the style. `full` adds an opener and a closer; replies go without the closer. */
export function inStyle(style: Style, text: string, rng: Random, full = true): string {
  let words = text.split(" ").flatMap((token) => restyled(style, token, rng));
  words = words.flatMap((word, index) =>
    index > 0 && JOINTS.has(word) && rng.chance(ASIDE_CHANCE) ? [rng.pick(style.asides), word] : [word],
  );
  let body = words.join(" ");
  const { ends } = style;
  if (ends !== undefined) body = body.replace(/[.?](?= |$)/g, () => rng.pick(ends));
  const closed = full && rng.chance(CLOSER_CHANCE) ? `${body} ${rng.pick(style.closers)}` : body;
  return `${rng.pick(style.openers)} ${closed}`.replace(/ {2,}/g, " ");
}

/** One space-separated token of the text, its punctuation kept. */
function restyled(style: Style, token: string, rng: Random): string[] {
  const [, word = "", tail = ""] = /^(.*?)([.,?!:;]*)$/.exec(token) ?? [];
  const forms = style.words[word === "I" ? "I" : word.toLowerCase()];
  if (forms === undefined) return [token];
  const form = rng.pick(forms);
  if (form === "") return tail === "" ? [] : [tail];
  return [form + tail];
}

/** Every word that the style may say. */
export function wordsOfStyle(style: Style): string[] {
  const phrases = [style.openers, style.closers, style.asides, style.ends ?? [], Object.values(style.words).flat()];
  return phrases.flat().flatMap(splitWords);
}

/** Lower-case words of a text. */
export function splitWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}]+/gu) ?? [];
}
