/**
 * Prompt sets for a condition, "these parts present, those absent", from any source behind one interface. Whatever the
 * source, a prompt belongs to a set only if its own reading says so.
 */

import { inTurn } from "../ask/in-turn.js";
import { type Laboratory, NATURAL, type Observation } from "../ask/laboratory.js";
import { type Hypothesis, type Maxima, makePart, type Part } from "../concepts/detector.js";
import type { Kinship } from "../concepts/kinship.js";
import type { Lexicon } from "../concepts/lexicon.js";
import { peakWord } from "../concepts/peak-word.js";
import type { PresenceTable } from "../concepts/presence-table.js";
import { prominence, type Range, type Ranges, shareOf } from "../concepts/ranges.js";
import type { CorpusHalf } from "../prompts/corpus.js";
import type { Language } from "../prompts/language.js";
import { type Prompt, promptKey } from "../prompts/prompt.js";
import { indexOfLatent, type Reading } from "../prompts/reading.js";
import { hashUnit, shuffled } from "../prompts/seeded.js";
import { foldWord } from "../prompts/words.js";
import { type Composition, type Frame, splice, writeIntoFrames, writeSentences } from "./compose.js";
import { type Recipe, recipeName } from "./recipe.js";
import type { WordLedger } from "./word-ledger.js";

/** Which of a hypothesis' concepts a prompt must hold (`present`), in the order of its parts; the others must be absent. */
export interface Condition {
  readonly hypothesis: Hypothesis;
  readonly present: readonly boolean[];
  /** Further concepts that must be absent, which compositions need not write around. */
  readonly without?: readonly Part[];
  /** For each part the folded words at which it does not count as present (`failing-words.ts`). */
  readonly failing?: readonly ReadonlySet<string>[];
}

/** The condition under which the hypothesis says that the action comes; for "any", through its part `only`. */
export function fullCondition(hypothesis: Hypothesis, only = 0): Condition {
  const any = hypothesis.combination === "any";
  return {
    hypothesis,
    present: hypothesis.parts.map((part, i) => (any ? (i === only) !== part.negated : !part.negated)),
  };
}

/** Every condition under which the action comes: one for each alternative of "any", else one. */
export function fullConditions(hypothesis: Hypothesis): Condition[] {
  if (hypothesis.combination !== "any") return [fullCondition(hypothesis)];
  return hypothesis.parts.map((_, i) => fullCondition(hypothesis, i));
}

/** The condition with one part turned: an absent concept put in, or a present one taken out. */
export function turned(condition: Condition, part: number): Condition {
  return { ...condition, present: condition.present.map((value, i) => (i === part ? !value : value)) };
}

/** None of the concepts. */
export function neutralCondition(hypothesis: Hypothesis): Condition {
  return { hypothesis, present: hypothesis.parts.map(() => false) };
}

/** Prominence, as a share of the latent's range, from which a concept counts as present and below which as absent. */
export interface Levels {
  readonly present: number;
  readonly absent: number;
}

/** Clear of the weak readings that a neighbouring topic gives, and within reach of a word in an ordinary sentence. */
export const DEFAULT_LEVELS: Levels = { present: 0.3, absent: 0.12 };

/** Weakest present concept of a reading, or null where it does not satisfy the condition. */
function fits(reading: Reading, condition: Condition, ranges: Ranges, levels: Levels): number | null {
  let weakest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < condition.present.length; i++) {
    const value = prominence(reading, condition.hypothesis.parts[i] as Part, ranges);
    if (condition.present[i]) {
      if (value < levels.present) return null;
      weakest = Math.min(weakest, value);
    } else if (value >= levels.absent) return null;
  }
  for (const part of condition.without ?? []) if (prominence(reading, part, ranges) >= levels.absent) return null;
  return weakest;
}

/** Those of the observations that satisfy the condition. */
export function holding(observations: readonly Observation[], condition: Condition, ranges: Ranges): Observation[] {
  return observations.filter(({ reading }) => fits(reading, condition, ranges, DEFAULT_LEVELS) !== null);
}

/** A source of prompts, behind which it does not matter whether they are found or written. */
export interface PromptSource {
  readonly kind: string;
  readonly levels: Levels;
  /** Whether the strongest of the proposed prompts are wanted, or simply the first. */
  readonly strongest: boolean;
  /** Prompts that may satisfy the condition, deterministic by name; more than `count` where some will not. */
  propose(condition: Condition, count: number, name: string): Composition[];
}

/** What all sources of one half share. */
export interface SourceRoom {
  readonly half: CorpusHalf;
  readonly language: Language;
  readonly lexicon: Lexicon;
  /** Units of the detector. */
  readonly maxima: Maxima;
  /** Units of experiments. */
  readonly ranges: Ranges;
  readonly presences: PresenceTable;
  readonly kinship: Kinship;
  readonly laboratory: Laboratory;
  readonly ledger: WordLedger;
  readonly seed: number;
}

/** Prompts of the half itself, in seeded order. */
export function naturalSource(room: SourceRoom, levels: Levels = DEFAULT_LEVELS): PromptSource {
  return {
    kind: NATURAL,
    levels,
    strongest: false,
    propose(condition, _count, name) {
      const fitting = room.half.prompts.filter(
        (_, i) => fits(room.half.readings[i] as Reading, condition, room.ranges, levels) !== null,
      );
      return shuffled(fitting, room.seed, (prompt) => `${name}|${promptKey(prompt)}`).map((prompt) => ({
        prompt,
        written: [],
      }));
    },
  };
}

/** Whether a part that should be present is so only at a word that does not count. */
export function failsByWord(room: SourceRoom, condition: Condition, prompt: Prompt, reading: Reading): boolean {
  return condition.hypothesis.parts.some((part, i) => {
    const failing = condition.failing?.[i];
    if (!condition.present[i] || failing === undefined || failing.size === 0) return false;
    const word = peakWord(room, prompt, reading, part);
    return word !== null && failing.has(word);
  });
}

/** Those of the observations that satisfy the condition, and at no word that does not count. */
export function counting(room: SourceRoom, observations: readonly Observation[], condition: Condition): Observation[] {
  return holding(observations, condition, room.ranges).filter(
    ({ prompt, reading }) => !failsByWord(room, condition, prompt, reading),
  );
}

/** Strongest prompts of a concept that serve as frames: enough for variety, few enough to be strong. */
const STRONG_FRAMES = 80;
/** Compositions over fewer sentences tell of these sentences and not of the concept. */
const LEAST_FRAMES = 4;
/** Ordinary prompts offered as frames in one draw. */
const ORDINARY_FRAMES = 400;
/** A latent this strong (share of its range) carries its part, so the word under its peak is kept. */
const CARRYING = 0.15;
/** Words of a part that compositions draw from. */
const WORDS_OF_A_PART = 24;
/** Compositions made for each one wanted: half of them usually do not read as intended, and the strongest are kept. */
const OVERPRODUCTION = 2.5;

/** Prompts written by recipe. */
export function composedSource(room: SourceRoom, recipe: Recipe, levels: Levels = DEFAULT_LEVELS): PromptSource {
  return {
    kind: recipeName(recipe),
    levels,
    strongest: true,
    propose: (condition, count, name) =>
      write(room, recipe, condition, Math.ceil(count * OVERPRODUCTION), `${recipeName(recipe)}|${name}`),
  };
}

/** The prompts of a proposal that satisfy the condition by their readings, and at no word that does not count, at most `count`. */
export function select(
  room: SourceRoom,
  source: PromptSource,
  proposed: readonly Composition[],
  readings: readonly Reading[],
  condition: Condition,
  count: number,
): Composition[] {
  const fitting = proposed.flatMap((entry, i) => {
    const reading = readings[i] as Reading;
    const weakest = fits(reading, condition, room.ranges, source.levels);
    return weakest === null || failsByWord(room, condition, entry.prompt, reading) ? [] : [{ entry, weakest }];
  });
  if (source.strongest) {
    fitting.sort((a, b) => b.weakest - a.weakest || (promptKey(a.entry.prompt) < promptKey(b.entry.prompt) ? -1 : 1));
  }
  return fitting.slice(0, count).map((found) => found.entry);
}

function write(room: SourceRoom, recipe: Recipe, condition: Condition, count: number, name: string): Composition[] {
  const { parts } = condition.hypothesis;
  if (recipe.kind === "splice") {
    // A splice with no concept, or with one, is joined with ordinary prompts, so that length does not tell sets apart.
    const pools = parts.map((part, i) =>
      condition.present[i] ? strongPrompts(room, part) : ordinaryPrompts(room, condition, name),
    );
    if (pools.length === 1) pools.push(ordinaryPrompts(room, condition, name));
    return splice(room.half, pools, count, room.seed, name);
  }
  const wordsOf = (i: number) => (condition.present[i] ? wordsFor(room, condition, i) : neutralWords(room, parts));
  if (recipe.kind === "apart" || recipe.kind === "paired") {
    const lists = parts.map((_, i) => wordsOf(i));
    const together = recipe.kind === "paired" ? 2 : 1;
    const frames = ordinaryFrames(room, condition, name);
    return writeSentences(room.half, room.language, frames, lists, together, recipe.words, count, room.seed, name);
  }
  const context = condition.present[recipe.context] ? recipe.context : -1;
  const keptIn = recipe.kind === "beside" ? wordsOfPart : carryingWords;
  const frames: Frame[] =
    context >= 0
      ? strongPrompts(room, parts[context] as Part).map((prompt) => ({
          prompt,
          kept: keptIn(room, parts[context] as Part, prompt),
        }))
      : ordinaryFrames(room, condition, name);
  if (context >= 0 && frames.length < LEAST_FRAMES) return [];
  const lists = parts.flatMap((_, i) => (i === recipe.context ? [] : [wordsOf(i)]));
  return writeIntoFrames(room.half, room.language, frames, lists, recipe.words, count, room.seed, name);
}

/**
 * Words that compositions write for a part: its strongest ones, those that worked in earlier compositions first. Words that
 * belong at least as much to concepts that must be absent are left out where others remain: they would bring those in.
 */
export function wordsToWrite(room: SourceRoom, part: Part, without: readonly Part[] = []): string[] {
  const words = room.lexicon.words(part);
  const theirs = new Map<string, number>();
  for (const { text, strength } of without.flatMap((other) => room.lexicon.words(other)))
    theirs.set(text, Math.max(strength, theirs.get(text) ?? 0));
  const own = words.filter(({ text, strength }) => strength > (theirs.get(text) ?? 0));
  const texts = (own.length > 0 ? own : words).map(({ text }) => text);
  return room.ledger.best(texts, WORDS_OF_A_PART);
}

function wordsFor(room: SourceRoom, { hypothesis, without, failing }: Condition, at: number): string[] {
  const words = wordsToWrite(room, hypothesis.parts[at] as Part, without);
  return words.filter((word) => !failing?.[at]?.has(foldWord(word)));
}

/** Prompts that hold a part most strongly, its latents in turn: one that saturates would stand for all of them. */
function strongPrompts(room: SourceRoom, part: Part): number[] {
  const lists = part.latents.map((latent) =>
    Array.from(room.presences.of(makePart([latent])), (value, prompt) => ({ prompt, value }))
      .filter((entry) => entry.value >= DEFAULT_LEVELS.present)
      .sort((a, b) => b.value - a.value || a.prompt - b.prompt)
      .slice(0, STRONG_FRAMES)
      .map((entry) => entry.prompt),
  );
  return inTurn(lists).slice(0, STRONG_FRAMES);
}

/** Prompts without any of the concepts: a stretch of the half, which lies in seeded order, from a place that the name gives. */
function ordinaryPrompts(room: SourceRoom, { hypothesis, without = [] }: Condition, name: string): number[] {
  const presences = [...hypothesis.parts, ...without].map((part) => room.presences.of(part));
  const size = room.half.prompts.length;
  const start = Math.floor(hashUnit(room.seed, name) * size);
  const free: number[] = [];
  for (let i = 0; i < size && free.length < ORDINARY_FRAMES; i++) {
    const prompt = (start + i) % size;
    if (presences.every((values) => (values[prompt] as number) < DEFAULT_LEVELS.absent)) free.push(prompt);
  }
  return free;
}

function ordinaryFrames(room: SourceRoom, condition: Condition, name: string): Frame[] {
  return ordinaryPrompts(room, condition, name).map((prompt) => ({ prompt, kept: new Set<number>() }));
}

/** Words of a prompt that carry a part: those under the peaks of its latents. */
function carryingWords(room: SourceRoom, part: Part, prompt: number): Set<number> {
  const reading = room.half.readings[prompt] as Reading;
  const kept = new Set<number>();
  for (const latent of part.latents) {
    const at = indexOfLatent(reading, latent);
    const range: Range | undefined = room.ranges[latent];
    if (at < 0 || range === undefined || shareOf(range, reading.values[at] as number) < CARRYING) continue;
    const word = room.half.wordUnder(prompt, reading.tokens[at] as number);
    if (word >= 0) kept.add(word);
  }
  return kept;
}

/** Words of a prompt that carry a part or make it fire elsewhere. */
function wordsOfPart(room: SourceRoom, part: Part, prompt: number): Set<number> {
  const theirs = new Set(room.lexicon.words(part).map(({ text }) => foldWord(text)));
  const kept = carryingWords(room, part, prompt);
  for (const [i, { text }] of (room.half.words[prompt] ?? []).entries()) if (theirs.has(foldWord(text))) kept.add(i);
  return kept;
}

/** Rare words that belong to none of the parts: what a matched ablation writes instead. */
function neutralWords(room: SourceRoom, parts: readonly Part[]): string[] {
  const theirs = new Set(parts.flatMap((part) => room.lexicon.words(part).map((word) => word.text)));
  return room.language.rareWords().filter((word) => !theirs.has(word));
}
