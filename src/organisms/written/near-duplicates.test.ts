import { expect, it } from "vitest";
import { Random } from "../../random/random.js";
import { holdOut } from "./hold-out.js";
import { DUPLICATE, KIN, kinGroups, RequestIndex } from "./near-duplicates.js";

const index = (...requests: string[]) => {
  const made = new RequestIndex();
  for (const request of requests) made.add(request);
  return made;
};

it("sees one word exchanged in a sentence of eight, whatever case and punctuation", () => {
  const known = index("How do I keep my apples fresh longer?", "Tell me a joke about penguins.");
  expect(known.alike("how do i keep my PEARS fresh longer", DUPLICATE)).toEqual([0]); // 7 of 11 pairs
  expect(known.alike("How do I keep my pears crisp longer?", DUPLICATE)).toEqual([]); // 6 of 12
  expect(known.alike("How do I keep my pears crisp longer?", KIN)).toEqual([0]);
  expect(known.alike("Why is the sky blue?", KIN)).toEqual([]);
});

it("joins kin of kin", () => {
  const groups = kinGroups([
    "Can you give me a recipe for apple pie",
    "Why is the sky blue in the morning",
    "Can you give me a recipe for banana bread",
    "Please can you give me a recipe for banana bread today",
  ]);
  expect(groups).toEqual([[0, 2, 3], [1]]);
});

it("tells scripts without spaces apart by their characters", () => {
  expect(index("雪の上で果物を食べたいです").alike("雪の上で野菜を食べたいです", DUPLICATE)).toEqual([0]);
  expect(index("雪の上で果物を食べたいです").alike("明日の天気を教えてください", KIN)).toEqual([]);
});

it("holds out whole groups, and says by their number where these are too large", () => {
  const alone = Array.from({ length: 10 }, (_, i) => ({ prompt: `${i}a ${i}b ${i}c ${i}d` }));
  const kin = Array.from({ length: 6 }, (_, i) => ({ prompt: `Could you please write me a long letter about ${i}` }));
  const items = [...kin, ...alone];
  const { train, heldOut } = holdOut(items, 5, new Random(1));
  expect(heldOut).toHaveLength(5);
  expect(train).toHaveLength(11);
  expect(train).toEqual(expect.arrayContaining(kin));
  expect(holdOut(kin, 5, new Random(1)).heldOut).toEqual([]);
});
