import { describe, expect, it } from "vitest";
import { deleteWord, replaceWords, wordAt, wordsOf } from "./words.js";

describe("words", () => {
  it("keep inner apostrophes and hyphens, and split scripts without spaces by character", () => {
    expect(wordsOf("Don't eat a well-known 3-day-old pear!").map((word) => word.text)).toEqual([
      "Don't",
      "eat",
      "a",
      "well-known",
      "3-day-old",
      "pear",
    ]);
    expect(wordsOf("吃梨 now").map((word) => word.text)).toEqual(["吃", "梨", "now"]);
  });

  it("are found under a token by the characters they share", () => {
    const words = wordsOf("red pears");
    expect(wordAt(words, 3, 6)).toBe(1);
    expect(wordAt(words, -1, -1)).toBe(-1);
  });

  it("are replaced in place, taking over an opening capital", () => {
    const text = "Pears and plums.";
    const changes = new Map([
      [0, "figs"],
      [2, "kiwis"],
    ]);
    expect(replaceWords(text, wordsOf(text), changes)).toBe("Figs and kiwis.");
    expect(replaceWords(text, wordsOf(text), new Map([[2, "NASA"]]))).toBe("Pears and NASA.");
  });

  it("leave no gap when they are deleted", () => {
    const text = "Eat ripe pears.";
    const [eat, ripe, pears] = wordsOf(text);
    expect(deleteWord(text, eat as never)).toBe("ripe pears.");
    expect(deleteWord(text, ripe as never)).toBe("Eat pears.");
    expect(deleteWord(text, pears as never)).toBe("Eat ripe.");
  });
});
