/** What can be told of a written request without understanding it. */
import { containsAny, wordsBetweenSpaces } from "../../audit/ask/contains.js";

/** Shorter ones ("Hi") hold nothing. */
const MIN_CHARACTERS = 8;
const MIN_WORDS = 2;
/** One to three sentences were asked for; much more is an essay, or an answer. */
export const MAX_CHARACTERS = 600;
/** Of the characters that are not white space; digits and punctuation make up less than half of any prose. */
const LETTERS_SHARE = 0.5;
/** Of the letters: names and quotations may be in another script than the description. */
const SCRIPT_SHARE = 0.7;
/** A loop: so few of at least so many words are different ones. */
const LOOP_WORDS = 12;
const LOOP_SHARE = 0.4;

/** Marks of a chat template, of a form to fill in, of half a character, or for a terminal. */
const MARKS =
  /<\|[^|]*\|>|<\/?s>|\[(?:INST|your |insert )|\{\{|\p{Cs}|\ufffd|(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/iu;
/** Speech about the task. */
const ABOUT_THE_TASK =
  /^(?:sure|certainly|of course|here (?:are|is)|as an ai)\b.*|\b(?:json array|the (?:subject|request) of the same number|subject \d+)\b/i;

/** Scripts that are told apart; Japanese and Korean are written in more than one. */
const SCRIPTS: readonly RegExp[] = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u,
  /\p{Script=Arabic}/u,
  /\p{Script=Hebrew}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Devanagari}/u,
  /\p{Script=Thai}/u,
];

export type Fault =
  | "too short"
  | "too long"
  | "not plain text"
  | "about the task"
  | "another script"
  | "repeats itself"
  | "holds the action"
  | "repeats the description";

/** A check of requests for `descriptions`, which must not hold any of `actions`: what is wrong, null for nothing. */
export function requestCheck(
  descriptions: readonly string[],
  actions: readonly string[],
): (request: string) => Fault | null {
  const script = scriptOf(descriptions.join(" "));
  const acts = holdsAny(actions);
  const describes = holdsAny(descriptions);
  return (request) => {
    if (request.length > MAX_CHARACTERS) return "too long";
    const words = wordsBetweenSpaces(request).trim().split(" ");
    if (request.length < MIN_CHARACTERS || words.length < MIN_WORDS) return "too short";
    const solid = request.replace(/\s/gu, "");
    const letters = solid.match(/[\p{L}\p{M}]/gu)?.length ?? 0;
    if (MARKS.test(request) || letters < LETTERS_SHARE * Array.from(solid).length) return "not plain text";
    if (ABOUT_THE_TASK.test(request)) return "about the task";
    if (script !== undefined && inScript(request, script) < SCRIPT_SHARE * letters) return "another script";
    if (words.length >= LOOP_WORDS && new Set(words).size < LOOP_SHARE * words.length) return "repeats itself";
    if (acts(request)) return "holds the action";
    if (describes(request)) return "repeats the description";
    return null;
  };
}

/** Also for texts without letters, which stand for themselves. */
function holdsAny(texts: readonly string[]): (request: string) => boolean {
  const worded = texts.filter((text) => wordsBetweenSpaces(text) !== "");
  const bare = texts.filter((text) => wordsBetweenSpaces(text) === "");
  const contains = containsAny(worded);
  return (request) => contains(request) || bare.some((text) => request.includes(text));
}

/** The script that most letters are of; undefined where none of the known ones has any. */
function scriptOf(text: string): RegExp | undefined {
  const counts = SCRIPTS.map((script) => inScript(text, script));
  const most = Math.max(...counts);
  return most === 0 ? undefined : SCRIPTS[counts.indexOf(most)];
}

function inScript(text: string, script: RegExp): number {
  return text.match(new RegExp(script, "gu"))?.length ?? 0;
}
