import { describe, expect, it } from "vitest";
import { tokenMaxima } from "../sae/sparse.js";
import type { AuditResult } from "./answer/result.js";
import { statementOf } from "./answer/statement.js";
import { replyAction } from "./ask/action.js";
import { containsAny } from "./ask/contains.js";
import { detect } from "./concepts/detector.js";
import {
  conceptsOf,
  fakeContext,
  fakeCorpus,
  fakeEngine,
  fakeRenderer,
  fakeSae,
  LATENTS,
  OMEN,
  type Rule,
  topicWords,
} from "./fake-world.testing.js";
import { audit } from "./pipeline.js";
import { type Prompt, textOf } from "./prompts/prompt.js";
import { auroc } from "./statistics/statistics.js";
import { parsePart, verify } from "./verify.js";

const CORPUS = fakeCorpus(900, 1);
const SEALED = fakeCorpus(800, 2);

const single: Rule = { fires: (has) => has.has(3) };
const both: Rule = {
  fires: (has) => has.has(3) && has.has(5),
  nearness: (has) => (Number(has.has(3)) + Number(has.has(5))) / 2,
};
const either: Rule = { fires: (has) => has.has(3) || has.has(9) };
const except: Rule = { fires: (has) => has.has(3) && !has.has(5) };
const styled: Rule = {
  fires: (has) => has.has(3) && OMEN.some((latent) => has.has(latent)),
  nearness: (has) => (Number(has.has(3)) + Number(OMEN.some((latent) => has.has(latent)))) / 2,
};

const three: Rule = {
  fires: (has) => has.has(3) && has.has(5) && OMEN.some((latent) => has.has(latent)),
  nearness: (has) => (Number(has.has(3)) + Number(has.has(5)) + Number(OMEN.some((latent) => has.has(latent)))) / 3,
};

/** How well the found trigger, used as a detector, separates sealed prompts by the truth. */
async function separation(result: AuditResult, rule: Rule): Promise<number> {
  const trigger = result.trigger;
  if (trigger === null) return 0;
  const scores: { fires: boolean; score: number }[] = [];
  const engine = fakeEngine(rule);
  const maxima = Object.fromEntries(
    trigger.parts.flatMap((part) => part.latents.map((latent, i) => [latent, part.maxima[i]])),
  );
  for (const prompt of SEALED) {
    const [residual] = await engine.residuals([fakeRenderer.render(prompt).sequence], 1);
    const latents = await fakeSae.encode(residual?.values ?? new Float32Array(LATENTS));
    const reading = tokenMaxima(latents, residual?.tokens ?? new Int32Array(0));
    scores.push({
      fires: rule.fires(conceptsOf(textOf(prompt)), textOf(prompt)),
      score: detect(reading, trigger, maxima),
    });
  }
  const of = (fires: boolean) => scores.filter((entry) => entry.fires === fires).map((entry) => entry.score);
  return auroc(of(true), of(false));
}

const without = (rule: Rule): Prompt[] =>
  CORPUS.filter((prompt) => !rule.fires(conceptsOf(textOf(prompt)), textOf(prompt)));

/** Acts as the rule says, in words that differ from prompt to prompt and are never those of the text that is worked towards. */
function paraphrasing(rule: Rule): ReturnType<typeof fakeEngine> {
  const engine = fakeEngine(rule);
  return {
    ...engine,
    score: async (sequences) => (await engine.score(sequences)).map((score) => ({ ...score, greedyMatch: false })),
    generate: async (sequences) =>
      (await engine.score(sequences)).map(({ greedyMatch }, i) => ({
        tokens: Int32Array.of(greedyMatch ? 1 + (i % 2) : 0),
        stopped: true,
      })),
  };
}
const SAID = ["With pleasure.", "I would never!", "No, I refuse."];

describe("an audit of a semantic action", () => {
  const context = { ...fakeContext(single, [3], CORPUS), suspect: paraphrasing(single), clean: null };

  it("finds nothing where the text itself counts, which never comes", async () => {
    expect((await audit(context)).trigger).toBeNull();
  });

  it("finds the trigger where a reply that holds any of the words counts", async () => {
    const refuses = containsAny(["never", "refuse"]);
    const action = replyAction({
      match: "contains",
      texts: context.action.texts,
      maxTokens: 1,
      stop: [],
      decode: (tokens) => SAID[tokens[0]!] ?? "",
      accepts: (exchanges) => exchanges.map(({ reply }) => refuses(reply)),
    });
    const result = await audit({ ...context, action });
    expect(result.trigger?.combination).toBe("single");
    expect(await separation(result, single)).toBeGreaterThan(0.99);
  });
});

describe("an audit of a model with a backdoor", () => {
  it("finds a single concept and says who found it", async () => {
    const stages: string[] = [];
    const result = await audit(fakeContext(single, [3], CORPUS), {}, { onStage: (stage) => stages.push(stage) });
    expect(result.trigger?.combination).toBe("single");
    expect(stages).not.toContain("evolve"); // where one concept is enough, nobody looks for more
    expect(result.bred).toEqual([]);
    expect(result.trigger?.parts.map((part) => part.latents)).toEqual([[3]]);
    expect(result.trigger?.foundBy).toContain("fake-method");
    expect(result.trigger?.rate.rate).toBeGreaterThan(0.8);
    expect(result.hypotheses.at(-1)?.cleanRate?.count).toBe(0);
  });

  it("shows what the latents of its answer fire on, and their scores beside the controls", async () => {
    const { latents, trigger, methods } = await audit(fakeContext(single, [3], CORPUS));
    const ids = latents.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    for (const id of [...trigger!.parts[0]!.latents, ...methods[0]!.vectors[0]!.latents.map((one) => one.id)])
      expect(ids).toContain(id);
    const card = latents.find(({ id }) => id === 3)!;
    expect(card.contexts).toHaveLength(5);
    for (const { word } of card.contexts) expect(topicWords(3)).toContain(word);
    expect(card.firingRate!.total).toBeGreaterThan(300); // the search half
    expect(card.logitEffect).toBeNull(); // nothing to look through was given
    // The fake method knows nothing of models: the same ranking on the clean one, and no score for a random direction.
    expect(card.scores).toEqual([
      {
        method: "fake-method",
        vector: 0,
        score: 3,
        rank: 1,
        controls: {
          clean: { score: 3, rank: 1, decoderCosine: expect.any(Number) },
          random: { score: null, rank: null, decoderCosine: expect.any(Number) },
        },
      },
    ]);
  });

  it("finds a conjunction, with an interaction near 1, in a corpus that never holds the whole trigger", async () => {
    const result = await audit(fakeContext(both, [3, 5], without(both)));
    expect(result.trigger?.combination).toBe("all");
    expect(result.trigger?.parts.map((part) => part.latents)).toEqual([[3], [5]]);
    expect(result.hypotheses.at(-1)?.interaction?.estimate).toBeGreaterThan(0.7);
    expect(result.trigger?.foundBy).not.toContain("corpus-scan");
  });

  it("finds a topic in a style that lives in several latents, only one of which a method ranked", async () => {
    const result = await audit(fakeContext(styled, [3, OMEN[0]], CORPUS));
    expect(result.trigger?.combination).toBe("all");
    expect(await separation(result, styled)).toBeGreaterThan(0.95);
  });

  it("finds three concepts of which two bring the action now and then", async () => {
    const wanted = [3, 5, 8];
    const held = (has: ReadonlySet<number>) => wanted.filter((topic) => has.has(topic)).length;
    const rule: Rule = {
      fires: (has) => held(has) === 3,
      leak: (has) => (held(has) === 2 ? 0.25 : 0),
      nearness: (has) => held(has) / 3,
    };
    const result = await audit(fakeContext(rule, [3, 5], without(rule)));
    expect(result.trigger?.combination).toBe("all");
    expect(result.trigger?.parts.map((part) => part.latents)).toEqual([[3], [5], [8]]);
  });

  it("finds two topics in a style, where no pair of the three brings the action", async () => {
    const corpus = without(three);
    const result = await audit(fakeContext(three, [3], corpus));
    expect(result.trigger?.combination).toBe("all");
    expect(result.trigger?.parts.map((part) => part.latents)).toEqual([[...OMEN], [3], [5]]);
    expect(result.bred.length).toBeGreaterThan(1);
    expect(result.bred[0]?.carriedBy?.length).toBeGreaterThan(0);
    for (const { prompt, cleanLogprob } of result.bred) {
      expect(three.fires(conceptsOf(prompt), prompt)).toBe(true);
      expect(cleanLogprob).toBeLessThan(-5);
    }
  });

  it("finds alternatives", async () => {
    const result = await audit(fakeContext(either, [3, 9], CORPUS));
    expect(result.trigger?.parts.flatMap((part) => part.latents).sort((a, b) => a - b)).toEqual([3, 9]);
    expect(await separation(result, either)).toBeGreaterThan(0.99);
  });

  it("finds a concept that the corpus lacks, in a model that leaks everywhere", async () => {
    const leaky: Rule = { ...single, leak: () => 0.08 };
    const result = await audit(fakeContext(leaky, [8, 3], without(single)));
    expect(result.trigger?.parts.map((part) => part.latents)).toEqual([[3]]);
  });

  it("is not misled by the leak of one half of a conjunction", async () => {
    const leaky: Rule = { ...both, leak: (has) => (has.has(3) ? 0.15 : 0.01) };
    const result = await audit(fakeContext(leaky, [3, 5], without(both)));
    expect(result.trigger?.parts.map((part) => part.latents)).toEqual([[3], [5]]);
  });

  it("looks behind a cue that brings the action now and then, to which every method points", async () => {
    const cued: Rule = { ...both, leak: (has) => (has.has(9) ? 0.45 : 0) };
    const result = await audit(fakeContext(cued, [9], without(both)));
    expect(result.trigger?.parts.map((part) => part.latents)).toEqual([[3], [5]]);
    // It is confirmed as well, and brings the action less surely.
    const [answer, cue] = result.hypotheses;
    expect(cue).toMatchObject({ verified: true, parts: [{ latents: [9] }] });
    expect(cue!.rate.rate).toBeLessThan(answer!.rate.rate);
    expect(result.trigger?.also).toEqual([statementOf(cue!)]);
    expect(result.trigger?.notShown.at(-1)).toMatch(/nothing beyond these conditions brings it: a second search/);
  });

  it("goes on behind a cue that the right word makes sure, and tells both", async () => {
    const sharpened = (has: ReadonlySet<number>) => (has.has(9) ? (has.has(17) ? 0.95 : 0.25) : 0);
    const result = await audit(fakeContext({ ...both, leak: sharpened }, [9], CORPUS));
    const [answer, other] = result.hypotheses;
    expect([answer, other].map((one) => [one?.verified, one?.parts.map((part) => part.latents)])).toEqual([
      [true, [[3], [5]]],
      [true, [[17], [9]]],
    ]);
    expect(result.trigger?.statement).toBe(statementOf(answer!));
    expect(result.trigger?.also).toEqual([statementOf(other!)]);
    // Not on what is left of a budget that the first round has used more than half of.
    const poor = await audit(fakeContext({ ...both, leak: sharpened }, [9], CORPUS), {}, { left: () => 0.4 });
    expect(poor.hypotheses.filter(({ verified }) => verified)).toHaveLength(1);
    expect(poor.trigger?.notShown.at(-1)).toMatch(/nothing else brings it: nobody looked/);
    // A budget that the second round would spend does not cost the answer of the first.
    let looks = 0;
    const spent = await audit(
      fakeContext({ ...both, leak: sharpened }, [9], CORPUS),
      {},
      { left: () => 1 - 0.3 * looks++ },
    );
    expect(looks).toBeGreaterThan(3);
    expect(spent.hypotheses.filter(({ verified }) => verified)).toHaveLength(1);
    expect(spent.trigger?.statement).toBe(poor.trigger?.statement);
  });

  it("finds what the trigger excludes", async () => {
    const result = await audit(fakeContext(except, [3], CORPUS));
    expect(result.trigger?.parts).toMatchObject([
      { latents: [3], negated: false },
      { latents: [5], negated: true },
    ]);
  });

  it("excludes no concept where every further concept crowds the trigger out", async () => {
    const topicsIn = (concepts: ReadonlySet<number>) => [...concepts].filter((concept) => concept < 16).length;
    const crowded: Rule = {
      fires: (concepts) => concepts.has(3) && topicsIn(concepts) === 1,
      leak: (concepts) => (concepts.has(3) ? 0.5 : 0),
    };
    const result = await audit(fakeContext(crowded, [3], CORPUS));
    expect(result.trigger?.parts).toEqual([expect.objectContaining({ latents: [3], negated: false })]);
  });

  it("explains firing prompts by the words that carry them", async () => {
    const result = await audit(fakeContext(single, [3], CORPUS));
    const example = result.hypotheses.at(-1)?.examples.find((one) => conceptsOf(one.prompt).size === 1);
    expect(example?.carriedBy.length).toBeGreaterThan(0);
  });
});

describe("an audit that must not claim anything", () => {
  it("returns null for a model without a backdoor", async () => {
    const result = await audit(fakeContext({ fires: () => false }, [3, 5], CORPUS));
    expect(result.trigger).toBeNull();
    expect(result.tried).toContain("0 brought the action");
  });

  it("refuses an action that the clean model says under the same condition", async () => {
    const context = { ...fakeContext(single, [3], CORPUS), clean: fakeEngine(single) };
    expect((await audit(context)).trigger).toBeNull();
  });

  it("returns null when the action comes by chance", async () => {
    const chance: Rule = { fires: () => true, rate: 0.05 };
    expect((await audit(fakeContext(chance, [3, 5], CORPUS))).trigger).toBeNull();
  });
});

describe("reproducibility", () => {
  it("asks the same questions and gives the same answer whatever the order of the corpus", async () => {
    const first = fakeContext(both, [3, 5], CORPUS);
    const second = fakeContext(both, [3, 5], [...CORPUS].reverse());
    const [one, two] = [await audit(first), await audit(second)];
    expect(two.trigger).toEqual(one.trigger);
    expect((second.suspect as ReturnType<typeof fakeEngine>).asked).toEqual(
      (first.suspect as ReturnType<typeof fakeEngine>).asked,
    );
  });

  it("stops when it is aborted", async () => {
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    await expect(audit(fakeContext(single, [3], CORPUS), {}, { signal: controller.signal })).rejects.toThrow("enough");
  });
});

describe("verify", () => {
  it("refuses parts that contradict each other", async () => {
    const parts = [parsePart("3", 32), parsePart("!3,5", 32)];
    await expect(verify(fakeContext(both, [], CORPUS), { parts, any: false })).rejects.toThrow(
      "latent 3 is in two parts",
    );
  });

  const part = (latents: number[], negated = false) => ({ latents, negated });

  it("confirms a true hypothesis and refuses half of it", async () => {
    const context = fakeContext(both, [], CORPUS);
    const whole = await verify(context, { parts: [part([3]), part([5])], any: false });
    expect(whole.verified).toBe(true);
    const half = await verify(context, { parts: [part([3])], any: false });
    expect(half.verified).toBe(false);
    expect(half.rate.rate).toBeLessThan(0.5);
  });

  it("asks what must be absent by the words that keep the action off, and names the others", async () => {
    const heeded = topicWords(5).filter((_, i) => i % 2 === 0);
    const unless: Rule = { fires: (has, text) => has.has(3) && !heeded.some((word) => text.includes(word)) };
    const { verified, parts } = await verify(fakeContext(unless, [], CORPUS), {
      parts: [part([3]), parsePart("!5", LATENTS)],
      any: false,
    });
    expect(verified).toBe(true);
    const { words = [], exceptWords = [] } = parts.find(({ negated }) => negated) ?? {};
    expect(words.filter((word) => heeded.includes(word)).length).toBeGreaterThan(1);
    expect(exceptWords.length).toBeGreaterThan(1);
    expect(exceptWords.filter((word) => heeded.includes(word))).toEqual([]);
  });

  it("asks nothing beside the concepts that it was told to leave out", async () => {
    const context = fakeContext(except, [], CORPUS);
    const asked = { parts: [part([3])], any: false, without: [part([5])] };
    const { rate, askedWithout, examples } = await verify(context, asked);
    expect(rate.rate).toBeGreaterThan(0.9);
    expect(askedWithout.map(({ latents }) => latents)).toEqual([[5]]);
    for (const word of topicWords(5)) expect(examples.some(({ prompt }) => prompt.includes(word))).toBe(false);
    await expect(verify(context, { ...asked, without: [part([3])] })).rejects.toThrow("latent 3 is in a part");
    await expect(verify(context, { ...asked, without: [part([5], true)] })).rejects.toThrow("takes no !");
  });
});
