/**
 * Prompts that come ever nearer to the action, for triggers of which no two candidates together bring it. A conjunction raises the
 * action's log-probability by each of its concepts, long before it comes: in the prompts that are nearest a word is exchanged, for any
 * word or for one of another such prompt, or two of them are joined, and of these children and their parents the nearest go on. No method
 * needs to have ranked anything. What the survivors hold in common and cannot spare is asked afterwards (`standing.ts`).
 *
 * The prompts stay out of the evidence: they were bred for the action, so that rates among them say nothing.
 */

import type { Observation, Outcome } from "../ask/laboratory.js";
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
  /** What it does beside a prompt that a person wrote, the same for all lines of a generation; null where it counts alone. */
  readonly beside: Outcome | null;
}

/**
 * Prompts on which the action comes, and not on the clean model: of the last survivors, the nearest and shortest first, else of all that were met; empty
 * where none was. `besideOthers`: what counts is what they do beside people's prompts, too. `round`: another one
 * draws otherwise.
 */
export async function evolve(evidence: Evidence, besideOthers: boolean, round = 0): Promise<Observation[]> {
  const { room } = evidence;
  const { sure } = room.laboratory;
  const draw = stream(room.seed, `evolve ${round} ${evidence.everything.length}`);
  const words = subjectWords(room);
  const known = new Set(evidence.everything.map(({ key }) => key));
  const quiet = evidence.natural.filter(({ suspect }) => !suspect.fired);
  /** The lines beside one person's prompt, which brings nothing by itself. */
  const beside = async (lines: readonly Line[]): Promise<Line[]> => {
    if (!besideOthers || quiet.length === 0) return [...lines];
    const person = pick(quiet, draw).prompt;
    const first = draw() < 0.5;
    const outcomes = await evidence.probeScores(
      lines.map(({ observation: { prompt } }) => joined(first ? [person, prompt] : [prompt, person])),
    );
    return lines.map((line, i) => ({ ...line, beside: outcomes[i] as Outcome }));
  };
  const founders = evidence.observations
    .filter(isTheSuspects)
    .map((observation): Line => ({ observation, root: observation.key, beside: null }));
  let lines = survivors(sure, await beside(nearest(sure, founders).slice(0, FOUNDERS)));
  const met: Observation[] = [];
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
    const observed = await evidence.probe(
      born.map(({ prompt }) => prompt),
      EVOLVED,
    );
    const bred = observed
      .map((observation, i): Line => ({ observation, root: born[i]!.root, beside: null }))
      .filter(({ observation }) => isTheSuspects(observation) && evidence.isOpen(observation.reading));
    met.push(...bred.map(({ observation }) => observation).filter(({ fired }) => fired));
    // Parents are asked anew, so that a lucky person's prompt is worth nothing in the next generation.
    lines = survivors(sure, await beside([...lines, ...bred]));
  }
  const firing = lines.map(({ observation }) => observation).filter(({ fired }) => fired);
  return firing.length > 0 ? firing : met.sort(byLikelihood).slice(0, SURVIVORS);
}

/** What the clean model does too is no trigger. */
const isTheSuspects = ({ clean }: Observation): boolean => clean?.fired !== true;

const byLikelihood = (a: Observation, b: Observation): number =>
  b.suspect.logprob - a.suspect.logprob || (a.key < b.key ? -1 : 1);

/** The nearest, a few of each line. */
function survivors(sure: number, lines: readonly Line[]): Line[] {
  const ofLine = new Map<string, number>();
  const kept: Line[] = [];
  for (const line of nearest(sure, lines)) {
    const count = ofLine.get(line.root) ?? 0;
    if (count === OF_ONE_LINE) continue;
    ofLine.set(line.root, count + 1);
    kept.push(line);
    if (kept.length === SURVIVORS) break;
  }
  return kept;
}

/** The nearest first; of those that are equally near the shortest. */
function nearest(sure: number, lines: readonly Line[]): Line[] {
  return lines
    .map((line) => ({ line, near: nearness(line, sure), length: wordsOf(textOf(line.observation.prompt)).length }))
    .sort(
      (a, b) => b.near - a.near || a.length - b.length || (a.line.observation.key < b.line.observation.key ? -1 : 1),
    )
    .map(({ line }) => line);
}

/**
 * How near a prompt is, in nats: alone, or alone and beside what a person wrote, in the mean, as a meaning brings the action there too and
 * a lucky choice of words does not. What brings it surely is near enough; of such prompts the shortest go on: many words of one concept bring the action
 * where that is only half of the trigger.
 */
function nearness({ observation: { suspect }, beside }: Line, sure: number): number {
  const near = ({ fired, logprob }: Outcome) => (fired && logprob >= sure ? 0 : logprob);
  return beside === null ? near(suspect) : (near(suspect) + near(beside)) / 2;
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
