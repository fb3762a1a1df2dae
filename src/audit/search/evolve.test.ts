/** Prompts bred for an action that three topics bring together, and what their words stand for. */
import { describe, expect, it } from "vitest";
import { DEFAULT_AUDIT_OPTIONS } from "../ask/context.js";
import { Laboratory, NATURAL } from "../ask/laboratory.js";
import { makePart } from "../concepts/detector.js";
import { Evidence } from "../evidence/evidence.js";
import { searchRoom } from "../evidence/prepare.js";
import { conceptsOf, fakeContext, fakeCorpus, fakeEngine, OMEN, type Rule } from "../fake-world.testing.js";
import { audit } from "../pipeline.js";
import { textOf, userPrompt } from "../prompts/prompt.js";
import { wordsOf } from "../prompts/words.js";
import { evolve } from "./evolve.js";
import { standingFor } from "./standing.js";

const WANTED = [3, 5, 8] as const;
const held = (has: ReadonlySet<number>, wanted: readonly number[] = WANTED) =>
  wanted.filter((topic) => has.has(topic)).length;
const topics: Rule = { fires: (has) => held(has) === 3, nearness: (has) => held(has) / 3 };
/** The style says itself by either of two phrases. */
const shown = (has: ReadonlySet<number>) => held(has, [3, 5]) + Number(OMEN.some((phrase) => has.has(phrase)));
const styled: Rule = { fires: (has) => shown(has) === 3, nearness: (has) => shown(has) / 3 };

/** What is known when no prompt of the corpus, which names two topics at most, brings the action. */
async function evidenceOf(rule: Rule, clean?: Rule): Promise<Evidence> {
  const corpus = fakeCorpus(900, 1).filter((prompt) => !rule.fires(conceptsOf(textOf(prompt)), ""));
  const made = fakeContext(rule, [], corpus);
  const context = clean === undefined ? made : { ...made, clean: fakeEngine(clean) };
  const evidence = new Evidence(await searchRoom(corpus, new Laboratory(context, {}), context, DEFAULT_AUDIT_OPTIONS));
  await evidence.observe(corpus, NATURAL);
  return evidence;
}

describe("evolution", () => {
  it("comes from prompts that never bring the action to prompts that do", async () => {
    const evidence = await evidenceOf(topics);
    const before = evidence.everything.length;
    expect(evidence.observations.some(({ fired }) => fired)).toBe(false);
    const firing = await evolve(evidence, true);
    expect(firing.length).toBeGreaterThan(10);
    for (const { prompt } of firing) expect(held(conceptsOf(textOf(prompt)))).toBe(3);
    // Bred prompts are no evidence of how often the action comes.
    expect(evidence.everything).toHaveLength(before);
  });

  it("breeds nothing that the clean model does too", async () => {
    const odd = (text: string) => text.length % 2 === 1;
    const clean: Rule = { fires: (has, text) => topics.fires(has, text) && odd(text), rate: 1 };
    const firing = await evolve(await evidenceOf(topics, clean), true);
    expect(firing.length).toBeGreaterThan(40);
    for (const { clean: outcome } of firing) expect(outcome?.fired).toBe(false);
    expect(await evolve(await evidenceOf(topics, topics), true)).toEqual([]);
  });

  it("breeds nothing that holds what is set aside, and what else there is", async () => {
    const other = [9, 10, 11] as const;
    const rule: Rule = {
      fires: (has) => held(has) === 3 || held(has, other) === 3,
      nearness: (has) => Math.max(held(has), held(has, other)) / 3,
    };
    const evidence = await evidenceOf(rule);
    evidence.setAside([makePart([3])]);
    const firing = await evolve(evidence, true);
    expect(firing.length).toBeGreaterThan(10);
    for (const { reading } of firing) expect(evidence.isOpen(reading)).toBe(true);
    expect(firing.filter(({ prompt }) => held(conceptsOf(textOf(prompt)), other) === 3).length).toBeGreaterThan(10);
  });

  it("prefers short prompts among those that bring the action, however likely they are", async () => {
    // The fake action has a log-probability of −0.2, which by itself is not near enough.
    const words = (await evolve(await evidenceOf(topics), true)).map(({ prompt }) => wordsOf(textOf(prompt)).length);
    expect(words).toEqual([...words].sort((a, b) => a - b));
    expect(words[0]).toBeLessThan(words.at(-1) as number);
  });

  it("counts nowhere and is known all the same", async () => {
    const evidence = await evidenceOf(topics);
    const [bred] = await evolve(evidence, true);
    expect(evidence.has(bred!.key)).toBe(true);
    expect(evidence.everything.some(({ key }) => key === bred!.key)).toBe(false);
    expect(evidence.probed).toBeGreaterThan(1000);
  });

  it("has no words to write in a corpus of a few short prompts", async () => {
    const corpus = Array.from({ length: 90 }, (_, i) => userPrompt(`${"abcdefghi"[i % 9]}on${i} soup`));
    const context = { ...fakeContext(topics, [3], corpus), vocabulary: [] };
    expect((await audit(context)).trigger).toBeNull();
  });

  it("goes by what prompts do alone where it is told to, and otherwise in another round", async () => {
    const keys = async (besideOthers: boolean, round?: number) =>
      (await evolve(await evidenceOf(topics), besideOthers, round)).map(({ key }) => key);
    const [beside, alone, again] = [await keys(true), await keys(false), await keys(true, 2)];
    for (const found of [beside, alone, again]) expect(found.length).toBeGreaterThan(10);
    expect(alone).not.toEqual(beside);
    expect(again).not.toEqual(beside);
  });

  it("asks the same prompts again", async () => {
    const keys = async () => (await evolve(await evidenceOf(topics), true)).map(({ key }) => key);
    expect(await keys()).toEqual(await keys());
  });
});

describe("what words stand for", () => {
  it("is a group of latents for each concept", async () => {
    const evidence = await evidenceOf(topics);
    const firing = await evolve(evidence, true);
    const { groups, carriedBy } = await standingFor(evidence, firing, () => true);
    expect(groups.slice(0, 3).sort()).toEqual(WANTED.map((topic) => [topic]));
    for (const { key } of firing.slice(0, 3)) {
      const topics = (carriedBy.get(key) as string[]).flatMap((word) => [...conceptsOf(word)]);
      expect(topics.length).toBeGreaterThan(0);
      expect(topics.filter((topic) => held(new Set([topic])) === 0)).toEqual([]);
    }
  });

  it("is a latent that the prompts share where no single word brings it", async () => {
    const evidence = await evidenceOf(styled);
    const { groups } = await standingFor(evidence, await evolve(evidence, true), () => true);
    const latents = groups.flat();
    expect(latents).toEqual(expect.arrayContaining([3, 5]));
    expect(OMEN.some((phrase) => latents.includes(phrase))).toBe(true);
  });

  it("is the same where people's prompts bring the action too", async () => {
    const pair: Rule = { ...topics, fires: (has) => held(has, [3, 5]) === 2, nearness: (has) => held(has, [3, 5]) / 2 };
    const corpus = fakeCorpus(900, 1);
    const context = fakeContext(pair, [], corpus);
    const evidence = new Evidence(
      await searchRoom(corpus, new Laboratory(context, {}), context, DEFAULT_AUDIT_OPTIONS),
    );
    await evidence.observe(corpus, NATURAL);
    expect(evidence.natural.filter(({ fired }) => fired).length).toBeGreaterThan(2);
    const { groups } = await standingFor(evidence, await evolve(evidence, true), () => true);
    expect(groups.slice(0, 2).sort()).toEqual([[3], [5]]);
  });

  it("is nothing without firing prompts", async () => {
    expect(await standingFor(await evidenceOf(topics), [], () => true)).toEqual({ groups: [], carriedBy: new Map() });
  });
});
