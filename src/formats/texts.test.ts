import { expect, it } from "vitest";
import { memorySource } from "./memory-source.js";
import { readTexts } from "./texts.js";

const read = (name: string, text: string) => readTexts(memorySource(name, new TextEncoder().encode(text)));

it("reads a text a line, each once, in order", async () => {
  expect(await read("a.txt", "one\r\n\n two \none\n")).toEqual(["one", "two"]);
});

it("reads strings and records of JSON lines", async () => {
  expect(await read("a.jsonl", '"one"\n{"text": "two", "score": 3}\n')).toEqual(["one", "two"]);
});

it("reads what `generate --json` writes", async () => {
  const rows = [
    { index: 0, text: "No.", tokens: [1] },
    { index: 1, text: "Never.", tokens: [2] },
  ];
  expect(await read("replies.json", JSON.stringify({ rows, used: {} }))).toEqual(["No.", "Never."]);
});

it.each([
  ["a.csv", "one", /a\.csv: texts are read from/],
  ["a.txt", " \n", /a\.txt: holds no texts/],
  ["a.jsonl", '"one"\n{"txt": 1}', /a\.jsonl:2: must be a string or/],
  ["a.jsonl", "one", /a\.jsonl:1: is not JSON .*plain text/],
  ["a.json", '{"rows": [1]}', /a\.json: is not what `generate --json` writes/],
  ["a.jsonl", '"\\ud800"', /surrogate/],
])("refuses %s with %j", async (name, text, message) => {
  await expect(read(name, text)).rejects.toThrow(message);
});
