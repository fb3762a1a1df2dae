/**
 * Words of a text: what compositions exchange and what explanations name.
 */

export interface Word {
  readonly text: string;
  /** First character and end (exclusive) in the text. */
  readonly start: number;
  readonly end: number;
}

/**
 * A word is a run of letters, marks and digits with inner apostrophes or hyphens; scripts written without spaces
 * give one word a character, because no dictionary is at hand to split them.
 */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{M}\p{N}])+(?:['’-](?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{M}\p{N}])+)*/gu;

/** Words in order of appearance. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  for (const match of text.matchAll(WORD)) {
    words.push({ text: match[0], start: match.index, end: match.index + match[0].length });
  }
  return words;
}

/** Form under which occurrences of a word are counted together. */
export function foldWord(word: string): string {
  return word.toLowerCase();
}

/** The word that covers most of the characters [start, end), or −1 where none does. */
export function wordAt(words: readonly Word[], start: number, end: number): number {
  let best = -1;
  let most = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as Word;
    const shared = Math.min(end, word.end) - Math.max(start, word.start);
    if (shared > most) {
      most = shared;
      best = i;
    }
  }
  return best;
}

/** The word under a token; `spans` [2 · tokens] as in `RenderedPrompt`. −1 where none is. */
export function wordOfToken(words: readonly Word[], spans: Int32Array, token: number): number {
  return wordAt(words, spans[2 * token] ?? -1, spans[2 * token + 1] ?? -1);
}

/** Gives `replacement` the capital that the replaced word had only because it opened the text or a name. */
function likeCase(replacement: string, replaced: string): string {
  const first = replaced.charAt(0);
  const capital = first !== first.toLowerCase() && replaced.slice(1) === replaced.slice(1).toLowerCase();
  return capital ? replacement.charAt(0).toUpperCase() + replacement.slice(1) : replacement;
}

/** The text with some of its words replaced; `changes` maps a word's index to the new word. */
export function replaceWords(text: string, words: readonly Word[], changes: ReadonlyMap<number, string>): string {
  let result = "";
  let at = 0;
  for (let i = 0; i < words.length; i++) {
    const change = changes.get(i);
    if (change === undefined) continue;
    const word = words[i] as Word;
    result += text.slice(at, word.start) + likeCase(change, word.text);
    at = word.end;
  }
  return result + text.slice(at);
}

/** The text without one of its words and without the gap that it would leave. */
export function deleteWord(text: string, word: Word): string {
  const before = text.slice(0, word.start);
  const after = text.slice(word.end);
  if (before === "" || (/\s$/u.test(before) && /^\s/u.test(after))) return before + after.replace(/^\s+/u, "");
  return before.trimEnd() + after;
}
