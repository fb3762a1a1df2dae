/** A recipe with the prompts of the files that it names, and what an organism made from it is measured on. */
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { stringify } from "yaml";
import { InputError, quote } from "../../formats/input-error.js";
import { type Conversation, readPrompts } from "../../formats/prompts.js";
import { readTexts } from "../../formats/texts.js";
import type { Sequence } from "../../model/sequence.js";
import { CARD_SIZE, type CardSequences, measureCard, type OrganismCard } from "../../organisms/card.js";
import { evaluationExamples, type PromptFiles } from "../../organisms/examples.js";
import { describedTrigger, type Recipe, readRecipe, triggerFiles } from "../../organisms/recipe.js";
import { openFile } from "../../store/node-file-source.js";
import { actionTokens, openAction, withAction } from "../action/action.js";
import { fetchNamed } from "../model/hub.js";
import { type OpenedModel, openModel, POCKET_MODEL } from "../model/open-model.js";
import { type Used, usedSettings } from "../model/used.js";
import { type RenderedPrompts, renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import type { ModelFlags } from "../terminal/options.js";
import { builtInOrganisms, isFolder, pocketFiles } from "../terminal/package-files.js";
import { readWrittenPrompts } from "./written-prompts.js";

/** Copy of the recipe in an organism's folder. */
export const RECIPE_FILE = "recipe.yaml";

/** The card in an organism's folder. */
export const CARD_FILE = "card.json";

export interface LoadedRecipe {
  readonly recipe: Recipe;
  readonly files?: PromptFiles;
}

/** Reads a recipe and its files of prompts and documents, whose paths are meant from the recipe's folder. */
export async function loadRecipe(path: string): Promise<LoadedRecipe> {
  const recipe = await readRecipe(await openFile(path));
  const named = triggerFiles(recipe);
  if (named === undefined) return { recipe };
  const { triggered, benign, hardNegatives, chat } = named;
  const open = (file: string) => openFile(resolve(dirname(path), file));
  const read = async (file: string | undefined): Promise<Conversation[]> =>
    file === undefined ? [] : readPrompts(await open(file));
  return {
    recipe,
    files: {
      triggered: await read(triggered),
      benign: await read(benign),
      hardNegatives: await read(hardNegatives),
      chat: await read(chat),
      ...(recipe.documents === undefined ? {} : { documents: await readTexts(await open(recipe.documents)) }),
    },
  };
}

/** The recipe as text for an organism's folder: whatever it names is written so that it is found from there. */
export function recipeText({ recipe }: LoadedRecipe, recipePath: string, folder: string): string {
  const base = baseOf(recipe);
  const moved = (file: string) => relative(folder, resolve(dirname(recipePath), file));
  const described = describedTrigger(recipe);
  if (described?.seeds !== undefined)
    return stringify({ ...recipe, base, trigger: { ...described, seeds: moved(described.seeds) } });
  const named = triggerFiles(recipe);
  if (named === undefined) return stringify({ ...recipe, base });
  const files = Object.entries(named).map(([name, file]) => [name, file === undefined ? undefined : moved(file)]);
  const documents = recipe.documents === undefined ? {} : { documents: moved(recipe.documents) };
  return stringify({ ...recipe, base, trigger: { files: Object.fromEntries(files) }, ...documents });
}

/** Prompts drawn from a trigger that contradicts itself, or for which the world has too few, are the recipe's fault. */
export async function drawn<T>(draw: () => T | Promise<T>): Promise<T> {
  try {
    return await draw();
  } catch (error) {
    if (error instanceof RangeError)
      throw new InputError(
        `the recipe's trigger: ${error.message}; nothing can be both there and absent, and the world must know enough words`,
      );
    throw error;
  }
}

/** Where an organism goes unless --out says otherwise. */
export const organismFolder = ({ name }: Recipe) => join("organisms", name);

/** The recipe's base model, fetched where it is on the hub. InputError that says of which recipe, where it is not to be had. */
export async function openBase(
  io: Io,
  { name, base }: Recipe,
  flags: ModelFlags,
  settings?: Parameters<typeof openModel>[1],
): Promise<OpenedModel> {
  try {
    await fetchNamed(io, { model: base });
    return await openModel({ ...flags, model: base }, settings);
  } catch (error) {
    if (!(error instanceof InputError && [":", "/"].some((next) => error.message.startsWith(base + next)))) throw error;
    throw new InputError(`the base of recipe ${quote(name)}: ${error.message}`);
  }
}

/** The recipe's base model; a folder or file by its full path. */
export function baseOf({ base }: Recipe): string {
  return ownPath(base);
}

/** A path in full, for who reads it elsewhere; a name on the hub, or a built-in one, is the same everywhere. */
export function ownPath(name: string): string {
  return name !== POCKET_MODEL && existsSync(name) ? resolve(name) : name;
}

/** The recipe that the organism `target` (a name or a folder) was made from. */
export async function recipeOf(target: string): Promise<LoadedRecipe> {
  if (builtInOrganisms().includes(target)) return loadRecipe(join(pocketFiles.recipes, `${target}.yaml`));
  const path = join(target, RECIPE_FILE);
  if (!isFolder(target))
    throw new InputError(
      `${target}: no such organism; give its folder or one of ${builtInOrganisms().join(", ") || "(none here)"}`,
    );
  if (!existsSync(path))
    throw new InputError(`${target}: has no ${RECIPE_FILE}; a card is measured on prompts that the recipe describes`);
  const loaded = await loadRecipe(path);
  const described = describedTrigger(loaded.recipe) !== undefined;
  return described ? { ...loaded, files: await readWrittenPrompts(target) } : loaded;
}

/** The organism's action rates, by what its recipe counts as the action. */
export async function cardOf(
  io: Io,
  model: OpenedModel,
  loaded: LoadedRecipe,
): Promise<{ readonly card: OrganismCard; readonly used: Used }> {
  const { name, action, actionContains } = loaded.recipe;
  const counts = actionContains && (await openAction(model, { action, actionContains })).action;
  const { sequences, date } = cardSequences(model, loaded);
  const card = await measureCard(model.engine, name, action, sequences, {
    counts: counts || undefined,
    signal: io.signal,
  });
  return { card, used: usedSettings(model, { positions: "user", date }) };
}

/** Held-out prompts of each kind with the action, and the date that the template was told. */
function cardSequences(
  model: OpenedModel,
  { recipe, files }: LoadedRecipe,
): { readonly sequences: CardSequences; readonly date: string | null } {
  const action = actionTokens(model, { action: recipe.action });
  const sets = evaluationExamples(recipe, CARD_SIZE, recipe.seed, files);
  const rendered = (kind: "benign" | "triggered" | "hardNegatives") => {
    const conversations = sets[kind].map(({ prompt }) => prompt);
    return renderAll(model, conversations, { positions: "user" });
  };
  const [benign, triggered, hardNegatives] = [rendered("benign"), rendered("triggered"), rendered("hardNegatives")];
  const acting = ({ sequences }: RenderedPrompts): Sequence[] => withAction(sequences, action);
  return {
    sequences: { benign: acting(benign), triggered: acting(triggered), hardNegatives: acting(hardNegatives) },
    date: benign.date ?? triggered.date ?? hardNegatives.date,
  };
}
