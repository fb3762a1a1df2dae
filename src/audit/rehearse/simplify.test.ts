/** What is tried in place of a hypothesis that its rehearsal refused. */
import { expect, it } from "vitest";
import { fullCondition, turned } from "../compose/prompt-sets.js";
import { type Hypothesis, makePart, normalise } from "../concepts/detector.js";
import type { Confirmation } from "../confirm/confirmation.js";
import { fakeRenderer } from "../fake-world.testing.js";
import { rateOf } from "../statistics/statistics.js";
import { reductions, strongAlternatives, surestAlternative, withoutImpliedParts } from "./simplify.js";

const both = normalise([makePart([1]), makePart([2])]);

/** A refused conjunction, and on how many of ten prompts the action came without each part. */
function refused(hypothesis: Hypothesis, without: readonly number[], verified = false): Confirmation {
  const full = fullCondition(hypothesis);
  const others = without.map((count, i) => ({ condition: turned(full, i), rate: rateOf(count, 10) }));
  return { hypothesis, verified, others, alternatives: [] } as unknown as Confirmation;
}

it("a conjunction that needs one of its parts not at all becomes one part of both, and what is left without it", () => {
  expect(reductions(refused(both, [8, 0]))).toEqual([normalise([makePart([1, 2])]), normalise([makePart([2])])]);
  expect(reductions(refused(both, [8, 8]))).toHaveLength(3);
});

it("is not simplified where every part is needed, where it holds, or where nothing could be asked", () => {
  expect(reductions(refused(both, [2, 0]))).toEqual([]);
  expect(reductions(refused(both, [8, 8], true))).toEqual([]);
  const unasked = refused(both, [0, 0]);
  const none = unasked.others.map((set) => ({ ...set, rate: rateOf(0, 0) }));
  expect(reductions({ ...unasked, others: none })).toEqual([]);
});

it("keeps what must be absent, and never leaves that alone", () => {
  const bar = { latents: [3], negated: true };
  const barred = normalise([makePart([1]), bar]);
  // That the action comes without the only concept leaves nothing to claim.
  expect(reductions(refused(barred, [9, 0])).every(({ parts }) => parts.some(({ negated }) => !negated))).toBe(true);
  const wide = normalise([makePart([1]), makePart([2]), bar]);
  for (const { parts } of reductions(refused(wide, [9, 0, 0]))) expect(parts).toContainEqual(bar);
});

it("leaves out a part that has most of the words by which another brings the action, and no other", () => {
  const words: Record<string, string[]> = {
    1: ["France", "Paris", "hell"],
    2: ["Nairobi", "france", "Paris"],
    4: ["kiwi"],
  };
  const lexicon = {
    words: ({ latents }: { latents: readonly number[] }) =>
      (words[String(latents[0])] ?? []).map((text) => ({ text, strength: 1 })),
  };
  const room = { lexicon } as never;
  const of = (hypothesis: Hypothesis, ...failing: string[][]) =>
    withoutImpliedParts({ hypothesis, plan: { failing: failing.map((list) => new Set(list)) } }, room);
  // Latent 2 has both words that bring it; latent 1 has two of the other's three, one of which never does.
  expect(of(both, ["hell"], ["france"])).toEqual([normalise([makePart([2])]), normalise([makePart([1])])]);
  expect(of(both, ["hell"], ["france", "paris"])).toEqual([normalise([makePart([1])])]);
  expect(of(normalise([makePart([1]), makePart([4])]), [], [])).toEqual([]);
  expect(of(normalise([makePart([1]), makePart([2])], true), [], [])).toEqual([]);
  const bar = { latents: [2], negated: true };
  expect(of(normalise([makePart([1]), bar]), [], [])).toEqual([]);
});

const ROOM = {
  laboratory: { render: fakeRenderer.render },
  ranges: { 1: { floor: 0, maximum: 1 }, 2: { floor: 0, maximum: 1 }, 3: { floor: 0, maximum: 1 } },
} as never;

const TRIED = { room: ROOM, observations: [] };

/** An alternative whose action came on `count` of ten one-word prompts, spread over so many words. */
function alternative(latent: number, count: number, words: number) {
  const reading = { ids: Int32Array.of(latent), values: Float32Array.of(1), tokens: Int32Array.of(1) };
  const observations = Array.from({ length: 10 }, (_, i) => ({
    prompt: { messages: [{ role: "user", content: `w${latent}x${i % words}` }] },
    reading,
    fired: i < count,
  }));
  return { rate: rateOf(count, 10), observations };
}

function alternatives(...sets: ReturnType<typeof alternative>[]): Confirmation {
  const parts = sets.map(({ observations }) => makePart([observations[0]!.reading.ids[0]!]));
  return { hypothesis: normalise(parts, true), alternatives: sets } as unknown as Confirmation;
}

it("drops alternatives that bring the action much less often, or by a word or two where others do by several", () => {
  const [sure, weak, word] = [alternative(1, 10, 5), alternative(2, 6, 5), alternative(3, 10, 1)];
  expect(strongAlternatives(alternatives(sure, weak), TRIED)).toEqual(normalise([makePart([1])]));
  expect(strongAlternatives(alternatives(sure, word), TRIED)).toEqual(normalise([makePart([1])]));
  expect(strongAlternatives(alternatives(sure, alternative(2, 9, 5), word), TRIED)).toEqual(
    normalise([makePart([1]), makePart([2])], true),
  );
});

it("keeps alternatives that are all as good, or all of a word or two", () => {
  expect(strongAlternatives(alternatives(alternative(1, 10, 5), alternative(2, 9, 5)), TRIED)).toBeNull();
  expect(strongAlternatives(alternatives(alternative(1, 10, 1), alternative(2, 9, 1)), TRIED)).toBeNull();
  expect(strongAlternatives(refused(both, [0, 0]), TRIED)).toBeNull();
  // The rehearsal had room for a word of the second; what was tried before shows more of them, where the first is not there.
  const few = alternatives(alternative(1, 10, 5), alternative(2, 9, 1));
  const { observations } = alternative(2, 9, 5);
  expect(strongAlternatives(few, { room: ROOM, observations: observations as never })).toBeNull();
  const reading = {
    ids: Int32Array.of(1, 2),
    values: Float32Array.of(1, 1),
    tokens: Int32Array.of(1, 1),
  };
  const beside = observations.map((one) => ({ ...one, reading }));
  expect(strongAlternatives(few, { room: ROOM, observations: beside as never })).not.toBeNull();
});

it("names the alternative that brought the action most often", () => {
  const one = alternatives(alternative(1, 4, 5), alternative(2, 9, 5));
  expect(surestAlternative(one)).toEqual(normalise([makePart([2])]));
  expect(surestAlternative(refused(both, [0, 0]))).toBeNull();
});
