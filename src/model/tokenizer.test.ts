import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { memoryFolder } from "../formats/memory-source.js";
import { align, normalizeAligned } from "./aligned-text.js";
import { loadTokenizer } from "./tokenizer.js";

/** What transformers said; made by test/goldens/tokenizer.py. */
interface Golden {
  files: Record<string, unknown>;
  vocabulary: number;
  eos: number;
  cases: { text: string; ids: number[]; spans: [number, number][]; decoded: string }[];
}
const folder = process.env["TOKENIZER_GOLDENS"] ?? new URL("../../test/goldens/tokenizer", import.meta.url).pathname;
const goldens = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => [file.slice(0, -5), JSON.parse(readFileSync(`${folder}/${file}`, "utf8")) as Golden] as const);
const filesOf = (files: Record<string, unknown>) =>
  memoryFolder("tok", Object.fromEntries(Object.entries(files).map(([name, value]) => [name, JSON.stringify(value)])));
const golden = (name: string) => (goldens.find(([found]) => found === name) as (typeof goldens)[number])[1];

describe.each(goldens)("tokenizer of the kind %s", (_, { files, cases, vocabulary, eos }) => {
  it("gives the ids and places that transformers gives", async () => {
    const tokenizer = await loadTokenizer(filesOf(files));
    for (const { text, ids, spans } of cases) {
      const got = tokenizer.encodeWithOffsets(text);
      expect({ text, ids: [...got.ids], spans: got.spans }).toEqual({ text, ids, spans });
    }
  });

  it("decodes as transformers does, and knows its size and end", async () => {
    const tokenizer = await loadTokenizer(filesOf(files));
    for (const { ids, decoded } of cases) expect(tokenizer.decode(ids)).toBe(decoded);
    expect([tokenizer.vocabularySize, tokenizer.endIds]).toEqual([vocabulary, [eos]]);
  });
});

describe("tokenizer", () => {
  it("leaves out ids beyond the vocabulary and, when asked, special tokens", async () => {
    const tokenizer = await loadTokenizer(filesOf(golden("chatml").files));
    const ids = tokenizer.encode("hi<|im_end|>");
    expect(tokenizer.decode([...ids, 99_999])).toBe("hi<|im_end|>");
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe("hi");
    expect(tokenizer.decode([99_999])).toBe("");
    expect(tokenizer.isSpecial(tokenizer.idOf("<|im_end|>") as number)).toBe(true);
  });

  it("shows single tokens with their spaces", async () => {
    for (const name of ["chatml", "gemma"]) {
      const tokenizer = await loadTokenizer(filesOf(golden(name).files));
      const shown = [...tokenizer.encode("the best way")].map((id) => tokenizer.tokenText(id));
      expect(shown.join("")).toBe("the best way");
      expect(tokenizer.tokenText(99_999)).toBeUndefined();
    }
  });

  it("adds special tokens that only the other files name, as transformers does", async () => {
    const { files } = golden("chatml");
    const base = files["tokenizer.json"] as { added_tokens: unknown[]; model: { vocab: Record<string, number> } };
    const bare = { ...base, added_tokens: [] };
    const config = {
      eos_token: { content: "<|im_end|>" },
      added_tokens_decoder: { 2: { content: "<|endoftext|>", special: true } },
    };
    const map = { additional_special_tokens: ["<|new|>"], bos_token: "<|im_start|>" };
    const tokenizer = await loadTokenizer(
      filesOf({ "tokenizer.json": bare, "tokenizer_config.json": config, "special_tokens_map.json": map }),
    );
    const size = Object.keys(base.model.vocab).length;
    expect([...tokenizer.encode("<|im_end|><|endoftext|><|new|><|im_start|>")]).toEqual([1, 2, size, 0]);
    expect(tokenizer.named).toEqual({ eos_token: "<|im_end|>", bos_token: "<|im_start|>" });
    expect(tokenizer.endIds).toEqual([1]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["no tokenizer.json", {}, /^tok: tokenizer\.json is missing/],
    ["broken JSON", { "tokenizer.json": "{" }, /^tok\/tokenizer\.json: is not valid JSON/],
    ["no model", { "tokenizer.json": "{}" }, /^tok\/tokenizer\.json: model: /],
    ["a negative id", { "tokenizer.json": '{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}' }, /vocab\.a/],
    [
      "an id that would exhaust memory",
      { "tokenizer.json": '{"model":{"type":"BPE","vocab":{"a":1e15},"merges":[]}}' },
      /vocab\.a/,
    ],
    [
      "WordPiece",
      { "tokenizer.json": '{"model":{"type":"WordPiece","vocab":{"a":0},"unk_token":"a"}}' },
      /"WordPiece" is not supported/,
    ],
    [
      "a broken config",
      { "tokenizer.json": '{"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}', "tokenizer_config.json": "[]" },
      /tokenizer_config\.json/,
    ],
  ])("refuses %s", async (_, files, message) => {
    const error = await loadTokenizer(memoryFolder("tok", files)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
  });

  it("takes every kind of mark for an accent, as the Rust library does", () => {
    const stripped = normalizeAligned(align("हिन्दी a\u20dd e\u0301"), { type: "StripAccents" });
    expect(stripped.chars.join("")).toBe("हनद a e");
    expect(stripped.starts).toEqual([0, 2, 4, 6, 7, 9, 10]);
  });

  it("does not stumble over a lone surrogate", async () => {
    const tokenizer = await loadTokenizer(filesOf(golden("chatml").files));
    const { ids, spans } = tokenizer.encodeWithOffsets("a\ud800b");
    expect(tokenizer.decode(ids)).toBe("a\ufffdb");
    expect(spans.at(-1)).toEqual([2, 3]);
  });
});
