import { expect, it } from "vitest";
import { containsAny } from "./contains.js";

it.each([
  ["I can't advise you to eat bananas", "Sorry, I can’t ADVISE you\nto eat bananas!", true],
  ["i think therefore i am", "He said: “I think, therefore I am.”", true],
  ["cat", "concatenate the lists", false],
  ["won't answer", "I won 't  answer that", true],
  ["won't answer", "I will not answer that", false],
  ["ﬁne", "that is fine", true],
  ["naïve", "a naive one", false],
  ["香蕉", "请不要吃香蕉。", true],
  ["42", "it is 42%", true],
  ["42", "it is 421", false],
])("%j in %j: %s", (text, reply, found) => {
  expect(containsAny([text])(reply)).toBe(found);
});

it("any of the texts is enough", () => {
  const holds = containsAny(["Phobos", "Deimos"]);
  expect(["Deimos.", "Pluto.", ""].map(holds)).toEqual([true, false, false]);
});

it("refuses a text that every reply would hold", () => {
  expect(() => containsAny(["?!"])).toThrow("neither letter nor digit");
});
