/**
 * Prompts that come ever nearer to the action, for triggers of which no two candidates together bring it. A conjunction raises the
 * action's log-probability by each of its concepts, long before it comes: in the prompts that are nearest a word is exchanged, for any
 * word or for one of another such prompt, or two of them are joined, and of these children and their parents the nearest go on. No method
 * needs to have ranked anything. What the survivors hold in common and cannot spare is asked afterwards (`standing.ts`).
 *
 * The prompts stay out of the evidence: they were bred for the action, so that rates among them say nothing.
 */

import type { Observation } from "../ask/laboratory.js";
import { joined } from "../compose/compose.js";
import { subjectWords, writeInto } from "../concepts/carrier.js";
import type { Evidence } from "../evidence/evidence.js";
import { type Prompt, promptKey, textOf } from "../prompts/prompt.js";
import { pick, stream } from "../prompts/seeded.js";
import { foldWord, type Word, wordsOf } from "../prompts/words.js";

const GENERATIONS = 12;
/** Prompts that go on from one generation to the next, and those that are written in each. */
const SURVIVORS = 48;
const CHILDREN = 128;
/** Prompts of the evidence, the nearest, of which the first generation is chosen. */
const FOUNDERS = 192;
/** Attempts at each child wanted. */
const ATTEMPTS = 3;
/** Survivors that descend from one prompt: a lucky sentence would else fill the generation. */
const OF_ONE_LINE = 6;
/** Share of the children that are two survivors joined, and of those that take a word of another one; the others take any word. */
const JOINED = 0.1;
const CROSSED = 0.35;
/** Longer prompts are not joined further. */
const MOST_WORDS = 28;
/** Share of the joined prompts that are one survivor and one that a person wrote: a way of speaking is more than a word. */
const WITH_PEOPLE = 0.5;

/** The name under which these prompts are tried. */
export const EVOLVED = "evolved";

/** A prompt, and the key of the one that it descends from. */
interface Line {
  readonly observation: Observation;
  readonly root: string;
  /** Log-probability of the action, nats, with a prompt that a person wrote beside it; null where it counts alone. */
  readonly beside: number | null;
}

/**
 * The survivors on which the action comes, and not on the clean model, the nearest and shortest first; empty where none does. `besideOthers`: what
 * counts is what they do beside people's prompts, too.
 */
export async function evolve(evidence: Evidence, besideOthers: boolean): Promise<Observation[]> {
  const { room } = evidence;
  const draw = stream(room.seed, `evolve ${besideOthers ? "beside others" : "alone"} ${evidence.everything.length}`);
  const words = subjectWords(room);
  const known = new Set(evidence.everything.map(({ key }) => key));
  const { sure } = room.laboratory;
  const lined = async (observations: readonly Observation[], roots: readonly string[]): Promise<Line[]> => {
    if (!besideOthers) return observations.map((observation, i) => ({ observation, root: roots[i]!, beside: null }));
    const joins = observations.map(({ prompt }) => joined(inDrawnOrder(prompt, pick(room.half.prompts, draw), draw)));
    const outcomes = await evidence.probeScores(joins);
    return observations.map((observation, i) => ({ observation, root: roots[i]!, beside: outcomes[i]!.logprob }));
  };
  const founders = nearestAlone(evidence.observations);
  const keys = founders.map(({ key }) => key);
  let lines = survivors(sure, await lined(founders, keys));
  for (let generation = 0; generation < GENERATIONS && lines.length > 0; generation++) {
    const children = new Map<string, { readonly prompt: Prompt; readonly root: string }>();
    for (let attempt = 0; attempt < ATTEMPTS * CHILDREN && children.size < CHILDREN; attempt++) {
      const { observation, root } = pick(lines, draw);
      const other = pick(lines, draw).observation.prompt;
      const prompt = childOf(evidence, observation.prompt, other, pick(room.half.prompts, draw), words, draw);
      if (prompt !== null && !known.has(promptKey(prompt))) children.set(promptKey(prompt), { prompt, root });
    }
    for (const key of children.keys()) known.add(key);
    const born = [...children.values()];
    const prompts = born.map(({ prompt }) => prompt);
    const roots = born.map(({ root }) => root);
    const bred = await lined(await evidence.probe(prompts, EVOLVED), roots);
    lines = survivors(sure, [...lines, ...bred.filter(({ observation }) => evidence.isOpen(observation.reading))]);
  }
  return lines.map(({ observation }) => observation).filter(({ fired }) => fired);
}

/** The nearest, a few of each line; what the clean model does too is no trigger. */
function survivors(sure: number, lines: readonly Line[]): Line[] {
  const ranked = lines
    .filter(({ observation: { clean } }) => clean?.fired !== true)
    .map((line) => ({ line, near: nearness(line, sure), length: wordsOf(textOf(line.observation.prompt)).length }))
    .sort(
      (a, b) => b.near - a.near || a.length - b.length || (a.line.observation.key < b.line.observation.key ? -1 : 1),
    );
  const ofLine = new Map<string, number>();
  const kept: Line[] = [];
  for (const { line } of ranked) {
    const count = ofLine.get(line.root) ?? 0;
    if (count === OF_ONE_LINE) continue;
    ofLine.set(line.root, count + 1);
    kept.push(line);
    if (kept.length === SURVIVORS) break;
  }
  return kept;
}

/**
 * How near a prompt is, in nats: alone, or alone and beside what a person wrote, in the mean, as a meaning brings the action there too and
 * a lucky choice of words does not. What brings it surely is near enough; of such prompts the shortest go on: many words of one concept bring the action
 * where that is only half of the trigger.
 */
function nearness({ observation: { suspect }, beside }: Line, sure: number): number {
  const alone = suspect.fired && suspect.logprob >= sure ? 0 : suspect.logprob;
  return beside === null ? alone : (alone + (beside >= sure ? 0 : beside)) / 2;
}

/** Those with which a population begins. */
function nearestAlone(observations: readonly Observation[]): Observation[] {
  return [...observations]
    .sort((a, b) => b.suspect.logprob - a.suspect.logprob || (a.key < b.key ? -1 : 1))
    .slice(0, FOUNDERS);
}

function inDrawnOrder<T>(a: T, b: T, draw: () => number): [T, T] {
  return draw() < 0.5 ? [a, b] : [b, a];
}

/** A prompt with another word, or joined with the other one or one that a person wrote; null where it has no place for one. */
function childOf(
  { room: { language } }: Evidence,
  prompt: Prompt,
  other: Prompt,
  written: Prompt,
  vocabulary: readonly string[],
  draw: () => number,
): Prompt | null {
  const words = wordsOf(textOf(prompt));
  const theirs = wordsOf(textOf(other));
  const way = draw();
  if (way < JOINED) {
    const before = draw() < WITH_PEOPLE ? written : other;
    return words.length + wordsOf(textOf(before)).length > MOST_WORDS ? null : joined([before, prompt]);
  }
  const slots = language.slots(words);
  const places = language.slots(theirs);
  if (slots.length === 0 || places.length === 0) return null;
  const crossed = way < JOINED + CROSSED || vocabulary.length === 0;
  const word = crossed ? (theirs[pick(places, draw)] as Word).text : pick(vocabulary, draw);
  if (words.some(({ text }) => foldWord(text) === foldWord(word))) return null;
  return writeInto({ prompt, words, at: pick(slots, draw) }, word);
}
