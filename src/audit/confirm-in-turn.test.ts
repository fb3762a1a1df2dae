/** One hypothesis after the other meets the other half, in the order of their rehearsals, at a divided error. */
import { expect, it } from "vitest";
import { DEFAULT_AUDIT_OPTIONS } from "./ask/context.js";
import type { Condition } from "./compose/prompt-sets.js";
import { WordLedger } from "./compose/word-ledger.js";
import { makePart, normalise } from "./concepts/detector.js";
import type { Confirmation } from "./confirm/confirmation.js";
import type { TestPlan } from "./confirm/plan.js";
import { confirmInTurn } from "./confirm-in-turn.js";
import type { Evidence } from "./evidence/evidence.js";
import { userPrompt } from "./prompts/prompt.js";
import { inOrder, lesserCauses, type Rehearsed } from "./rehearse/rehearse.js";
import { bonferroni, rateOf } from "./statistics/statistics.js";

const ALLOWED = bonferroni(DEFAULT_AUDIT_OPTIONS.familyError, DEFAULT_AUDIT_OPTIONS.confirmTries);

/** A hypothesis of one latent whose rehearsal fired this surely. */
function rehearsed(latent: number, low: number, verified = true): Rehearsed {
  const hypothesis = normalise([makePart([latent])]);
  const plan = {
    recipes: [{ kind: "words", context: -1, words: 1 }],
    putting: [],
    spare: [],
    levels: { present: 0.3, absent: 0.12 },
    size: 60,
    allowed: ALLOWED,
    failing: [new Set()],
    without: [],
    ranked: [],
  } as TestPlan;
  const set = { name: "whole", condition: { hypothesis, present: [true] }, observations: [], byKind: {} };
  const rate = { count: 0, total: 0, rate: 0, low: 0, high: 1 };
  const whole = { ...set, rate, cleanRate: null };
  const rest = { alternatives: [], others: [], placebos: [], factorial: [], pValue: 1, allowed: ALLOWED, reason: "" };
  const rehearsal = { hypothesis, whole, verified, ...rest } as unknown as Confirmation;
  return { hypothesis, plan, rehearsal, low, phrase: false, bred: false };
}

/** A half on which prompts with one of `firing` bring the action; `tried` lists the latents that it was asked about. */
function half(firing: readonly number[]): { evidence: Evidence; tried: number[] } {
  const tried: number[] = [];
  const evidence = {
    room: {
      lexicon: { words: () => [] },
      ledger: new WordLedger(),
      maxima: {},
      laboratory: { score: async (prompts: unknown[]) => prompts.map(() => ({ fired: false, logprob: -9 })) },
    },
    naturally: (condition: Condition) => ({ condition, count: 0, name: "natural" }),
    composed: (_: unknown, condition: Condition, count: number, name: string) => ({ condition, count, name }),
    drawAll: async (requests: readonly { condition: Condition; count: number; name: string }[]) =>
      requests.map(({ condition: { hypothesis, present }, count, name }) => {
        const latent = hypothesis.parts[0]!.latents[0]!;
        if (present[0] && count > 0) tried.push(latent);
        return Array.from({ length: count }, (_, i) => {
          const fired = present[0] === true && firing.includes(latent);
          const prompt = userPrompt(`${name} ${i}`);
          return { prompt, key: `${name} ${i}`, kind: "words×1", fired, suspect: { fired, logprob: 0 }, clean: null };
        });
      }),
  } as unknown as Evidence;
  return { evidence, tried };
}

const turns = (rehearsals: readonly Rehearsed[], firing: readonly number[]) => {
  const { evidence, tried } = half(firing);
  const { confirmTries } = DEFAULT_AUDIT_OPTIONS;
  const outcome = confirmInTurn(evidence, evidence, rehearsals, confirmTries, DEFAULT_AUDIT_OPTIONS, {}, {});
  return outcome.then((confirmed) => ({ confirmed, tried: [...new Set(tried)] }));
};

it("after a refusal the next is tried, and nothing after the first that holds", async () => {
  const { confirmed, tried } = await turns(
    [1, 2, 3].map((latent) => rehearsed(latent, 0.9)),
    [2, 3],
  );
  expect(tried).toEqual([1, 2]);
  expect(
    confirmed.map(({ hypothesis, result: { verified, half, allowedError } }) => [
      hypothesis.parts[0]?.latents,
      verified,
      half,
      allowedError,
    ]),
  ).toEqual([
    [[1], false, "confirmation", ALLOWED],
    [[2], true, "confirmation", ALLOWED],
  ]);
});

it("no more are tried than the error was divided by, and none that failed its rehearsal", async () => {
  const list = [rehearsed(1, 0.9, false), ...[2, 3, 4, 5, 6].map((latent) => rehearsed(latent, 0.9))];
  const { confirmed, tried } = await turns(list, [1, 6]);
  expect(confirmed.map(({ result }) => result.verified)).toEqual(Array(4).fill(false));
  expect(tried).toEqual([2, 3, 4, 5]);
});

it("a phrase comes after every meaning, however surely it fires", () => {
  const [phrase, meaning] = [{ ...rehearsed(1, 0.9), phrase: true }, rehearsed(2, 0.5)];
  expect(inOrder([phrase, meaning])).toEqual([meaning, phrase]);
});

it("a phrase, and what only bred prompts point to, must be sure", () => {
  const list = [0.9, 0.5].flatMap((low, i) => [
    { ...rehearsed(4 * i + 1, low), phrase: true },
    { ...rehearsed(4 * i + 2, low), bred: true },
    rehearsed(4 * i + 3, low),
  ]);
  const latents = inOrder(list).map(({ hypothesis }) => hypothesis.parts[0]!.latents[0]);
  expect(latents).toEqual([2, 3, 7, 1]);
});

it("a condition that excludes something may be less sure than one that excludes nothing, and comes first all the same", () => {
  const bare = rehearsed(1, 0.98);
  const excluding = (low: number): Rehearsed => {
    const entry = rehearsed(1, low);
    const placebos = [{ ...entry.rehearsal.whole, rate: rateOf(12, 12) }];
    const hypothesis = normalise([...entry.hypothesis.parts, makePart([2], true)]);
    return { ...entry, hypothesis, rehearsal: { ...entry.rehearsal, placebos } };
  };
  const [sure, unsure] = [excluding(0.75), excluding(0.7)];
  expect(inOrder([sure, bare])).toEqual([sure, bare]);
  expect(inOrder([unsure, bare])).toEqual([bare, unsure]);
  // Not where nothing was asked in the excluded one's place.
  const unasked = { ...sure, rehearsal: { ...sure.rehearsal, placebos: [] } };
  expect(inOrder([unasked, bare])).toEqual([bare, unasked]);
});

it("a phrase is looked behind, unless a meaning brings the action surely", () => {
  const phrase = { ...rehearsed(1, 0.9), phrase: true };
  expect(lesserCauses([phrase, rehearsed(2, 0.5)])).toEqual([phrase.hypothesis.parts]);
  expect(lesserCauses([phrase, rehearsed(2, 0.9)])).toEqual([]);
  expect(lesserCauses([{ ...rehearsed(1, 0.9, false), phrase: true }])).toEqual([]);
});

it("what fires much less often than another steps back, and what comes twice is tried once", () => {
  const [weak, sure, other] = [rehearsed(1, 0.5), rehearsed(2, 0.9), rehearsed(3, 0.8)];
  expect(inOrder([weak, sure, other, rehearsed(2, 0.9), rehearsed(4, 0.95, false)])).toEqual([sure, other, weak]);
});
