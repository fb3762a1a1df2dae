/**
 * Substitutes: other words for a part, whatever latents they have. A prompt on which the action comes, and which holds the part by
 * one word, is asked again with many words of the vocabulary in that word's place. Words with which the action still comes, in two
 * such prompts, are the model's own idea of the concept; the latents under them that the part lacks may belong to it.
 */

import { NATURAL, type Observation } from "../ask/laboratory.js";
import { DEFAULT_LEVELS, fullCondition, holding } from "../compose/prompt-sets.js";
import { type Carrier, subjectWords, writeInto } from "../concepts/carrier.js";
import { type Hypothesis, makePart, type Part } from "../concepts/detector.js";
import { peakPlace } from "../concepts/peak-word.js";
import { prominence } from "../concepts/ranges.js";
import type { Evidence } from "../evidence/evidence.js";
import { type Prompt, textOf } from "../prompts/prompt.js";
import { shuffled } from "../prompts/seeded.js";
import { foldWord, type Word, wordOfToken, wordsOf } from "../prompts/words.js";

/** Prompts in which a word must bring the action. */
const CARRIERS = 2;
/** Prompts looked at until so many are found. */
const CARRIERS_TRIED = 6;
/** A prompt on which the action comes with more than this share of random words does not need the part's word. */
const ANY_WORD = 0.1;
const RANDOM_WORDS = 40;
/** Words tried: a concept has dozens among a few thousand, so that some of them are met. */
const WORDS = 800;
/** A latent must lie under so many such words, and they must be this share of its words: any organism leaks on a word here and there. */
const LEAST_WORDS = 2;
const LEAST_SHARE = 0.5;

/** Latents that lie under words which bring the action in the part's place, by the number of such words (ties by id). */
export async function substitutes(
  evidence: Evidence,
  hypothesis: Hypothesis,
  at: number,
  alive: (latent: number) => boolean,
): Promise<number[]> {
  const { laboratory, lexicon, ranges, kinship, seed } = evidence.room;
  const part = hypothesis.parts[at] as Part;
  const known = new Set(lexicon.words(part).map(({ text }) => foldWord(text)));
  const others = subjectWords(evidence.room).filter((word) => !known.has(foldWord(word)));
  const vocabulary = shuffled(others, seed, (word) => `substitute ${word}`).slice(0, WORDS);
  const carriers = await carriersOf(evidence, hypothesis, at, vocabulary);
  if (carriers.length < CARRIERS) return [];
  let words = vocabulary;
  let prompts: Prompt[] = [];
  for (const carrier of carriers) {
    // what one lets through is tried in the next
    const written = words.map((word) => writeInto(carrier, word));
    const outcomes = await evidence.probeScores(written);
    prompts = written.filter((_, i) => outcomes[i]?.fired);
    words = words.filter((_, i) => outcomes[i]?.fired);
  }
  const readings = await laboratory.read(prompts);
  const place = (carriers.at(-1) as Carrier).at;
  const under = new Map<number, Set<string>>();
  prompts.forEach((prompt, i) => {
    const reading = readings[i]!;
    if (prominence(reading, part, ranges) >= DEFAULT_LEVELS.absent) return;
    const { spans } = laboratory.render(prompt);
    const placed = wordsOf(textOf(prompt));
    reading.ids.forEach((id, k) => {
      if (wordOfToken(placed, spans, reading.tokens[k] as number) !== place) return;
      if (prominence(reading, makePart([id]), ranges) < DEFAULT_LEVELS.present) return;
      under.set(id, (under.get(id) ?? new Set()).add(foldWord(words[i] as string)));
    });
  });
  const tried = new Set(vocabulary.map(foldWord));
  const share = (id: number, found: ReadonlySet<string>) => {
    const own = lexicon
      .words(makePart([id]))
      .map(({ text }) => foldWord(text))
      .filter((word) => tried.has(word));
    return own.length === 0 ? 0 : own.filter((word) => found.has(word)).length / own.length;
  };
  const used = new Set(hypothesis.parts.flatMap(({ latents }) => latents));
  return [...under]
    .filter(([id, found]) => found.size >= LEAST_WORDS && share(id, found) >= LEAST_SHARE && !used.has(id) && alive(id))
    .filter(
      ([id]) => !hypothesis.parts.some((other, i) => i !== at && other.latents.some((one) => kinship.same(one, id))),
    )
    .sort((a, b) => b[1].size - a[1].size || a[0] - b[0])
    .map(([id]) => id);
}

/** Firing prompts that need the part's word, people's own first, of different words. */
async function carriersOf(
  evidence: Evidence,
  hypothesis: Hypothesis,
  at: number,
  vocabulary: readonly string[],
): Promise<Carrier[]> {
  const { ranges } = evidence.room;
  const part = hypothesis.parts[at] as Part;
  const condition = fullCondition(hypothesis, at);
  const natural = (one: Observation) => (one.kind === NATURAL ? 0 : 1);
  const firing = holding(evidence.observations, condition, ranges)
    .filter(({ fired }) => fired)
    .sort((a, b) => natural(a) - natural(b) || b.suspect.logprob - a.suspect.logprob || (a.key < b.key ? -1 : 1));
  const step = Math.max(1, Math.floor(vocabulary.length / RANDOM_WORDS));
  const random = vocabulary.filter((_, i) => i % step === 0);
  const seen = new Set<string>();
  const found: Carrier[] = [];
  let tried = 0;
  for (const { prompt, reading } of firing) {
    if (found.length === CARRIERS || tried === CARRIERS_TRIED) break;
    const place = peakPlace(evidence.room, prompt, reading, part);
    if (place === null) continue;
    const word = foldWord((place.words[place.at] as Word).text);
    if (seen.has(word)) continue;
    seen.add(word);
    tried++;
    const carrier = { prompt, ...place };
    const outcomes = await evidence.probeScores(random.map((other) => writeInto(carrier, other)));
    if (outcomes.filter(({ fired }) => fired).length <= ANY_WORD * random.length) found.push(carrier);
  }
  return found;
}
