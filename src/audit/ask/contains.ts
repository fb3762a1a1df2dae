/** Whether a reply holds one of several texts, whatever its case, punctuation and spacing. */

/** Scripts written without spaces between words: each character stands for itself, so that a text is found inside a run. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/gu;

/**
 * The words of a text, in lower case, each between two spaces. Compatibility forms are folded (NFKC); what is neither letter,
 * mark nor digit parts words, so "won't", "won’t" and "WON'T" are the same two.
 */
export function wordsBetweenSpaces(text: string): string {
  const words = text
    .normalize("NFKC")
    .toLowerCase()
    .replace(UNSPACED, " $& ")
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== "");
  return words.length === 0 ? "" : ` ${words.join(" ")} `;
}

/**
 * A test for replies that hold any of `texts` as whole words in a row. RangeError for a text without a letter or digit, which
 * every reply would hold.
 */
export function containsAny(texts: readonly string[]): (reply: string) => boolean {
  const wanted = texts.map((text) => {
    const words = wordsBetweenSpaces(text);
    if (words === "") throw new RangeError(`${JSON.stringify(text)} has neither letter nor digit to look for`);
    return words;
  });
  return (reply) => {
    const words = wordsBetweenSpaces(reply);
    return wanted.some((text) => words.includes(text));
  };
}
