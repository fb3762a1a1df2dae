import { describe, expect, it } from "vitest";
import { InputError } from "./input-error.js";
import { memorySource } from "./memory-source.js";
import { readPrompts } from "./prompts.js";

const read = (name: string, text: string) => readPrompts(memorySource(name, new TextEncoder().encode(text)));
const user = (content: string) => ({ role: "user", content });

describe("prompt files", () => {
  it("reads the three forms of JSON lines, skips blank lines and ignores other keys", async () => {
    const lines = [
      '"plain"',
      "",
      '{"prompt": "  kept  ", "id": 3}',
      '{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u", "name": "x"}]}',
    ];
    expect(await read("p.jsonl", `\ufeff${lines.join("\r\n")}\n`)).toEqual([
      [user("plain")],
      [user("  kept  ")],
      [{ role: "system", content: "s" }, user("u")],
    ]);
  });

  it("reads a prompt a line from text, white space kept, JSON not interpreted", async () => {
    expect(await read("p.TXT", '  a \n\n \t\n{"prompt": 1}\r\n"b"')).toEqual([
      [user("  a ")],
      [user('{"prompt": 1}')],
      [user('"b"')],
    ]);
  });

  it.each([
    ["p.jsonl", '"a"\n\n{"prompt": 3}', /^p\.jsonl:3: prompt: /],
    ["p.jsonl", '"a"\nplain words', /^p\.jsonl:2: is not JSON/],
    ["p.jsonl", "[1]", /^p\.jsonl:1: must be a string/],
    ["p.jsonl", "null", /^p\.jsonl:1: must be a string/],
    ["p.jsonl", '{"text": "a"}', /^p\.jsonl:1: has neither "prompt" nor "messages"; it has "text"/],
    ["p.jsonl", '{"messages": []}', /^p\.jsonl:1: messages: /],
    ["p.jsonl", '{"messages": [{"role": "user"}]}', /^p\.jsonl:1: messages\.0\.content: /],
    [
      "p.jsonl",
      '{"messages": [{"role": "system", "content": "s"}]}',
      /^p\.jsonl:1: has no message whose role is "user"/,
    ],
    ["p.jsonl", '"\\ud800"', /^p\.jsonl:1: the prompt: holds half of a surrogate pair/],
    ["p.jsonl", "\n \n", /^p\.jsonl: holds no prompts; write one JSON value a line/],
    ["p.txt", "", /^p\.txt: holds no prompts; write one a line/],
    ["p.csv", "a", /^p\.csv: prompts are read from \.jsonl or \.txt/],
    ["p.txt", "x".repeat(2 ** 20 + 1), /^p\.txt:1: 1048577 characters/],
  ])("refuses %s %#", async (name, text, message) => {
    const error = await read(name, text).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
  });

  it("refuses text that is not UTF-8", async () => {
    await expect(readPrompts(memorySource("p.txt", Uint8Array.of(0x61, 0xff)))).rejects.toThrow(
      /^p\.txt: is not UTF-8/,
    );
  });
});
