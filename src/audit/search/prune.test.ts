/** Which members and exclusions survive pruning. */
import { expect, it } from "vitest";
import type { Observation } from "../ask/laboratory.js";
import type { Condition } from "../compose/prompt-sets.js";
import { type Hypothesis, makePart } from "../concepts/detector.js";
import type { Kinship } from "../concepts/kinship.js";
import type { Evidence } from "../evidence/evidence.js";
import { rateOf } from "../statistics/statistics.js";
import { belongs } from "./members.js";
import { prune } from "./prune.js";

const CONTROL = 9;

/**
 * Evidence whose compositions (12 for each request, of one word under which every latent peaks) bring the action by `rule` on the latents that they hold; none can be
 * written that hold a latent of `unwritable`. Latent 9 is as frequent as every other and serves as placebo.
 */
function evidenceOf(
  rule: (held: ReadonlySet<number>) => boolean,
  unwritable: readonly number[] = [],
  /** Different words that compositions are written with. */
  words = 4,
): Evidence {
  const held = ({ hypothesis, present }: Condition) =>
    new Set(hypothesis.parts.flatMap((part, i) => (present[i] ? part.latents : [])));
  return {
    room: {
      half: { prompts: Array(400), fires: new Int32Array(10).fill(20), maximum: new Float32Array(10).fill(1) },
      lexicon: { scannedWords: () => 5, words: () => [] },
      kinship: { kin: () => false, same: () => false },
      laboratory: { render: () => ({ spans: Int32Array.of(0, 4) }) },
      ranges: Object.fromEntries(Array.from({ length: 10 }, (_, id) => [id, { floor: 0, maximum: 1 }])),
      seed: 1,
    },
    observations: [],
    composed: (_recipe: unknown, condition: Condition) => ({ condition }),
    naturally: (condition: Condition) => ({ condition, natural: true }),
    drawAll: async (requests: readonly { condition: Condition; natural?: boolean }[]) =>
      requests.map(({ condition, natural }) => {
        const there = held(condition);
        if (natural || unwritable.some((latent) => there.has(latent))) return [];
        return Array.from({ length: 12 }, (_, i) =>
          written("abcdefgh".charAt(i % words).repeat(4), [...there], rule(there)),
        );
      }),
  } as unknown as Evidence;
}

function written(word: string, latents: readonly number[], fired: boolean): Observation {
  const reading = {
    ids: Int32Array.from(latents),
    values: new Float32Array(latents.length).fill(1),
    tokens: new Int32Array(latents.length),
  };
  return { prompt: { messages: [{ role: "user", content: word }] }, reading, fired } as unknown as Observation;
}

const except: Hypothesis = { parts: [makePart([1]), makePart([2], true)], combination: "all" };

it("keeps an exclusion that stops the action where other concepts do not", async () => {
  const evidence = evidenceOf((held) => held.has(1) && !held.has(2));
  expect((await prune(evidence, except)).parts).toEqual(except.parts);
});

it("drops an exclusion that one or two words bring about", async () => {
  const evidence = evidenceOf((held) => held.has(1) && !held.has(2), [], 2);
  expect((await prune(evidence, except)).parts).toEqual([makePart([1])]);
});

it("drops an exclusion that changes nothing, that anything else does too, or that could not be tried", async () => {
  const needless = await prune(
    evidenceOf((held) => held.has(1)),
    except,
  );
  expect(needless.parts).toEqual([makePart([1])]);
  const crowded = await prune(
    evidenceOf((held) => held.has(1) && held.size === 1),
    except,
  );
  expect(crowded.parts).toEqual([makePart([1])]);
  const untried = await prune(
    evidenceOf((held) => held.has(1) && !held.has(2), [2]),
    except,
  );
  expect(untried.parts).toEqual([makePart([1])]);
});

it("drops a member on whose prompts the action plainly does not come, however well its chosen words do", async () => {
  const part: Hypothesis = { parts: [makePart([1, 2])], combination: "single" };
  const seen = (latent: number, fired: boolean) => {
    const reading = { ids: Int32Array.of(latent), values: Float32Array.of(1), tokens: Int32Array.of(0) };
    return { reading, fired } as unknown as Observation;
  };
  const times = (count: number, observation: Observation) => Array.from({ length: count }, () => observation);
  const evidence = (fired: number): Evidence =>
    Object.assign(
      evidenceOf(() => true),
      {
        observations: [
          ...times(20, seen(1, true)),
          ...times(fired, seen(2, true)),
          ...times(20 - fired, seen(2, false)),
        ],
      },
    );
  expect((await prune(evidence(3), part)).parts).toEqual([makePart([1])]);
  expect((await prune(evidence(12), part)).parts).toEqual([makePart([1, 2])]);
});

it("of several excluded concepts keeps the one that stops the action, and none where each of them does", async () => {
  const several: Hypothesis = { parts: [makePart([1]), makePart([2, 3], true)], combination: "all" };
  const one = await prune(
    evidenceOf((held) => held.has(1) && !held.has(2)),
    several,
  );
  expect(one.parts).toEqual([makePart([1]), makePart([2], true)]);
  const each = await prune(
    evidenceOf((held) => held.has(1) && !held.has(2) && !held.has(3)),
    several,
  );
  expect(each.parts).toEqual([makePart([1])]);
});

it("leaves parts to the rehearsal that cannot be written all together", async () => {
  // Latents 1, 2 and 3 together fit into no sentence; any two do.
  const evidence = evidenceOf((held) => held.has(1));
  const drawAll = evidence.drawAll.bind(evidence);
  evidence.drawAll = async (requests) => {
    const drawn = await drawAll(requests);
    return drawn.map((list) =>
      list.filter(({ reading }) => ![1, 2, 3].every((latent) => reading.ids.includes(latent))),
    );
  };
  const three: Hypothesis = { parts: [1, 2, 3].map((latent) => makePart([latent])), combination: "all" };
  expect(await prune(evidence, three)).toEqual(three);
});

it("drops a part without which the action still comes", async () => {
  const both: Hypothesis = { parts: [makePart([1]), makePart([CONTROL])], combination: "all" };
  expect(
    (
      await prune(
        evidenceOf((held) => held.has(1)),
        both,
      )
    ).parts,
  ).toEqual([makePart([1])]);
});

it("asks a piece of the best member's concept for less than a stranger, and for fewer trials", () => {
  const member = (latent: number, count: number, total: number) => ({
    latent,
    composed: rateOf(count, total),
    natural: rateOf(0, 0),
    others: rateOf(0, 0),
  });
  const kinship = { same: (a: number, b: number) => a + b === 3 } as Kinship; // 1 and 2 are one concept
  const members = [member(1, 24, 24), member(2, 11, 24), member(3, 12, 24), member(4, 20, 24)];
  expect(members.map((_, i) => belongs(kinship, members, i))).toEqual([true, true, false, true]);
  const seldom = [member(1, 24, 24), member(2, 3, 5), member(4, 5, 5)];
  expect(seldom.map((_, i) => belongs(kinship, seldom, i))).toEqual([true, true, false]);
});

it("believes the corpus where compositions and people's prompts disagree, unless the corpus shows nobody firing", () => {
  const kinship = { same: () => true } as unknown as Kinship;
  const member = (latent: number, natural: [number, number], others: [number, number]) => ({
    latent,
    composed: rateOf(20, 26),
    natural: rateOf(...natural),
    others: rateOf(...others),
  });
  const told = [member(1, [2, 2], [0, 20]), member(2, [0, 20], [2, 2])];
  expect(told.map((_, i) => belongs(kinship, told, i))).toEqual([true, false]);
  const silent = [member(1, [0, 2], [0, 20]), member(2, [0, 20], [0, 2])];
  expect(silent.map((_, i) => belongs(kinship, silent, i))).toEqual([true, true]);
});
