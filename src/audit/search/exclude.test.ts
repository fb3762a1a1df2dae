/** What a sure trigger excludes is found by experiment, and only where other concepts do not stop the action too. */
import { expect, it } from "vitest";
import type { Observation } from "../ask/laboratory.js";
import type { Condition } from "../compose/prompt-sets.js";
import type { Recipe } from "../compose/recipe.js";
import { type Hypothesis, makePart } from "../concepts/detector.js";
import type { Evidence } from "../evidence/evidence.js";
import { exclude } from "./exclude.js";

const LATENTS = 24;

/** A prompt on which these latents are at their strongest. */
function seen(latents: readonly number[], fired: boolean, kind = "words", word = "word"): Observation {
  const reading = {
    ids: Int32Array.from(latents),
    values: new Float32Array(latents.length).fill(1),
    tokens: new Int32Array(latents.length),
  };
  const suspect = { logprob: fired ? -0.1 : -5, fired };
  const prompt = { messages: [{ role: "user", content: word }] };
  return { prompt, key: "", kind, reading, suspect, clean: null, fired } as never;
}

/** Every latent is as frequent as any other; prompts, seen or composed, bring the action by `rule` on the latents that they hold. */
function evidenceOf(
  rule: (held: ReadonlySet<number>, kind?: string) => boolean,
  kin: (a: number, b: number) => boolean = () => false,
  words = 3,
  kind = "natural",
  /** Different words that compositions are written with, by the latents that they hold. */
  used: (held: readonly number[]) => number = () => words,
  wordAt: (held: readonly number[], i: number) => string = (held, i) => "abcdefgh".charAt(i % used(held)).repeat(4),
) {
  const observations = Array.from({ length: LATENTS }, (_, id) => id)
    .filter((id) => id !== 1)
    .flatMap((id) => Array.from({ length: 6 }, () => seen([1, id], rule(new Set([1, id])), kind)));
  return {
    room: {
      half: {
        prompts: Array(400),
        fires: new Int32Array(LATENTS).fill(20),
        minimum: new Float32Array(LATENTS).fill(0.1),
        maximum: new Float32Array(LATENTS).fill(1),
      },
      ranges: Object.fromEntries(Array.from({ length: LATENTS }, (_, id) => [id, { floor: 0, maximum: 1 }])),
      lexicon: { scannedWords: () => 5, words: () => Array(words) },
      kinship: { kin, same: () => false },
      laboratory: { render: () => ({ spans: Int32Array.of(0, 4) }) },
      seed: 1,
    },
    observations,
    composed: ({ kind }: Recipe, condition: Condition, count: number) => ({ kind, condition, count }),
    drawAll: async (requests: readonly { kind: string; condition: Condition; count: number }[]) =>
      requests.map(({ kind, condition: { hypothesis, present }, count }) => {
        const held = hypothesis.parts.flatMap((part, i) => (present[i] ? part.latents : []));
        return Array.from({ length: count }, (_, i) => seen(held, rule(new Set(held), kind), kind, wordAt(held, i)));
      }),
  } as unknown as Evidence;
}

const one: Hypothesis = { parts: [makePart([1])], combination: "single" };

it("adds the concept that keeps the action off where others do not", async () => {
  const found = await exclude(
    evidenceOf((held) => held.has(1) && !held.has(4)),
    one,
  );
  expect(found).toEqual({ parts: [makePart([1]), makePart([4], true)], combination: "all" });
});

it("names all latents of that concept", async () => {
  const kin = (a: number, b: number) => Math.min(a, b) === 4 && Math.max(a, b) === 5;
  const stops = (...latents: number[]) =>
    evidenceOf((held) => held.has(1) && !latents.some((latent) => held.has(latent)), kin);
  expect((await exclude(stops(4, 5), one)).parts[1]).toEqual(makePart([4, 5], true));
});

it("names its pieces of one word too, but no such word of another concept", async () => {
  const stops = (held: ReadonlySet<number>) => held.has(1) && ![4, 5].some((latent) => held.has(latent));
  const written = (kin: boolean) =>
    evidenceOf(
      stops,
      (a, b) => kin && Math.min(a, b) === 4 && Math.max(a, b) === 5,
      3,
      "natural",
      (held) => (held.includes(5) ? 1 : 3),
    );
  expect((await exclude(written(true), one)).parts[1]).toEqual(makePart([4, 5], true));
  expect((await exclude(written(false), one)).parts[1]).toEqual(makePart([4], true));
});

it("excludes two unrelated concepts, each as a part of its own, and nothing where more of them stop the action", async () => {
  const unless = (latents: readonly number[]) =>
    evidenceOf((held) => held.has(1) && !latents.some((latent) => held.has(latent)));
  const { parts, combination } = await exclude(unless([4, 7]), one);
  expect(combination).toBe("all");
  expect(parts).toEqual([makePart([1]), makePart([4], true), makePart([7], true)]);
  expect(await exclude(unless([4, 7, 8]), one)).toEqual(one);
  // Where people wrote nothing that holds both, too: no placebo of one may be the other.
  const composed = evidenceOf((held) => held.has(1) && !held.has(4) && !held.has(7), undefined, 3, "words");
  expect((await exclude(composed, one)).parts).toEqual(parts);
});

it("sees a third concept behind one that is split", async () => {
  const split = [3, 4, 5, 6, 7, 8];
  const kin = (a: number, b: number) => split.includes(a) && split.includes(b);
  const off = (latents: readonly number[]) =>
    evidenceOf(
      (held, by) => held.has(1) && (by !== "words" || !latents.some((latent) => held.has(latent))),
      kin,
      3,
      "words",
    );
  expect((await exclude(off([...split, 9]), one)).parts.map(({ negated }) => negated)).toEqual([false, true, true]);
  expect(await exclude(off([...split, 9, 2]), one)).toEqual(one);
});

it("adds nothing where nothing stops the action, or anything does", async () => {
  const never = evidenceOf((held) => held.has(1));
  expect(await exclude(never, one)).toEqual(one);
  const crowded = evidenceOf((held) => held.has(1) && held.size === 1);
  expect(await exclude(crowded, one)).toEqual(one);
});

it("takes a style whose latents peak at a word each", async () => {
  const style = [3, 4, 5];
  const evidence = (kin: boolean) =>
    evidenceOf(
      (held) => held.has(1) && !style.some((latent) => held.has(latent)),
      (a, b) => kin && style.includes(a) && style.includes(b),
      3,
      "natural",
      undefined,
      ([, latent = 0], i) => (style.includes(latent) ? `opening${latent}` : `word${i % 3}`),
    );
  expect((await exclude(evidence(true), one)).parts).toEqual([makePart([1]), makePart(style, true)]);
  expect(await exclude(evidence(false), one)).toEqual(one);
});

it("does not take one word for a concept", async () => {
  const evidence = evidenceOf(
    (held) => held.has(1) && !held.has(4),
    () => false,
    1,
  );
  expect(await exclude(evidence, one)).toEqual(one);
});

it("does not take a concept for excluded of which one word keeps the action off", async () => {
  const rule = (held: ReadonlySet<number>) => held.has(1) && !held.has(4);
  const written = (words: number) =>
    evidenceOf(
      rule,
      () => false,
      3,
      "natural",
      () => words,
    );
  expect(await exclude(written(2), one)).toEqual(one);
  expect((await exclude(written(4), one)).parts[1]).toEqual(makePart([4], true));
});

it("believes a concept's words where people wrote nothing that holds both", async () => {
  const evidence = evidenceOf(
    (held) => held.has(1) && !held.has(4),
    () => false,
    3,
    "words",
  );
  expect((await exclude(evidence, one)).parts[1]).toEqual(makePart([4], true));
});

it("does not believe what people wrote with a concept where its words do nothing, unless people's prompts show it", async () => {
  const rule = (held: ReadonlySet<number>, kind?: string) => held.has(1) && !(held.has(4) && kind !== "words");
  const composed = evidenceOf(rule, () => false, 3, "words");
  // Something must point to the latent at all: one prompt of its set is less likely to bring the action.
  const pointed = { ...composed, observations: [...composed.observations, seen([1, 4], false, "mixed(part 2)×1")] };
  expect(await exclude(pointed as unknown as Evidence, one)).toEqual(one);
  expect((await exclude(evidenceOf(rule), one)).parts[1]).toEqual(makePart([4], true));
});

it("does not exclude what people wrote beside the action", async () => {
  const evidence = evidenceOf((held, kind) => held.has(1) && !(held.has(4) && kind !== undefined));
  const pointed = { ...evidence, observations: [...evidence.observations, seen([1, 4], false, "words×1")] };
  expect(await exclude(pointed as unknown as Evidence, one)).toEqual(one);
});

it("leaves alternatives alone, and what already excludes something", async () => {
  const evidence = evidenceOf((held) => held.has(1) && !held.has(4));
  const any: Hypothesis = { parts: [makePart([1]), makePart([2])], combination: "any" };
  const except: Hypothesis = { parts: [makePart([1]), makePart([2], true)], combination: "all" };
  expect(await exclude(evidence, any)).toEqual(any);
  expect(await exclude(evidence, except)).toEqual(except);
});

it("excludes where five of people's prompts brought the action by chance, and not where six did", async () => {
  const composed = evidenceOf(
    (held) => held.has(1) && !held.has(4),
    () => false,
    3,
    "words",
  );
  const beside = (count: number) => {
    const natural = Array.from({ length: count }, () => seen([1, 4], true, "natural"));
    return { ...composed, observations: [...composed.observations, ...natural] } as unknown as Evidence;
  };
  expect((await exclude(beside(5), one)).parts[1]).toEqual(makePart([4], true));
  expect(await exclude(beside(6), one)).toEqual(one);
});

it("does not look for what is excluded at words where the concept does not count", async () => {
  // Latent 5 stands beside the failing word alone, on most prompts that fail.
  const rule = (held: ReadonlySet<number>) => held.has(1) && !held.has(4);
  const composed = evidenceOf(rule, () => false, 3, "words");
  const off = Array.from({ length: 30 }, () => seen([1, 5], false, "words", "deck"));
  const evidence = { ...composed, observations: [...composed.observations, ...off] } as unknown as Evidence;
  expect((await exclude(evidence, one, [new Set(["deck"])])).parts[1]).toEqual(makePart([4], true));
});

it("excludes nothing where most other concepts stop the action in what people wrote with them", async () => {
  const stopped = (others: readonly number[]) =>
    evidenceOf(
      (held, kind) => held.has(1) && !held.has(4) && !(kind !== "words" && others.some((latent) => held.has(latent))),
      () => false,
      3,
      "words",
    );
  const pointed = (others: readonly number[]) => {
    const evidence = stopped(others);
    const failing = others.map((latent) => seen([1, latent], false, "mixed(part 2)×1"));
    return { ...evidence, observations: [...evidence.observations, ...failing] } as unknown as Evidence;
  };
  expect((await exclude(pointed([2, 3]), one)).parts[1]).toEqual(makePart([4], true));
  expect(await exclude(pointed([2, 3, 5, 6, 7, 8, 9]), one)).toEqual(one);
});
