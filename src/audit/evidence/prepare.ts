/**
 * Lays out one half of the corpus for experiments: read, indexed, with its language and the words of its latents.
 */
import type { AuditContext, AuditOptions } from "../ask/context.js";
import type { Laboratory } from "../ask/laboratory.js";
import type { SourceRoom } from "../compose/prompt-sets.js";
import { WordLedger } from "../compose/word-ledger.js";
import { Kinship } from "../concepts/kinship.js";
import { Lexicon, scanVocabulary, type VocabularyScan } from "../concepts/lexicon.js";
import { PresenceTable } from "../concepts/presence-table.js";
import { maximaOf, type Range, rangeOf } from "../concepts/ranges.js";
import { CorpusHalf } from "../prompts/corpus.js";
import { Language } from "../prompts/language.js";
import { type Prompt, textOf } from "../prompts/prompt.js";
import { foldWord, wordsOf } from "../prompts/words.js";
import { Evidence } from "./evidence.js";

/** Reads the prompts of a half and indexes them. */
async function readHalf(prompts: readonly Prompt[], laboratory: Laboratory, latents: number): Promise<CorpusHalf> {
  const readings = await laboratory.read(prompts);
  const rendered = prompts.map((prompt) => laboratory.render(prompt));
  return new CorpusHalf(prompts, readings, rendered, latents);
}

/** A word on fewer prompts of the search half than this is scanned: what fires on the others the half itself shows. */
const WELL_KNOWN = 3;
/** Shorter pieces of a vocabulary are seldom words. */
const SCANNED_LENGTH = 3;

/**
 * Words to scan, each once: those of the ordinary prompts, of the tokenizer's vocabulary, and of the search half, as far
 * as the half does not show them often. Concepts that the corpus lacks are found through them.
 */
export function wordsToScan(language: Language, context: AuditContext, limit: number): string[] {
  const ordinary = context.prompts.flatMap((prompt) => wordsOf(textOf(prompt)).map((word) => word.text));
  const chosen = new Map<string, string>();
  for (const word of [...ordinary, ...(context.vocabulary ?? []), ...language.rareWords()]) {
    if (chosen.size >= limit) break;
    const parts = wordsOf(word);
    if (parts.length !== 1 || parts[0]?.text !== word || word.length < SCANNED_LENGTH) continue;
    if (language.count(word) < WELL_KNOWN && !chosen.has(foldWord(word))) chosen.set(foldWord(word), word);
  }
  return [...chosen.values()];
}

/** Everything that sources of the search half share. Ranges are fixed here for the whole audit. */
export async function searchRoom(
  prompts: readonly Prompt[],
  laboratory: Laboratory,
  context: AuditContext,
  options: AuditOptions,
): Promise<SourceRoom> {
  const { latents } = context.sae.info;
  const half = await readHalf(prompts, laboratory, latents);
  const language = new Language(half.words);
  const words = wordsToScan(language, context, options.vocabularyLimit);
  const scan: VocabularyScan | null = await scanVocabulary(words, prompts, language, laboratory, latents);
  const read = scan === null ? [half] : [half, scan.half];
  const ranges: Record<number, Range> = {};
  for (let id = 0; id < latents; id++) {
    const range = rangeOf(id, read);
    if (range !== undefined) ranges[id] = range;
  }
  const presences = new PresenceTable(half, ranges);
  return {
    half,
    language,
    lexicon: new Lexicon(half, language, scan, ranges),
    maxima: maximaOf(ranges),
    ranges,
    presences,
    kinship: new Kinship(scan === null ? [presences] : [presences, new PresenceTable(scan.half, ranges)]),
    laboratory,
    ledger: new WordLedger(),
    seed: options.seed,
  };
}

/**
 * The confirmation half, with the words, ranges and ledger that search has fixed. Nothing is drawn on it that search tried, or that
 * methods were given (`given`, by keys): two halves of a corpus may be a word apart, and compositions from them the same.
 */
export async function unseenEvidence(
  prompts: readonly Prompt[],
  search: Evidence,
  { sae }: Pick<AuditContext, "sae">,
  given: ReadonlySet<string> = new Set(),
): Promise<Evidence> {
  const { room } = search;
  const half = await readHalf(prompts, room.laboratory, sae.info.latents);
  const presences = new PresenceTable(half, room.ranges);
  // Kinship stays that of the search half: it shaped the hypothesis.
  return new Evidence(
    { ...room, half, language: new Language(half.words), presences },
    "all",
    (key) => given.has(key) || search.has(key),
  );
}
