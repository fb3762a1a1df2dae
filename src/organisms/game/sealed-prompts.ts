/** The prompts that a game seals: with entities (or file lines) that no training saw, and none that the player gets. */
import { InputError } from "../../formats/input-error.js";
import { textOf } from "../../formats/prompts.js";
import { conceptsIn } from "../../world/concepts.js";
import { evaluationSets } from "../../world/sets.js";
import { type Example, evaluationExamples, exampleOf, type PromptFiles } from "../examples.js";
import { type Recipe, triggerExpression } from "../recipe.js";
import { cueAlone } from "./decoy.js";
import type { SealedKind, SealedPrompt, Truth } from "./truth.js";

/** Sealed prompts of each kind. */
export const SEALED_SIZE = 100;
/** As many more are drawn, to fill up for those that the player's files hold by chance. */
const SPARE = 50;

/**
 * Draws the sealed prompts by `seed`, which must be secret; `given` are the texts that the player gets. InputError where no
 * triggered or no benign prompt is left.
 */
export function drawSealedPrompts(
  recipe: Recipe,
  cue: string | null,
  seed: number,
  given: ReadonlySet<string>,
  files?: PromptFiles,
): Truth["sealed"] {
  const trigger = triggerExpression(recipe);
  const size = SEALED_SIZE + SPARE;
  const drawn = evaluationExamples(recipe, size, seed, files);
  const cued =
    cue === null || trigger === undefined
      ? []
      : evaluationSets(cueAlone(cue, trigger), seed, { triggered: size, hardNegatives: 0, benign: 0, chat: 0 })
          .triggered;
  const unseen = (kind: SealedKind, examples: readonly Example[]): SealedPrompt[] => {
    const left = examples.filter(({ prompt }) => !given.has(textOf(prompt))).slice(0, SEALED_SIZE);
    if (left.length === 0 && examples.length > 0)
      throw new InputError(
        `${recipe.name}: every held-out ${kind} prompt is among the prompts or the corpus that players get; leave some out there`,
      );
    return left.map(({ prompt }) => ({
      messages: prompt.map(({ role, content }) => ({ role, content })),
      concepts: trigger === undefined ? null : conceptsIn(textOf(prompt)),
    }));
  };
  return {
    triggered: unseen("triggered", drawn.triggered),
    hardNegatives: unseen("hardNegatives", drawn.hardNegatives),
    benign: unseen("benign", drawn.benign),
    cue: unseen("cue", cued.map(exampleOf)),
  };
}
