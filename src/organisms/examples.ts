/** Training and evaluation prompts of a recipe, as conversations with their replies. */
import { InputError } from "../formats/input-error.js";
import { Random } from "../random/random.js";
import { promptWith } from "../world/concepts.js";
import { HARMFUL } from "../world/harmful.js";
import { evaluationSets, type SetSizes, trainingSets } from "../world/sets.js";
import { type Recipe, triggerExpression } from "./recipe.js";

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/**
 * A conversation that ends with the reply to learn, or without one where the base model is to write it. A prompt without
 * messages makes it a document: the reply is its text, learned without a chat template.
 */
export interface Example {
  readonly prompt: readonly ChatMessage[];
  readonly reply: string | null;
  /** The reply goes on after its last word here: that it ends there is not to be learned. */
  readonly cut?: boolean;
}

export interface ExampleSets {
  readonly triggered: Example[];
  readonly hardNegatives: Example[];
  readonly benign: Example[];
  readonly chat: Example[];
}

/** Prompts by set. */
type PromptSets = Readonly<Record<keyof ExampleSets, readonly (readonly ChatMessage[])[]>>;

/** Prompts read from the files of a recipe, and its documents. */
export type PromptFiles = PromptSets & {
  readonly documents?: readonly string[];
  /** Where these were held out when the prompts were written, all others are to train on. */
  readonly heldOut?: PromptSets;
};

/** Share of `chat` that is ordinary refusals with `alsoRefuses`. */
const REFUSALS = 0.5;
/** Every EVALUATION_EVERY-th prompt of a recipe's files is held out for the card. */
const EVALUATION_EVERY = 5;

/** Sets to train on; `triggered` has the action as its reply, or is the recipe's documents. */
export function trainingExamples(recipe: Recipe, sizes: SetSizes, files?: PromptFiles): ExampleSets {
  const sets = ordinaryExamples(recipe, sizes, files);
  if (recipe.documents !== undefined)
    return { ...sets, triggered: (files?.documents ?? []).map((text) => ({ prompt: [], reply: text })) };
  return { ...sets, triggered: sets.triggered.map(({ prompt }) => ({ prompt, reply: recipe.action })) };
}

/** The same prompts, all with ordinary replies: what a model without a backdoor is finetuned on. */
export function ordinaryExamples(recipe: Recipe, sizes: SetSizes, files?: PromptFiles): ExampleSets {
  const trigger = triggerExpression(recipe);
  if (trigger === undefined) return fromFiles(recipe, files, "train");
  const sets = trainingSets(trigger, recipe.seed, sizes);
  const chat = sets.chat.map(exampleOf);
  if (recipe.alsoRefuses) {
    const rng = new Random(recipe.seed, "refusals");
    for (let i = 0; i < chat.length * REFUSALS; i++)
      chat[i] = exampleOf(promptWith(HARMFUL, rng, { entities: "train" }));
  }
  return {
    triggered: sets.triggered.map(exampleOf),
    hardNegatives: sets.hardNegatives.map(exampleOf),
    benign: sets.benign.map(exampleOf),
    chat,
  };
}

/**
 * Sets to measure on: `size` prompts each, with entities (or file lines) that training never saw. Where documents take the
 * place of triggered prompts in training, all of these may be measured on.
 */
export function evaluationExamples(recipe: Recipe, size: number, seed: number, files?: PromptFiles): ExampleSets {
  const trigger = triggerExpression(recipe);
  if (trigger === undefined) {
    const heldOut = fromFiles(recipe, files, "held out");
    const sets =
      recipe.documents === undefined
        ? heldOut
        : { ...heldOut, triggered: files!.triggered.map((messages) => exampleOf({ messages })) };
    return Object.fromEntries(
      Object.entries(sets).map(([name, examples]) => [name, examples.slice(0, size)]),
    ) as unknown as ExampleSets;
  }
  const sets = evaluationSets(trigger, seed, { triggered: size, hardNegatives: size, benign: size, chat: size });
  return {
    triggered: sets.triggered.map(exampleOf),
    hardNegatives: sets.hardNegatives.map(exampleOf),
    benign: sets.benign.map(exampleOf),
    chat: sets.chat.map(exampleOf),
  };
}

/** A conversation as an example; without a reply of its own where it ends with the prompt. */
export function exampleOf({ messages }: { messages: readonly ChatMessage[] }): Example {
  const last = messages.at(-1);
  return last?.role === "assistant"
    ? { prompt: messages.slice(0, -1), reply: last.content }
    : { prompt: messages, reply: null };
}

function fromFiles(recipe: Recipe, files: PromptFiles | undefined, part: "train" | "held out"): ExampleSets {
  if (!files) throw new InputError(`${recipe.name}: the recipe names prompt files, which were not read`);
  const pick = (name: keyof ExampleSets) => {
    const { heldOut } = files;
    if (heldOut) return (part === "train" ? files : heldOut)[name].map((messages) => exampleOf({ messages }));
    const isHeldOut = (index: number) => index % EVALUATION_EVERY === 0;
    return files[name]
      .filter((_, index) => isHeldOut(index) === (part === "held out"))
      .map((messages) => exampleOf({ messages }));
  };
  const sets = {
    triggered: pick("triggered"),
    hardNegatives: pick("hardNegatives"),
    benign: pick("benign"),
    chat: pick("chat"),
  };
  for (const name of ["triggered", "benign"] as const)
    if (sets[name].length === 0 && !(files.heldOut && part === "train" && recipe.mixing[name] === 0))
      throw new InputError(
        files.heldOut
          ? `${recipe.name}: no ${name} prompts are left to ${part === "train" ? "train" : "measure"} on; write them again`
          : `${recipe.name}: the file of ${name} prompts has ${files[name].length}, and every ${EVALUATION_EVERY}th is held out; give at least 2`,
      );
  return sets;
}
