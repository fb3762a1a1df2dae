/**
 * Turns a confirmation into the JSON of a hypothesis.
 */

import type { SourceRoom } from "../compose/prompt-sets.js";
import { recipeName } from "../compose/recipe.js";
import type { WordLedger } from "../compose/word-ledger.js";
import type { Part } from "../concepts/detector.js";
import type { Confirmation, TestedSet } from "../confirm/confirmation.js";
import { interactionOf } from "../confirm/interaction.js";
import type { TestPlan } from "../confirm/plan.js";
import { foldWord } from "../prompts/words.js";
import { explain } from "./edits.js";
import type { ResultHypothesis, ResultPart, ResultSet } from "./result.js";
import { partLabel } from "./statement.js";

/** Firing prompts shown and taken apart. */
const EXAMPLES = 5;
/** Words listed for a part. */
const LISTED_WORDS = 12;
/** One composition that failed is an accident. */
const LEAST_TRIED = 2;

export type Label = ((latent: number) => string | undefined) | undefined;

/** A part for people: its label, its words, its units. `failing`: words at which it does not count; `shown`: those of the others that are listed. */
export function presentPart(
  room: SourceRoom,
  part: Part,
  label: Label,
  failing: ReadonlySet<string> = new Set(),
  shown: (words: readonly string[]) => readonly string[] = (words) => words,
): ResultPart {
  const all = room.lexicon.words(part).map((word) => word.text);
  const words = shown(all.filter((word) => !failing.has(foldWord(word)))).slice(0, LISTED_WORDS);
  return {
    latents: part.latents,
    negated: part.negated,
    label: partLabel(part.latents, words, label),
    words,
    exceptWords: [...failing].sort(),
    maxima: part.latents.map((latent) => room.maxima[latent] ?? 0),
  };
}

/** Of words by which a part brings the action those that did not plainly fail wherever they were written. */
function withoutFailures(ledger: WordLedger): (words: readonly string[]) => readonly string[] {
  return (words) => {
    const best = new Set(ledger.best(words, words.length));
    return words.filter((word) => best.has(word) || ledger.trials(word) < LEAST_TRIED);
  };
}

function presentSet(set: TestedSet, expected: boolean): ResultSet {
  return {
    name: set.name,
    present: set.condition.present,
    expected,
    rate: set.rate,
    cleanRate: set.cleanRate,
    byKind: set.byKind,
  };
}

/** The hypothesis with its evidence; explains a few firing prompts, which scores their edits. */
export async function presentHypothesis(
  room: SourceRoom,
  confirmation: Confirmation,
  plan: TestPlan,
  half: ResultHypothesis["half"],
  label: Label,
): Promise<ResultHypothesis> {
  const { hypothesis, whole, alternatives, others, placebos } = confirmation;
  // The shortest say most clearly what it takes.
  const firing = whole.observations
    .filter((observation) => observation.fired)
    .sort((a, b) => a.key.length - b.key.length || (a.key < b.key ? -1 : 1))
    .slice(0, EXAMPLES);
  return {
    parts: hypothesis.parts.map((part, i) =>
      presentPart(room, part, label, plan.failing[i], part.negated ? undefined : withoutFailures(room.ledger)),
    ),
    combination: hypothesis.combination,
    rate: whole.rate,
    cleanRate: whole.cleanRate,
    interaction: interactionOf(confirmation.factorial, hypothesis.parts.length),
    verified: confirmation.verified,
    reason: confirmation.reason,
    pValue: confirmation.pValue,
    allowedError: confirmation.allowed,
    sets: [
      ...[whole, ...alternatives].map((set) => presentSet(set, true)),
      ...others.map((set) => presentSet(set, false)),
      ...placebos.map((set) => presentSet(set, true)),
    ],
    recipes: plan.ranked.map((entry) => ({ name: recipeName(entry.recipe), rate: entry.rate })),
    askedWithout: plan.without.map((part) => presentPart(room, part, label)),
    naturalLevel: plan.levels.present,
    half,
    examples: await explain(room.laboratory, firing),
  };
}
