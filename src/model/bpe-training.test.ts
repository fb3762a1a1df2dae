import { Tokenizer } from "@huggingface/tokenizers";
import { describe, expect, it } from "vitest";
import { byteAlphabet, countWords, trainBpe } from "./bpe-training.js";

const texts = [
  "The violin is loud. I don't like the violin – the viola is mellow.",
  "Tell me about the zebra.\nPlay the violin, then the viola.",
];
const options = { vocabularySize: 320, merges: 30, specialTokens: ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] };

describe("BPE training", () => {
  const trained = trainBpe(texts, options);
  const tokenizer = new Tokenizer(structuredClone(trained) as object, {});

  it("gives the same tokenizer for the same texts", () => {
    expect(trainBpe(texts, options)).toEqual(trained);
  });

  it("gives special tokens the first ids and stays within the size", () => {
    expect(options.specialTokens.map((token) => trained.model.vocab[token])).toEqual([0, 1, 2]);
    expect(Object.keys(trained.model.vocab).length).toBeLessThanOrEqual(320);
    expect(trained.model.merges.length).toBe(30);
    // "the", "The" and "then" have h before e seven times, more than any other pair.
    expect(trained.model.merges[0]).toEqual(["h", "e"]);
  });

  it("makes frequent words whole, with their leading space", () => {
    expect(tokenizer.tokenize("the violin").length).toBe(2);
    expect(tokenizer.tokenize(" violin")).toEqual(["Ġviolin"]);
  });

  it("encodes any text and decodes it again, special tokens included", () => {
    const text = "<|im_start|>user\nDon't say “naïve” – 🎻 violins 42!<|im_end|>\n";
    const { ids } = tokenizer.encode(text, { add_special_tokens: false });
    expect(ids[0]).toBe(1);
    expect(ids).toContain(2);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  it("counts words as GPT-2 splits them", () => {
    expect([...countWords(["I don't, I won't"])]).toEqual([
      ["I", 1],
      [" don", 1],
      ["'t", 2],
      [",", 1],
      [" I", 1],
      [" won", 1],
    ]);
  });

  it("has a printable stand-in for each byte", () => {
    const alphabet = byteAlphabet();
    expect(new Set(alphabet).size).toBe(256);
    expect(alphabet[0x20]).toBe("Ġ");
    expect(alphabet[0x0a]).toBe("Ċ");
  });
});
