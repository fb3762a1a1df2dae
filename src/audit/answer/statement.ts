/**
 * The answer in words, with the numbers that carry it.
 */

import { NATURAL } from "../ask/laboratory.js";
import { PLACEBO } from "../confirm/confirmation-sets.js";
import { composedRate } from "../evidence/composed-rates.js";
import { foldWord, wordsOf } from "../prompts/words.js";
import type { Rate } from "../statistics/statistics.js";
import type { ResultHypothesis, ResultPart, ResultSet } from "./result.js";

/** What an audit without an answer does not say, and what to do next. */
export const NONE_FOUND =
  "No condition was confirmed, which does not show that there is none: one that the SAE has no latents for, that no prompt of the corpus comes near, or that too few prompts hold, stays unseen. A larger corpus, prompts near what is suspected, or the SAE of another layer look further. What is found by trying seed after seed has the errors of all of them.";

/** Words quoted for a part that has no label, and in parentheses beside one. */
const QUOTED_WORDS = 5;

/** As many words, where others of the part do not bring the action, say more than its name. */
const FEW_WORDS = 2;

/** A part's name: labels of its latents where there are any (each once), else its strongest words. */
export function partLabel(
  latents: readonly number[],
  words: readonly string[],
  label: ((latent: number) => string | undefined) | undefined,
): string {
  const labels = [...new Set(latents.map((latent) => label?.(latent)).filter((text) => text !== undefined))];
  if (labels.length > 0) return labels.slice(0, QUOTED_WORDS).join("; ");
  if (words.length > 0) return words.slice(0, QUOTED_WORDS).join(", ");
  return `latent ${latents.join(", ")}`;
}

/** "57 of 60 (95 %, 86–98 %)" with the 95 % interval. */
function describeRate(rate: Rate): string {
  const percent = (value: number) => Math.round(100 * value);
  return `${rate.count} of ${rate.total} (${percent(rate.rate)} %, ${percent(rate.low)}–${percent(rate.high)} %)`;
}

/**
 * A part in words: its name, words of it, and words at which it fires without the action. Where few of its words bring the action and others do not,
 * or the name holds such a word itself, the words come first: one of several things that share a latent ("Socrates", of a latent of
 * philosophers).
 */
function describePart(part: ResultPart): string {
  const words = part.words.slice(0, QUOTED_WORDS).join(", ");
  const except = part.exceptWords.slice(0, QUOTED_WORDS).join(", ");
  const few = part.words.length <= FEW_WORDS;
  const misnamed = wordsOf(part.label).some(({ text }) => part.exceptWords.includes(foldWord(text)));
  if (!part.negated && (few || misnamed) && words !== "" && except !== "" && words !== part.label)
    return `${few ? part.words.map((word) => `"${word}"`).join(" or ") : `"${words}"`} (read by "${part.label}"; not at ${except})`;
  const details = [words === part.label ? "" : words, except === "" ? "" : `not at ${except}`].filter(
    (text) => text !== "",
  );
  const about = details.length === 0 ? `"${part.label}"` : `"${part.label}" (${details.join("; ")})`;
  return part.negated ? `not ${about}` : about;
}

/** The condition in words. */
export function describeCondition(parts: readonly ResultPart[], any: boolean): string {
  return parts.map(describePart).join(any ? " or " : " and ");
}

/** Concepts named of those beside which nothing was asked. */
const NAMED_AROUND = 3;

/** `, none of which holds "ever, smiles" or 4 more`: what the claim is narrowed by; empty where it is not. */
function describeAround({ askedWithout }: ResultHypothesis): string {
  if (askedWithout.length === 0) return "";
  const named = askedWithout.slice(0, NAMED_AROUND).map(({ label }) => `"${label}"`);
  const more = askedWithout.length - named.length;
  const all = more > 0 ? [...named, `${more} more`] : named;
  return `, none of which holds ${[all.slice(0, -1).join(", "), all.at(-1)].filter((text) => text !== "").join(" or ")}`;
}

/** The rate that comes before all others; null of no sets. */
function extreme(sets: readonly ResultSet[], before: (a: Rate, b: Rate) => boolean): Rate | null {
  return sets.reduce<Rate | null>((best, { rate }) => (best === null || before(rate, best) ? rate : best), null);
}

/** What a confirmed hypothesis says, and what it leaves open. */
export interface Claim {
  readonly statement: string;
  readonly notShown: readonly string[];
}

/** Who left out what nothing was asked beside: the search, as the action stayed off there, or the person who asked. */
export type Around = "measured" | "chosen";

/** The claim of a verified hypothesis; null of one that is not. */
export function claimOf(hypothesis: ResultHypothesis, around: Around): Claim | null {
  return hypothesis.verified ? { statement: statementOf(hypothesis), notShown: notShown(hypothesis, around) } : null;
}

/** The trigger's statement. */
export function statementOf(hypothesis: ResultHypothesis): string {
  const any = hypothesis.combination === "any";
  const condition = describeCondition(hypothesis.parts, any);
  const worst = extreme(
    hypothesis.sets.filter(({ expected }) => !expected),
    (a, b) => a.rate > b.rate,
  );
  const alternatives = any ? hypothesis.sets.filter(({ name, expected }) => expected && name !== "whole") : [];
  const least = extreme(alternatives, (a, b) => a.rate < b.rate);
  const each = least === null ? "" : `, each alone on at least ${describeRate(least)}`;
  const against = worst === null ? "" : `; at most ${describeRate(worst)} where a part is changed or all are missing`;
  const clean =
    hypothesis.cleanRate === null ? "" : `; the clean model says it on ${describeRate(hypothesis.cleanRate)}`;
  return `The model says the action when the prompt holds ${condition}: on ${describeRate(hypothesis.rate)} unseen prompts${describeAround(hypothesis)}${each}${against}${clean}.`;
}

/** What the evidence leaves open, each as the end of "not shown: …". `further`: conditions confirmed beside it, null where nobody looked for any. */
export function notShown(
  hypothesis: ResultHypothesis,
  around: Around = "measured",
  further: number | null = null,
): string[] {
  const byKind = hypothesis.sets.find(({ name }) => name === "whole")?.byKind ?? {};
  const natural = byKind[NATURAL];
  const composed = composedRate(byKind);
  const excluded = hypothesis.parts.some(({ negated }) => negated);
  const replaced = hypothesis.sets.some(({ name }) => name.startsWith(PLACEBO));
  return [
    ...(hypothesis.cleanRate === null
      ? ["that the change to the model brought it: there was no clean model to ask the same"]
      : []),
    ...(natural === undefined || natural.total === 0
      ? ["that it comes on prompts as people write them: all of these were composed"]
      : natural.high < composed.low
        ? [
            `that it comes on people's own prompts as on composed ones: on ${describeRate(natural)} of them, on ${describeRate(composed)} composed`,
          ]
        : []),
    ...(hypothesis.askedWithout.length > 0
      ? [
          `that it comes beside ${hypothesis.askedWithout.map(({ label }) => `"${label}"`).join(", ")}: ${around === "measured" ? "in search it came there less than half as often, so " : ""}nothing was asked there`,
        ]
      : []),
    ...(excluded && !replaced
      ? ["that it is this concept which keeps it off: no other could be put in its place"]
      : []),
    `that nothing ${further ? "beyond these conditions" : "else"} brings it${excluded ? " or keeps it off" : ""}: ${further === null ? "nobody looked beyond a condition that is confirmed" : "a second search, away from what was confirmed first, may have missed it as well"}`,
  ];
}
