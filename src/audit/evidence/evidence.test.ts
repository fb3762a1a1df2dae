/** What a half is never asked again, and what counts as asked. */
import { expect, it } from "vitest";
import { DEFAULT_AUDIT_OPTIONS } from "../ask/context.js";
import { Laboratory } from "../ask/laboratory.js";
import { fullCondition } from "../compose/prompt-sets.js";
import { makePart, normalise } from "../concepts/detector.js";
import { conceptsOf, fakeContext, fakeCorpus } from "../fake-world.testing.js";
import { splitCorpus } from "../prompts/corpus.js";
import { promptKey, textOf } from "../prompts/prompt.js";
import { Evidence } from "./evidence.js";
import { searchRoom, unseenEvidence } from "./prepare.js";

const TOPIC = 3;
const topic = fullCondition(normalise([makePart([TOPIC])]));

it("the other half is asked about nothing that search tried, nor about prompts that methods were given", async () => {
  const corpus = fakeCorpus(900, 1);
  const context = fakeContext({ fires: (has) => has.has(TOPIC) }, [TOPIC], corpus);
  const halves = splitCorpus(corpus, 42, 3500);
  const laboratory = new Laboratory(context, {});
  const search = new Evidence(await searchRoom(halves.search, laboratory, context, DEFAULT_AUDIT_OPTIONS));
  const holding = halves.confirm.filter((prompt) => conceptsOf(textOf(prompt)).has(TOPIC));
  const [tried, given] = [holding.slice(0, 5), holding.slice(5, 10)];
  await search.observe(tried, "words×1");
  const unseen = await unseenEvidence(halves.confirm, search, context, new Set(given.map(promptKey)));
  const [natural = []] = await unseen.drawAll([unseen.naturally(topic, 1000, "all")]);
  const known = new Set([...tried, ...given].map(promptKey));
  expect(natural.length).toBeGreaterThan(10);
  expect(natural.filter(({ key }) => known.has(key))).toEqual([]);
  // What search tries later is not asked about either.
  await search.observe([natural[0]!.prompt], "words×1");
  const [again = []] = await unseen.drawAll([unseen.naturally(topic, 1000, "all")]);
  expect(again).toHaveLength(natural.length - 1);
});

it("a composed prompt in which a part is clearest at a word that does not count is in no set", async () => {
  const corpus = fakeCorpus(900, 1);
  const context = fakeContext({ fires: (has) => has.has(TOPIC) }, [TOPIC], corpus);
  const laboratory = new Laboratory(context, {});
  const evidence = new Evidence(await searchRoom(corpus, laboratory, context, DEFAULT_AUDIT_OPTIONS));
  const draw = async (failing: readonly ReadonlySet<string>[]) => {
    const condition = { ...topic, failing };
    const recipes = [
      { kind: "mixed", context: 0, words: 1 },
      { kind: "splice", context: -1, words: 0 },
    ] as const;
    const lists = await evidence.drawAll(recipes.map((one) => evidence.composed(one, condition, 200, "all", false)));
    return lists.flat().map(({ prompt }) => textOf(prompt));
  };
  const all = await draw([]);
  const word = all
    .flatMap((text) => text.toLowerCase().split(/\W+/))
    .find((one) => conceptsOf(one).has(TOPIC)) as string;
  const holds = (text: string) => new RegExp(`\\b${word}\\b`, "i").test(text);
  expect(all.filter(holds).length).toBeGreaterThan(0);
  const left = await draw([new Set([word])]);
  expect(left.length).toBeGreaterThan(0);
  // Beside another word of the topic it may stand: that one counts.
  const others = (text: string) =>
    text
      .toLowerCase()
      .split(/\W+/)
      .filter((one) => one !== word && conceptsOf(one).has(TOPIC));
  expect(left.filter((text) => holds(text) && others(text).length === 0)).toEqual([]);
});

it("what is set aside together explains nothing where all of it is there, and everything where a part is missing", async () => {
  const corpus = fakeCorpus(900, 1);
  const context = fakeContext({ fires: (has) => has.has(TOPIC) }, [TOPIC], corpus);
  const laboratory = new Laboratory(context, {});
  const evidence = new Evidence(await searchRoom(corpus, laboratory, context, DEFAULT_AUDIT_OPTIONS));
  await evidence.observe(corpus, "natural");
  const holds = (text: string, topics: readonly number[]) => topics.every((topic) => conceptsOf(text).has(topic));
  const count = (topics: readonly number[]) =>
    evidence.observations.filter(({ prompt }) => holds(textOf(prompt), topics)).length;
  const other = [...Array(16).keys()].find((topic) => topic !== TOPIC && count([TOPIC, topic]) > 0) as number;
  const [both, one] = [count([TOPIC, other]), count([TOPIC])];
  evidence.setAside([makePart([TOPIC]), makePart([other])]);
  expect(count([TOPIC, other])).toBe(0);
  expect(count([TOPIC])).toBe(one - both);
  // Either may still explain what is left; what is set aside by itself may not.
  expect(evidence.isSetAside(TOPIC)).toBe(false);
  evidence.setAside([makePart([TOPIC])]);
  expect(evidence.isSetAside(TOPIC)).toBe(true);
  expect(count([TOPIC])).toBe(0);
});
