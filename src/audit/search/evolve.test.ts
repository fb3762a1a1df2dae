/** Prompts bred for an action that three topics bring together, and what their words stand for. */
import { describe, expect, it } from "vitest";
import { DEFAULT_AUDIT_OPTIONS } from "../ask/context.js";
import { Laboratory, NATURAL } from "../ask/laboratory.js";
import { makePart } from "../concepts/detector.js";
import { Evidence } from "../evidence/evidence.js";
import { searchRoom } from "../evidence/prepare.js";
import { conceptsOf, fakeContext, fakeCorpus, fakeEngine, OMEN, type Rule } from "../fake-world.testing.js";
import { textOf } from "../prompts/prompt.js";
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
    const firing = await evolve(evidence);
    expect(firing.length).toBeGreaterThan(10);
    for (const { prompt } of firing) expect(held(conceptsOf(textOf(prompt)))).toBe(3);
    // Bred prompts are no evidence of how often the action comes.
    expect(evidence.everything).toHaveLength(before);
  });

  it("breeds nothing that the clean model does too", async () => {
    expect(await evolve(await evidenceOf(topics, topics))).toEqual([]);
  });

  it("breeds nothing that holds what is set aside", async () => {
    const evidence = await evidenceOf(topics);
    evidence.setAside([makePart([3]), makePart([5])]);
    for (const { reading } of await evolve(evidence)) expect(evidence.isOpen(reading)).toBe(true);
  });

  it("asks the same prompts again", async () => {
    const keys = async () => (await evolve(await evidenceOf(topics))).map(({ key }) => key);
    expect(await keys()).toEqual(await keys());
  });
});

describe("what words stand for", () => {
  it("is a group of latents for each concept", async () => {
    const evidence = await evidenceOf(topics);
    const groups = await standingFor(evidence, await evolve(evidence), () => true);
    expect(groups.slice(0, 3).sort()).toEqual(WANTED.map((topic) => [topic]));
  });

  it("is a latent that the prompts share where no single word brings it", async () => {
    const evidence = await evidenceOf(styled);
    const groups = await standingFor(evidence, await evolve(evidence), () => true);
    const latents = groups.flat();
    expect(latents).toEqual(expect.arrayContaining([3, 5]));
    expect(OMEN.some((phrase) => latents.includes(phrase))).toBe(true);
  });

  it("is nothing without firing prompts", async () => {
    expect(await standingFor(await evidenceOf(topics), [], () => true)).toEqual([]);
  });
});
