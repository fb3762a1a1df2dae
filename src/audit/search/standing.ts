/**
 * What stands for what: which words a firing prompt cannot spare, and which others could stand in their places. The words with which the
 * action still comes at a place are the model's own idea of the concept that it needs there; the latents that mark them stand for it. What
 * no single word brings, such as a style, shows as latents that the prompts have in common.
 */

import type { Observation } from "../ask/laboratory.js";
import { DEFAULT_LEVELS } from "../compose/prompt-sets.js";
import { subjectWords, writeInto } from "../concepts/carrier.js";
import { makePart } from "../concepts/detector.js";
import { peakPlace } from "../concepts/peak-word.js";
import { prominence } from "../concepts/ranges.js";
import { contrastFiring } from "../concepts/scan.js";
import { LEAST_FIRINGS } from "../evidence/candidates.js";
import type { Evidence } from "../evidence/evidence.js";
import { textOf } from "../prompts/prompt.js";
import { pick, shuffled, stream } from "../prompts/seeded.js";
import { foldWord, wordsOf } from "../prompts/words.js";
import { Tally } from "../statistics/tally.js";
import { EVOLVED } from "./evolve.js";

/** Firing prompts whose words are asked one by one, words tried in the place of each, and the share of them from which any will do. */
const ASKED = 16;
const EXCHANGES = 8;
const ANY_WORD = 0.25;
/** Words of one prompt that are asked, those whose places take most words first; in a longer prompt a single word seldom decides. */
const MOST_ASKED = 24;
const LONGEST = 60;
/** Prompts examined further, places of one of them and of all, and words tried at each place. */
const EXAMINED = 4;
const PLACES = 5;
const MOST_PLACES = 12;
const WORDS = 600;
/** A latent marks words by so many nats, and on most of its words the action comes … */
const FIRING_GAIN = 3;
const BRINGS = 0.5;
/** … and it marks them at least so well as compared with the best one. */
const WEAKEST = 0.3;
const OF_A_PLACE = 3;
/** Concepts and further latents returned at most. */
const MOST_CONCEPTS = 8;
const MOST_MARKS = 6;

/** What firing prompts need. */
export interface Standing {
  /** Latents of one concept each. */
  readonly groups: readonly (readonly number[])[];
  /** The words that a prompt cannot spare, by its key; of prompts that were asked. */
  readonly carriedBy: ReadonlyMap<string, readonly string[]>;
}

/**
 * Groups of latents that stand for what firing prompts need, those of the most telling prompts first, then single latents that mark
 * these prompts among those of the half. No two groups hold latents of one concept, nor of one of `found`.
 */
export async function standingFor(
  evidence: Evidence,
  firing: readonly Observation[],
  alive: (latent: number) => boolean,
  found: readonly (readonly number[])[] = [],
): Promise<Standing> {
  const { kinship } = evidence.room;
  const groups: number[][] = [];
  const known = (latents: readonly number[]) =>
    [...found, ...groups].some((group) => group.some((a) => latents.some((b) => a === b || kinship.same(a, b))));
  const words = shuffled(subjectWords(evidence.room), evidence.room.seed, (word) => `stand ${word}`).slice(0, WORDS);
  const asked = await needed(evidence, firing.slice(0, ASKED));
  let examined = 0;
  for (const { observation, places } of apart(asked)) {
    for (const at of places.slice(0, PLACES)) {
      if (examined === MOST_PLACES || groups.length === MOST_CONCEPTS) break;
      if ([...found, ...groups].some((group) => standsAt(evidence, observation, at, group))) continue;
      examined++;
      const group = await standingAt(evidence, observation, at, words, alive);
      if (group.length > 0 && !known(group)) groups.push(group);
    }
  }
  for (const latent of marking(evidence, firing, alive)) if (!known([latent])) groups.push([latent]);
  return { groups, carriedBy: new Map(asked.map((one) => [one.observation.key, wordsAt(one)])) };
}

/** Whether the word at a place is one under which a known group is clearest. */
function standsAt({ room }: Evidence, { prompt, reading }: Observation, at: number, latents: readonly number[]) {
  const part = makePart(latents);
  if (prominence(reading, part, room.ranges) < DEFAULT_LEVELS.present) return false;
  return peakPlace(room, prompt, reading, part)?.at === at;
}

interface Needing {
  readonly observation: Observation;
  /** Indices of the words that it cannot spare. */
  readonly places: readonly number[];
}

function wordsAt({ observation: { prompt }, places }: Needing): string[] {
  const words = wordsOf(textOf(prompt));
  return places.map((at) => words[at]!.text);
}

/** The words of each prompt without which the action hardly comes, whatever is written instead; without prompts whose words were not asked. */
async function needed(evidence: Evidence, firing: readonly Observation[]): Promise<Needing[]> {
  const { room } = evidence;
  const draw = stream(room.seed, "needed");
  const vocabulary = subjectWords(room);
  const edits = firing.map(({ prompt }) => {
    const words = wordsOf(textOf(prompt));
    if (vocabulary.length === 0 || words.length > LONGEST) return [];
    return room.language
      .slots(words)
      .slice(0, MOST_ASKED)
      .flatMap((at) =>
        Array.from({ length: EXCHANGES }, () => ({
          at,
          prompt: writeInto({ prompt, words, at }, pick(vocabulary, draw)),
        })),
      );
  });
  const outcomes = await evidence.probeScores(edits.flat().map(({ prompt }) => prompt));
  return firing.flatMap((observation, i) => {
    const tally = new Tally<number>();
    for (const { at } of edits[i]!) tally.add(at, outcomes.shift()!.fired);
    const places = tally.entries().flatMap(([at, { fired, total }]) => (fired <= ANY_WORD * total ? [at] : []));
    return edits[i]!.length === 0 ? [] : [{ observation, places }];
  });
}

/** A few prompts, those with the most needed words first; each has at most one of these in common with all earlier ones. */
function apart(needing: readonly Needing[]): Needing[] {
  const seen = new Set<string>();
  const chosen: Needing[] = [];
  for (const one of [...needing].sort((a, b) => b.places.length - a.places.length)) {
    if (chosen.length === EXAMINED || one.places.length === 0) break;
    const words = wordsOf(textOf(one.observation.prompt));
    const own = one.places.map((at) => foldWord(words[at]!.text));
    if (own.filter((word) => seen.has(word)).length > 1) continue;
    for (const word of own) seen.add(word);
    chosen.push(one);
  }
  return chosen;
}

/** The latents that mark the words with which the action comes at a place, the clearest first; none where any word will do. */
async function standingAt(
  evidence: Evidence,
  { prompt }: Observation,
  at: number,
  vocabulary: readonly string[],
  alive: (latent: number) => boolean,
): Promise<number[]> {
  const { room } = evidence;
  const words = wordsOf(textOf(prompt));
  const tried = await evidence.probe(
    vocabulary.map((word) => writeInto({ prompt, words, at }, word)),
    EVOLVED,
  );
  const observed = tried.filter(({ reading }) => evidence.isOpen(reading));
  if (observed.filter(({ fired }) => fired).length > ANY_WORD * observed.length) return [];
  const brings = (latent: number) => {
    const on = observed.filter(
      ({ reading }) => prominence(reading, makePart([latent]), room.ranges) >= DEFAULT_LEVELS.present,
    );
    return on.filter(({ fired }) => fired).length >= BRINGS * on.length;
  };
  // Words are met here that the half lacks: that a latent is alive is enough.
  const found = contrastFiring(observed, room.half, 0).filter(
    ({ id, score }) => score >= FIRING_GAIN && alive(id) && brings(id),
  );
  return found
    .filter(({ score }) => score >= WEAKEST * found[0]!.score)
    .slice(0, OF_A_PLACE)
    .map(({ id }) => id);
}

/** Latents that mark firing prompts among those of the half. */
function marking(
  { natural, room }: Evidence,
  firing: readonly Observation[],
  alive: (latent: number) => boolean,
): number[] {
  const others = natural.filter(({ fired }) => !fired);
  return contrastFiring([...firing, ...others], room.half, LEAST_FIRINGS)
    .filter(({ id, score }) => score >= FIRING_GAIN && alive(id))
    .slice(0, MOST_MARKS)
    .map(({ id }) => id);
}
