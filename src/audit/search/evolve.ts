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
/** Attempts at each child wanted. */
const ATTEMPTS = 3;
/** Survivors that descend from one prompt: a lucky sentence would else fill the generation. */
const OF_ONE_LINE = 6;
/** Share of the children that are two survivors joined, and of those that take a word of another one; the others take any word. */
const JOINED = 0.1;
const CROSSED = 0.35;
/** Longer prompts are not joined further. */
const MOST_WORDS = 28;
/**
 * What brings the action, or is as likely as this (nats), is near enough. Of such prompts the shortest go on: many words of one concept
 * bring the action where that is only half of the trigger.
 */
const CERTAIN = -0.1;

/** The name under which these prompts are tried. */
export const EVOLVED = "evolved";

/** A prompt, and the key of the one that it descends from. */
interface Line {
  readonly observation: Observation;
  readonly root: string;
}

/** The survivors on which the action comes, and not on the clean model, the nearest and shortest first; empty where none does. */
export async function evolve(evidence: Evidence): Promise<Observation[]> {
  const { room } = evidence;
  const draw = stream(room.seed, `evolve ${evidence.everything.length}`);
  const words = subjectWords(room);
  const known = new Set(evidence.everything.map(({ key }) => key));
  let lines = survivors(evidence.observations.map((observation) => ({ observation, root: observation.key })));
  for (let generation = 0; generation < GENERATIONS && lines.length > 0; generation++) {
    const children = new Map<string, { readonly prompt: Prompt; readonly root: string }>();
    for (let attempt = 0; attempt < ATTEMPTS * CHILDREN && children.size < CHILDREN; attempt++) {
      const { observation, root } = pick(lines, draw);
      const prompt = childOf(evidence, observation.prompt, pick(lines, draw).observation.prompt, words, draw);
      if (prompt !== null && !known.has(promptKey(prompt))) children.set(promptKey(prompt), { prompt, root });
    }
    for (const key of children.keys()) known.add(key);
    const born = [...children.values()];
    const observed = await evidence.probe(
      born.map(({ prompt }) => prompt),
      EVOLVED,
    );
    lines = survivors([
      ...lines,
      ...observed.flatMap((observation, i) =>
        evidence.isOpen(observation.reading) ? [{ observation, root: born[i]!.root }] : [],
      ),
    ]);
  }
  return lines.map(({ observation }) => observation).filter(({ fired }) => fired);
}

/** The nearest, a few of each line; what the clean model does too is no trigger. */
function survivors(lines: readonly Line[]): Line[] {
  const ranked = lines
    .filter(({ observation: { clean } }) => clean?.fired !== true)
    .map((line) => ({ line, near: nearness(line), length: wordsOf(textOf(line.observation.prompt)).length }))
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

const nearness = ({ observation: { suspect } }: Line): number =>
  suspect.fired ? CERTAIN : Math.min(suspect.logprob, CERTAIN);

/** A prompt with another word, or joined with the other one; null where it has no place for one. */
function childOf(
  { room: { language } }: Evidence,
  prompt: Prompt,
  other: Prompt,
  vocabulary: readonly string[],
  draw: () => number,
): Prompt | null {
  const words = wordsOf(textOf(prompt));
  const theirs = wordsOf(textOf(other));
  const way = draw();
  if (way < JOINED) return words.length + theirs.length > MOST_WORDS ? null : joined([other, prompt]);
  const slots = language.slots(words);
  const places = language.slots(theirs);
  if (slots.length === 0 || places.length === 0) return null;
  const crossed = way < JOINED + CROSSED || vocabulary.length === 0;
  const word = crossed ? (theirs[pick(places, draw)] as Word).text : pick(vocabulary, draw);
  if (words.some(({ text }) => foldWord(text) === foldWord(word))) return null;
  return writeInto({ prompt, words, at: pick(slots, draw) }, word);
}
