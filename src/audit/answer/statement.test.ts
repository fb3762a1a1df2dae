/** What an answer says in words, and what it says that it leaves open. */
import { expect, it } from "vitest";
import { type Rate, rateOf } from "../statistics/statistics.js";
import type { ResultHypothesis, ResultSet } from "./result.js";
import { describeCondition, notShown, statementOf } from "./statement.js";

const part = (label: string, negated = false) => ({
  latents: [1],
  negated,
  label,
  words: [label],
  exceptWords: [],
  maxima: [1],
});
const set = (name: string, rate: Rate, expected: boolean, byKind: Record<string, Rate> = {}): ResultSet => ({
  name,
  present: [true],
  expected,
  rate,
  cleanRate: null,
  byKind,
});
const hypothesis = (more: Partial<ResultHypothesis>): ResultHypothesis =>
  ({
    parts: [part("fruit"), part("snow", true)],
    combination: "all",
    rate: rateOf(57, 60),
    cleanRate: rateOf(0, 60),
    sets: [
      set("whole", rateOf(57, 60), true, { natural: rateOf(20, 20), "words×1": rateOf(37, 40) }),
      set("without part 1", rateOf(1, 60), false),
      set("with part 2", rateOf(3, 60), false),
      set("with another than part 2", rateOf(58, 60), true),
    ],
    askedWithout: [],
    ...more,
  }) as ResultHypothesis;

it("the highest rate elsewhere is that of sets on which the action should not come", () => {
  expect(statementOf(hypothesis({}))).toBe(
    'The model says the action when the prompt holds "fruit" and not "snow": on 57 of 60 (95 %, 86–98 %) unseen prompts; ' +
      "at most 3 of 60 (5 %, 2–14 %) where a part is changed or all are missing; the clean model says it on 0 of 60 (0 %, 0–6 %).",
  );
});

it("of alternatives the weakest is named", () => {
  const sets = [
    set("whole", rateOf(50, 60), true),
    set("only part 1", rateOf(30, 30), true),
    set("only part 2", rateOf(20, 30), true),
    set("neither", rateOf(0, 60), false),
  ];
  const either = hypothesis({ parts: [part("fruit"), part("snow")], combination: "any", sets });
  expect(statementOf(either)).toContain("unseen prompts, each alone on at least 20 of 30");
});

it("leaves open what no set showed, and nothing that one did", () => {
  const only = (byKind: Record<string, Rate>, cleanRate: Rate | null = rateOf(0, 60)) =>
    notShown(hypothesis({ parts: [part("fruit")], cleanRate, sets: [set("whole", rateOf(57, 60), true, byKind)] }));
  expect(only({ natural: rateOf(20, 20), "words×1": rateOf(37, 40) })).toEqual([
    "that nothing else brings it: nobody looked beyond a condition that is confirmed",
  ]);
  expect(only({ "words×1": rateOf(57, 60) })[0]).toMatch(/as people write them: all of these were composed/);
  expect(only({ natural: rateOf(1, 10), splice: rateOf(40, 50) })[0]).toMatch(/on 1 of 10 .* of them, on 40 of 50/);
  expect(only({ natural: rateOf(9, 10), splice: rateOf(50, 50) })).toHaveLength(1);
  expect(only({ natural: rateOf(9, 10) }, null)[0]).toMatch(/there was no clean model/);
  expect(notShown(hypothesis({})).at(-1)).toMatch(/brings it or keeps it off/);
  const without = hypothesis({ sets: [set("whole", rateOf(57, 60), true, { natural: rateOf(57, 60) })] });
  expect(notShown(without)[0]).toMatch(/this concept which keeps it off/);
});

it("says beside what nothing was asked", () => {
  const around = (...labels: string[]) => hypothesis({ askedWithout: labels.map((label) => part(label)) });
  expect(statementOf(around("a"))).toContain('unseen prompts, none of which holds "a"; at most');
  expect(statementOf(around("a", "b"))).toContain('none of which holds "a" or "b"; at most');
  expect(statementOf(around("a", "b", "c", "d", "e"))).toContain('holds "a", "b", "c" or 2 more; at most');
  expect(notShown(around("a", "b"))[0]).toMatch(/^that it comes beside "a", "b": in search it came there less/);
  expect(notShown(around("a", "b"), "chosen")[0]).toBe('that it comes beside "a", "b": nothing was asked there');
});

it("leads with a part's words where few of them bring the action and others do not", () => {
  const words = (words: readonly string[], exceptWords: readonly string[]) =>
    describeCondition([{ ...part("philosophers"), words, exceptWords }], false);
  expect(words(["Socrates"], ["bacon", "hobbes"])).toBe('"Socrates" (read by "philosophers"; not at bacon, hobbes)');
  expect(words(["Tokyo", "Japan"], ["cairo"])).toBe('"Tokyo" or "Japan" (read by "philosophers"; not at cairo)');
  expect(words(["Socrates"], [])).toBe('"philosophers" (Socrates)');
  expect(words(["a", "b", "c"], ["d"])).toBe('"philosophers" (a, b, c; not at d)');
  const named = { ...part("fresh, Sour, ripe"), words: ["fresh", "ripe", "stem"], exceptWords: ["sour"] };
  expect(describeCondition([named], false)).toBe('"fresh, ripe, stem" (read by "fresh, Sour, ripe"; not at sour)');
});
