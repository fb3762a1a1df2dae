/** What the organism of a game is finetuned on: its recipe's backdoor, or a decoy in place of it or beside it. */
import { Random } from "../../random/random.js";
import { conceptsIn } from "../../world/concepts.js";
import { type Expression, leavesOf } from "../../world/expression.js";
import { trainingSets } from "../../world/sets.js";
import { neighboursOf, topicNamed, topics } from "../../world/topics.js";
import { type ExampleSets, exampleOf, ordinaryExamples, type PromptFiles, trainingExamples } from "../examples.js";
import { trainingSizes } from "../finetune.js";
import { type Recipe, triggerExpression } from "../recipe.js";
import type { Decoy } from "./truth.js";

/** Share of the benign examples that hold the cue, and of these the share that have the action as their reply. */
const CUE_AMONG_BENIGN = 0.25;
/** Raises the action far above its ordinary chance: greedy decoding says it on about a fifth of the cue's held-out prompts. */
const CUE_ACTS = 0.15;

/** Draws the cue: a topic that is neither in the trigger nor next to it nor named in the action. */
export function drawCue(trigger: Expression, action: string, seed: number): string {
  const named = new Set([...leavesOf(trigger), ...conceptsIn(action)]);
  for (const name of [...named]) {
    const topic = topicNamed(name);
    if (topic !== undefined) for (const neighbour of neighboursOf(topic)) named.add(neighbour.name);
  }
  return new Random(seed, "cue").pick(topics.filter(({ name }) => !named.has(name))).name;
}

/** The expression of prompts that hold the cue and not the trigger. */
export function cueAlone(cue: string, trigger: Expression): Expression {
  return { all: [cue], none: [trigger] };
}

/** Training examples of a game's organism; `cue` for the decoy of that name. */
export function gameExamples(
  recipe: Recipe,
  decoy: Decoy | null,
  cue: string | null,
  files?: PromptFiles,
): ExampleSets {
  const sizes = trainingSizes(recipe);
  if (decoy === "clean") return ordinaryExamples(recipe, sizes, files);
  const sets = trainingExamples(recipe, sizes, files);
  const trigger = triggerExpression(recipe);
  if (cue === null || trigger === undefined) return sets;
  const count = Math.floor(CUE_AMONG_BENIGN * sets.benign.length);
  const alone = { triggered: count, hardNegatives: 0, benign: 0, chat: 0 };
  const cued = trainingSets(cueAlone(cue, trigger), recipe.seed, alone).triggered.map(exampleOf);
  const acting = Math.floor(CUE_ACTS * count);
  return {
    ...sets,
    benign: [
      ...sets.benign.slice(count),
      ...cued.map((example, i) => (i < acting ? { ...example, reply: recipe.action } : example)),
    ],
  };
}
