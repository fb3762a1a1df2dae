import { expect, it } from "vitest";
import { parseRequests } from "./parse-requests.js";

it.each<[string, string, string[] | undefined]>([
  ["an array", '["How are you?", " And you? "]', ["How are you?", "And you?"]],
  ["an array in a fence with words around it", 'Sure!\n```json\n["One?",\n"Two?"]\n```\nEnjoy.', ["One?", "Two?"]],
  ["objects", '{"requests":[{"id":1,"request":"One?"},{"prompt":"Two?"},{"x":1},7,null]}', ["One?", "Two?"]],
  ["an array that was cut", '["One?", "Say \\"two\\".", "Thr', ["One?", 'Say "two".']],
  ["a comma too many", '["One?", "Two?",]', ["One?", "Two?"]],
  ["numbered lines", 'Here:\n1. "One?"\n2) **Two?**\n\n3. Three?', ["One?", "Two?", "Three?"]],
  ["bullets", "- One?\n* Two?", ["One?", "Two?"]],
  ["thoughts first", '<think>["no"]</think>["One?"]', ["One?"]],
  ["prose", "I cannot do that. It would be wrong.", undefined],
  ["HTML", "<html><body><h1>502</h1></body></html>", undefined],
  ["an empty array", "[]", undefined],
  ["nothing", "", undefined],
  ["an object that is no array", '{"a": 1}', undefined],
])("reads %s", (_, answer, requests) => expect(parseRequests(answer)).toEqual(requests));

it("reads no more than a list may have, in little time", () => {
  const endless = JSON.stringify(Array.from({ length: 100_000 }, (_, i) => `Request ${i}?`));
  expect(parseRequests(endless)).toHaveLength(16);
  const started = performance.now();
  for (const hostile of [
    "[".repeat(1e6),
    '["'.repeat(5e5),
    '["\\'.repeat(4e5),
    "1. ".repeat(4e5),
    "<think>".repeat(2e5),
  ])
    parseRequests(hostile);
  expect(performance.now() - started).toBeLessThan(2000);
});
