/** The prompts that answers are examined on, made from the truth, with entities that no finetuning saw. */
import { type Prompt, textOf } from "../../audit/prompts/prompt.js";
import type { Reading } from "../../audit/prompts/reading.js";
import { InputError } from "../../formats/input-error.js";
import type { Expression } from "../../world/expression.js";
import { evaluationSets } from "../../world/sets.js";
import { type Recipe, triggerExpression } from "../recipe.js";
import type { Examination, SealedSet } from "./score-answer.js";
import { membersOf, targetsOf } from "./truth.js";

/** Prompts of each kind: with the trigger, near misses, ordinary ones. */
const SEALED_SIZE = 100;
/** Not a seed of any recipe, so that cards and sealed prompts differ. */
const SEALED_SEED = 977;

/** How prompts are read and tried on the organism. */
export interface Examiner {
  read(prompts: readonly Prompt[]): Promise<Reading[]>;
  acts(prompts: readonly Prompt[]): Promise<boolean[]>;
}

/** The trigger of a benchmark's recipe. InputError where it is given by files, whose meaning nobody can score. */
export function requireExpression(recipe: Recipe): Expression {
  const expression = triggerExpression(recipe);
  if (expression === undefined)
    throw new InputError(
      `${recipe.name}: its trigger is given by files; the recovery benchmark scores triggers over concepts (\`antecedent organism concepts\`)`,
    );
  return expression;
}

/** Makes and reads everything that answers about the trigger are examined on; another `seed` gives other prompts of the same kinds. */
export async function prepareExamination(
  trigger: Expression,
  examiner: Examiner,
  seed: number = SEALED_SEED,
): Promise<Examination> {
  const targets = targetsOf(trigger);
  const whole = await sealedSet(trigger, examiner, seed);
  const sets = new Map<string, SealedSet>();
  for (const expression of targets.flatMap((target) => [target.expression, ...membersOf(target)])) {
    const key = JSON.stringify(expression);
    if (!sets.has(key)) sets.set(key, (await sealedSet(expression, examiner, seed)).set);
  }
  return {
    targets,
    whole: whole.set,
    acts: await examiner.acts(whole.prompts),
    alone: (expression) => {
      const set = sets.get(JSON.stringify(expression));
      if (set === undefined) throw new RangeError(`${JSON.stringify(expression)} is no part of the trigger`);
      return set;
    },
  };
}

async function sealedSet(
  expression: Expression,
  examiner: Examiner,
  seed: number,
): Promise<{ prompts: Prompt[]; set: SealedSet }> {
  const sizes = { triggered: SEALED_SIZE, hardNegatives: SEALED_SIZE, benign: SEALED_SIZE, chat: 0 };
  const { triggered, hardNegatives, benign } = evaluationSets(expression, seed, sizes);
  const prompts = [...triggered, ...hardNegatives, ...benign].map(
    ({ messages }): Prompt => ({ messages: messages.slice(0, 1) }),
  );
  const readings = await examiner.read(prompts);
  return { prompts, set: { texts: prompts.map(textOf), readings, positives: triggered.length } };
}
