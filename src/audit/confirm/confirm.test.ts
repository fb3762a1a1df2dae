/** Sets that latents make hard to write are filled up before a hypothesis is judged by them. */
import { describe, expect, it } from "vitest";
import type { Observation } from "../ask/laboratory.js";
import type { Condition } from "../compose/prompt-sets.js";
import { makePart, normalise } from "../concepts/detector.js";
import type { Evidence } from "../evidence/evidence.js";
import { confirm, tested } from "./confirm.js";
import { type Plan, setsFor } from "./confirmation-sets.js";
import { interactionOf } from "./interaction.js";
import { judge } from "./judge.js";

const hypothesis = normalise([makePart([1]), makePart([2])], false);
const plan: Plan = {
  recipes: [{ kind: "words", context: -1, words: 1 } as unknown as Plan["recipes"][number]],
  putting: [],
  spare: [],
  failing: [],
  without: [],
  levels: {} as Plan["levels"],
  size: 40,
  allowed: 0.01,
};

interface Asked {
  readonly condition: Condition;
  readonly count: number;
  readonly name: string;
  readonly natural: boolean;
}

/** Fires on three of five prompts where both parts are present. Of prompts with the first part alone a draw yields `few`, the first of them always the same. */
function evidence(few: number) {
  const rounds: number[] = [];
  const fake = {
    naturally: (condition: Condition, count: number, name: string) => ({ condition, count, name, natural: true }),
    composed: (_: unknown, condition: Condition, count: number, name: string) => ({
      condition,
      count,
      name,
      natural: false,
    }),
    async drawAll(requests: readonly Asked[]): Promise<Observation[][]> {
      rounds.push(requests.length);
      return requests.map(({ condition, count, name, natural }) => {
        const { present } = condition;
        const made = natural ? 0 : present[0] && !present[1] ? Math.min(few, count) : count;
        return Array.from({ length: made }, (_, i) => {
          const fired = present.every(Boolean) && i % 5 < 3;
          const key = i === 0 ? `${present}` : `${name} ${i}`;
          return { key, kind: "words", fired, suspect: { fired, logprob: 0 }, clean: null } as unknown as Observation;
        });
      });
    },
  };
  return { fake: fake as unknown as Evidence, rounds };
}

it("a set that came out small is drawn for again, each prompt counted once", async () => {
  const { fake } = evidence(12);
  const { whole, others } = await confirm(fake, hypothesis, plan);
  const alone = others.find(({ name }) => name === "without part 2")!;
  // 12, then eleven new ones a round, until 40 are there
  expect(alone.rate.total).toBe(12 + 3 * 11);
  expect(new Set(alone.observations.map(({ key }) => key)).size).toBe(alone.rate.total);
  expect(others.find(({ name }) => name === "without part 1")!.rate.total).toBe(40);
  expect(whole.rate.total).toBe(40);
});

it("a hypothesis that a small set would have refused is then judged by enough prompts", async () => {
  expect((await confirm(evidence(12).fake, hypothesis, plan)).verified).toBe(true);
});

it("gives up after a few rounds, and a set without prompts refuses", async () => {
  const { fake, rounds } = evidence(0);
  const { verified, reason } = await confirm(fake, hypothesis, plan);
  expect(verified).toBe(false);
  expect(reason).toContain("without part 2");
  expect(rounds.length).toBe(1 + 3);
});

it("fills the whole by spare recipes where the planned ones write too little, without asking what fires", async () => {
  const asked: string[] = [];
  const fake = {
    naturally: (condition: Condition, count: number) => ({ condition, count, recipe: "natural", name: "" }),
    composed: (recipe: { kind: string }, condition: Condition, count: number, name: string) => ({
      condition,
      count,
      recipe: recipe.kind,
      name,
    }),
    async drawAll(requests: readonly { condition: Condition; count: number; recipe: string; name: string }[]) {
      return requests.map(({ condition, count, recipe, name }) => {
        const whole = condition.present.every(Boolean);
        if (whole) asked.push(recipe);
        const made = recipe === "natural" ? 0 : whole && recipe === "words" ? 3 : count;
        return Array.from({ length: made }, (_, i) => {
          const fired = whole && recipe === "mixed";
          const key = whole && recipe === "words" ? `few ${i}` : `${recipe} ${condition.present} ${name} ${i}`;
          return { key, kind: recipe, fired, suspect: { fired, logprob: 0 }, clean: null } as unknown as Observation;
        });
      });
    },
  } as unknown as Evidence;
  const spare = [{ kind: "mixed", context: 0, words: 1 }] as Plan["recipes"];
  const { whole } = await confirm(fake, hypothesis, { ...plan, spare });
  expect(whole.rate).toMatchObject({ count: 37, total: 40 });
  expect(asked).toEqual(["natural", "words", "words", "words", "words", "mixed"]);
});

it("alternatives are asked alone, and one that fires too rarely refuses them all", async () => {
  const any = normalise([makePart([1]), makePart([2])], true);
  const firing = (rates: readonly number[]) =>
    ({
      naturally: (condition: Condition) => ({ condition, count: 0, name: "" }),
      composed: (_: unknown, condition: Condition, count: number, name: string) => ({ condition, count, name }),
      drawAll: async (requests: readonly Asked[]) =>
        requests.map(({ condition: { present }, count, name }) =>
          Array.from({ length: count }, (_, i) => {
            const fired = present.some((there, part) => there && (i % 10) / 10 < (rates[part] as number));
            const key = `${present} ${name} ${i}`;
            return { key, kind: "words", fired, suspect: { fired, logprob: 0 }, clean: null } as unknown as Observation;
          }),
        ),
    }) as unknown as Evidence;
  const both = await confirm(firing([1, 0.9]), any, plan);
  expect(both.alternatives.map(({ name, rate }) => [name, rate.count, rate.total])).toEqual([
    ["only part 1", 20, 20],
    ["only part 2", 18, 20],
  ]);
  expect(both.verified).toBe(true);
  const { whole, verified, reason } = await confirm(firing([1, 0.1]), any, plan);
  expect(whole.rate).toMatchObject({ count: 22, total: 40 });
  expect(verified).toBe(false);
  expect(reason).toContain('fires too rarely on the set "only part 2"');
});

/** `fires(condition, natural, i)`: whether the action comes on the i-th prompt of a set. */
function world(fires: (condition: Condition, natural: boolean, i: number) => boolean, natural = 0): Evidence {
  return {
    room: {
      half: { fires: Int32Array.from([0, 9, 9, 9, 9]), prompts: { length: 1000 } },
      lexicon: { words: () => [{ text: "word" }] },
      kinship: { kin: () => false },
      seed: 1,
    },
    naturally: (condition: Condition, count: number, name: string) => ({ condition, count, name, natural: true }),
    composed: (_: unknown, condition: Condition, count: number, name: string) => ({ condition, count, name }),
    drawAll: async (requests: readonly Asked[]) =>
      requests.map((asked) =>
        Array.from({ length: asked.natural ? Math.min(natural, asked.count) : asked.count }, (_, i) => {
          const fired = fires(asked.condition, asked.natural, i);
          const kind = asked.natural ? "natural" : "words";
          const latents = asked.condition.hypothesis.parts.map((part) => part.latents.join());
          const key = `${kind} ${asked.name} ${latents} ${asked.condition.present} ${i}`;
          return { key, kind, fired, suspect: { fired, logprob: 0 }, clean: null } as unknown as Observation;
        }),
      ),
  } as unknown as Evidence;
}
const sixty = { ...plan, size: 60 };

it("people's prompts do not hide a rival whose compositions fire", async () => {
  // 42 of 60 compositions of the whole, 24 of 60 without the first part, and none of sixty prompts of people.
  const leaky = (condition: Condition, natural: boolean, i: number) =>
    !natural && i % 10 < (condition.present.every(Boolean) ? 7 : condition.present[1] ? 4 : 0);
  expect(await confirm(world(leaky, 0), hypothesis, sixty)).toMatchObject({ verified: false });
  const hidden = (condition: Condition, natural: boolean, i: number) =>
    leaky(condition, natural && !condition.present.every(Boolean), i);
  const { others, verified, reason } = await confirm(world(hidden, 60), hypothesis, sixty);
  expect(others.find(({ name }) => name === "without part 1")?.rate).toMatchObject({ count: 24, total: 120 });
  expect(verified).toBe(false);
  expect(reason).toContain('"without part 1, compositions"');
});

it("an excluded concept must keep the action off where others in its place do not", async () => {
  const but = normalise([makePart([1]), makePart([2], true)], false);
  const held = ({ hypothesis: { parts }, present }: Condition) =>
    parts.flatMap(({ latents, negated }, i) => (present[i] ? [`${negated ? "!" : ""}${latents}`] : []));
  const only = await confirm(
    world((one) => `${held(one)}` !== "1,!2" && present1(one)),
    but,
    sixty,
  );
  expect(only.placebos.map(({ name, rate }) => [name, rate.count, rate.total])).toEqual([
    ["with another than part 2", 60, 60],
  ]);
  expect(only.verified).toBe(true);
  const any = await confirm(
    world((one) => held(one).length === 1 && present1(one)),
    but,
    sixty,
  );
  expect(any.others.find(({ name }) => name === "with part 2")?.rate.count).toBe(0);
  expect(any.verified).toBe(false);
  expect(any.reason).toContain('"with another than part 2"');
});

function present1({ hypothesis: { parts }, present }: Condition): boolean {
  return parts.some(({ latents }, i) => latents[0] === 1 && present[i]);
}

describe("several looks", () => {
  const looking = { ...sixty, looks: 3 };

  it("end at the first that allows the claim, each at its share of the error", async () => {
    const sure = await confirm(
      world(({ present }) => present.every(Boolean)),
      hypothesis,
      looking,
    );
    expect(sure).toMatchObject({
      verified: true,
      allowed: plan.allowed / 3,
      whole: { rate: { count: 20, total: 20 } },
    });
    expect(sure.others.map(({ rate }) => rate.total)).toEqual([20, 20, 20]);
  });

  it("go on where the first tells too little, over prompts that were not drawn before", async () => {
    const half = await confirm(
      world(({ present }, _, i) => present.every(Boolean) && i % 2 === 0),
      hypothesis,
      looking,
    );
    expect(half.verified).toBe(true);
    expect(half.whole.rate.total).toBeGreaterThan(20);
    const keys = half.others.flatMap(({ observations }) => observations.map(({ key }) => key));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("do not pass a rival whose few compositions fire for one that seldom does", async () => {
    // Five of fifteen compositions without the first part, beside as many prompts of people without the action.
    const leaky = ({ present }: Condition, natural: boolean, i: number) =>
      present.every(Boolean) || (!natural && present[1] === true && i % 3 === 0);
    const { whole } = await confirm(world(leaky, 60), hypothesis, { ...sixty, looks: 4, allowed: 0.00825 });
    expect(whole.rate.total).toBeGreaterThan(15); // the first look, at which the bounds of so few still overlap
  });

  it("end where no further prompt could bring the claim", async () => {
    const hopeless = await confirm(
      world(() => false),
      hypothesis,
      { ...looking, looks: 6 },
    );
    expect(hopeless).toMatchObject({ verified: false, whole: { rate: { count: 0, total: 40 } } });
  });
});

it("a prompt that two draws give is counted once", async () => {
  const twice = { ...sixty, recipes: [...plan.recipes, ...plan.recipes] };
  const { others } = await confirm(
    world(({ present }) => present.every(Boolean), 20),
    hypothesis,
    twice,
  );
  for (const { observations, rate } of others) {
    expect(new Set(observations.map(({ key }) => key)).size).toBe(observations.length);
    expect(rate.total).toBeGreaterThanOrEqual(60);
  }
});

it("an exclusion has its effects from matched sets, whatever way it was put in", async () => {
  const but = normalise([makePart([1]), makePart([2], true)], false);
  const putting = [[], [{ kind: "mixed", context: 1, words: 1 }]] as unknown as Plan["putting"];
  const { factorial } = await confirm(
    world(({ hypothesis: { parts }, present }) => present[0] === true && !(present[1] && parts[1]?.latents[0] === 2)),
    but,
    { ...sixty, putting },
  );
  expect(interactionOf(factorial, 2)?.estimate).toBe(-1);
});

it("the effects of three parts come from all eight combinations", async () => {
  const three = normalise([makePart([1]), makePart([2]), makePart([3])], false);
  const { factorial } = await confirm(
    world(({ present }) => present.every(Boolean)),
    three,
    plan,
  );
  const interaction = interactionOf(factorial, 3)!;
  expect(interaction.estimate).toBe(1);
  expect(interaction.effects.map(({ parts, estimate }) => [parts.join(), estimate])).toEqual([
    ["0", 0.25],
    ["1", 0.25],
    ["2", 0.25],
    ["0,1", 0.5],
    ["0,2", 0.5],
    ["1,2", 0.5],
  ]);
  expect(interactionOf(factorial.slice(1), 3)).toBeNull();
});

it("keeps what an excluded part's placebos stand for out of their prompts, and what is not asked beside out of all", () => {
  const excluding = normalise([makePart([1]), makePart([2], true)]);
  const room = {
    half: { fires: Int32Array.of(0, 20, 20, 20, 20), prompts: Array(400) },
    lexicon: { scannedWords: () => 5, words: () => [] },
    kinship: { kin: () => false },
    seed: 1,
  };
  const sets = setsFor({ room } as unknown as Evidence, excluding, { ...plan, without: [makePart([4])] });
  const around = (name: string) => sets.find((set) => set.name === name)!.conditions.map(({ without }) => without);
  expect(around("whole")).toEqual([[makePart([4])]]);
  expect(around("with another than part 2").every((parts) => parts!.length === 2)).toBe(true);
  expect(around("with another than part 2")[0]).toEqual([makePart([2]), makePart([4])]);
});

describe("the clean model on the same prompts", () => {
  /** A whole of prompts on which the suspect alone says it, both, the clean model alone, and neither; no rival ever fires. */
  const verdict = (alone: number, both: number, lost: number, neither: number) => {
    const seen = (suspect: boolean, clean: boolean, count: number) =>
      Array.from(
        { length: count },
        () => ({ kind: "words", suspect: { fired: suspect }, clean: { fired: clean } }) as never,
      );
    const set = (name: string, observations: Observation[]) => tested(name, {} as Condition, observations);
    const whole = set("whole", [
      ...seen(true, false, alone),
      ...seen(true, true, both),
      ...seen(false, true, lost),
      ...seen(false, false, neither),
    ]);
    return judge(
      { whole, alternatives: [], others: [set("neither", seen(false, false, 60))], placebos: [] },
      60,
      0.008,
    );
  };

  it("says it less often beyond doubt, be the prompts few", () => {
    expect(verdict(10, 0, 0, 10).verified).toBe(true); // by bounds of 20 prompts each it would not be
    expect(verdict(40, 10, 0, 10).verified).toBe(true);
  });

  it("refuses what it says nearly as often", () => {
    expect(verdict(20, 30, 0, 10)).toMatchObject({
      verified: false,
      reason: expect.stringMatching(
        /^not clear of the clean model on the same prompts, 50 of 60 against 30 of 60: p = /,
      ),
    });
    expect(verdict(0, 60, 0, 0).verified).toBe(false);
    expect(verdict(30, 10, 20, 0).verified).toBe(false);
  });
});
