/**
 * Plain prompting, the black-box baseline: nothing but prompts and the action's log-probability after them.
 *   1. The action is scored on every prompt of the search half, and on every word of the audit's vocabulary written into its
 *      carrier sentences.
 *   2. A word's lift = mean log-probability over the prompts that hold it − mean over all prompts of that source, shrunk by
 *      n / (n + SHRINKAGE); the larger of the two sources holds.
 *   3. top: the words whose lift is at least LEAST_SHARE of the best one's, as one bag: a prompt holds the trigger to the
 *      degree of its heaviest word.
 *   4. top two: the likeliest prompt on which the action does not come yet, and which holds the best word, is put before every
 *      written word, and lifts are measured again: both bags, the counterpart of the iterated attribution. Where every
 *      prompt that holds it brings the action there is no second bag.
 * It may score more prompts than an audit does (about 9,500 on the pocket corpus).
 */
import { writeWords } from "../../audit/concepts/lexicon.js";
import { wordsToScan } from "../../audit/evidence/prepare.js";
import { type Prompt, textOf, withText } from "../../audit/prompts/prompt.js";
import { foldWord, wordsOf } from "../../audit/prompts/words.js";
import { wordPart } from "./answer.js";
import type { Contender, Reply } from "./contender.js";
import type { Station } from "./station.js";

/** A word seen on fewer prompts than this is not trusted to its full lift. */
const SHRINKAGE = 2;
/** Words with less of the best word's lift are left out. */
const LEAST_SHARE = 0.5;

interface Tried {
  readonly prompt: Prompt;
  readonly words: readonly string[];
  readonly logprob: number;
  readonly fired: boolean;
}

export const promptingContender: Contender = {
  name: "prompting",
  summary: "words that make the action likelier in the corpus and in carrier sentences; no look inside",
  readings: ["top", "top two"],
  async answer(station) {
    const { language } = await station.room();
    const half = station.searchPrompts();
    const natural = await tryPrompts(station, half, (prompt) => wordsOf(textOf(prompt)).map(({ text }) => text));
    const words = wordsToScan(language, station.context, station.options.vocabularyLimit);
    const carried = writeWords(words, half, language);
    const written = await tryPrompts(station, carried.prompts, (_, i) => [carried.written[i] as string]);
    const first = bagOf([liftsOf(natural), liftsOf(written)]);
    const second = await secondBag(station, carried, [...natural, ...written], first);
    return [reply("top", [first]), reply("top two", second === undefined ? [] : [first, second])];
  },
};

async function tryPrompts(
  { laboratory }: Station,
  prompts: readonly Prompt[],
  wordsOfPrompt: (prompt: Prompt, index: number) => readonly string[],
): Promise<Tried[]> {
  const outcomes = await laboratory.score(prompts);
  return prompts.map((prompt, i) => ({
    prompt,
    words: [...new Set(wordsOfPrompt(prompt, i).map(foldWord))],
    logprob: outcomes[i]?.logprob ?? 0,
    fired: outcomes[i]?.fired ?? false,
  }));
}

/** Shrunk mean log-probability of each word's prompts above the mean of all, nats. */
export function liftsOf(tried: readonly Pick<Tried, "words" | "logprob">[]): Map<string, number> {
  const mean = tried.reduce((sum, { logprob }) => sum + logprob, 0) / Math.max(1, tried.length);
  const sums = new Map<string, { sum: number; count: number }>();
  for (const { words, logprob } of tried)
    for (const word of words) {
      const known = sums.get(word) ?? { sum: 0, count: 0 };
      sums.set(word, { sum: known.sum + logprob - mean, count: known.count + 1 });
    }
  return new Map([...sums].map(([word, { sum, count }]) => [word, sum / (count + SHRINKAGE)]));
}

/** The words with the largest lift in any source, weighted by their share of the best one's. */
export function bagOf(sources: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const lifts = new Map<string, number>();
  for (const source of sources)
    for (const [word, lift] of source) lifts.set(word, Math.max(lift, lifts.get(word) ?? Number.NEGATIVE_INFINITY));
  const best = Math.max(...lifts.values());
  if (!(best > 0)) return new Map();
  return new Map(
    [...lifts]
      .filter(([, lift]) => lift >= LEAST_SHARE * best)
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .map(([word, lift]) => [word, lift / best]),
  );
}

async function secondBag(
  station: Station,
  carried: { readonly prompts: readonly Prompt[]; readonly written: readonly string[] },
  tried: readonly Tried[],
  first: ReadonlyMap<string, number>,
): Promise<Map<string, number> | undefined> {
  const [best] = first.keys();
  if (best === undefined) return undefined;
  const silent = tried.filter(({ words, fired }) => !fired && words.includes(best));
  const [anchor] = silent.sort((a, b) => b.logprob - a.logprob);
  if (anchor === undefined) return undefined;
  const text = textOf(anchor.prompt);
  const joined = carried.prompts.map((prompt) => withText(prompt, `${text} ${textOf(prompt)}`));
  const again = await tryPrompts(station, joined, (_, i) => [carried.written[i] as string]);
  const bag = bagOf([liftsOf(again)]);
  for (const word of first.keys()) bag.delete(word);
  return bag.size === 0 ? undefined : bag;
}

/** Words named in a statement. */
const NAMED = 12;

function reply(reading: string, bags: readonly ReadonlyMap<string, number>[]): Reply {
  const [first] = bags;
  if (first === undefined || first.size === 0) return { reading, answer: null, confirmed: null };
  const list = (bag: ReadonlyMap<string, number>) => [...bag.keys()].slice(0, NAMED).join(", ");
  return {
    reading,
    answer: {
      parts: bags.map(wordPart),
      combination: bags.length > 1 ? "all" : "single",
      statement: bags.map((bag) => `words like ${list(bag)}`).join(" AND "),
    },
    confirmed: null,
  };
}
