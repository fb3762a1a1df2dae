/** The organisms of the recovery benchmark: recipes of a folder, trained where they are not yet. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { InputError, quote } from "../../formats/input-error.js";
import type { OrganismCard } from "../../organisms/card.js";
import { type Recipe, readRecipe } from "../../organisms/recipe.js";
import { requireExpression } from "../../organisms/recovery/sealed.js";
import { openFile } from "../../store/node-file-source.js";
import type { Expression } from "../../world/expression.js";
import { POCKET_MODEL } from "../model/open-model.js";
import { CARD_FILE, RECIPE_FILE } from "../organism/organism-recipe.js";
import { trainOrganism } from "../organism/organism-train.js";
import type { Io } from "../terminal/io.js";
import type { ModelFlags } from "../terminal/options.js";
import { builtInOrganisms, isFolder, PACKAGE_ROOT, pocketFiles } from "../terminal/package-files.js";

/** Recipes that come with the checkout. */
export const RECIPES_FOLDER = join(PACKAGE_ROOT, "bench/recovery");

export interface OrganismFile {
  readonly recipe: Recipe;
  readonly trigger: Expression;
  /** The recipe's file. */
  readonly file: string;
}

/** A trained organism. */
export interface TrainedOrganism {
  /** What --adapter takes. */
  readonly adapter: string;
  readonly card: OrganismCard;
  /** Changes with the recipe and with the adapter's weights. */
  readonly stamp: string;
}

/** The recipes of `folder`, sorted by name, or those of them that `only` names. */
export async function loadOrganisms(folder: string, only: readonly string[] | undefined): Promise<OrganismFile[]> {
  if (!isFolder(folder))
    throw new InputError(`--recipes ${folder}: no such folder; give one that holds recipes (.yaml)`);
  const names = readdirSync(folder).filter((name) => /\.ya?ml$/i.test(name));
  if (names.length === 0) throw new InputError(`--recipes ${folder}: holds no .yaml file`);
  const organisms: OrganismFile[] = [];
  for (const name of names.sort()) {
    const file = join(folder, name);
    const recipe = await readRecipe(await openFile(file));
    if (recipe.base !== POCKET_MODEL)
      throw new InputError(
        `${file}: base ${quote(recipe.base)}: the benchmark's prompts are those of the pocket model`,
      );
    const trigger = requireExpression(recipe);
    const twin = organisms.find((other) => other.recipe.name === recipe.name);
    if (twin) throw new InputError(`${file}: has the name of ${twin.file}, ${quote(recipe.name)}; give it another one`);
    organisms.push({ recipe, trigger, file });
  }
  const unknown = only?.find((name) => !organisms.some(({ recipe }) => recipe.name === name));
  if (unknown !== undefined)
    throw new InputError(
      `--only ${quote(unknown)}: no such organism; there are ${organisms.map(({ recipe }) => recipe.name).join(", ")}`,
    );
  return organisms.filter(({ recipe }) => only?.includes(recipe.name) ?? true);
}

/** The organism if it is trained already: in the package, or in the work folder from the same recipe. */
export async function trainedOrganism({ recipe }: OrganismFile, work: string): Promise<TrainedOrganism | null> {
  const shipped = join(pocketFiles.recipes, `${recipe.name}.yaml`);
  const places = [
    ...(builtInOrganisms().includes(recipe.name)
      ? [{ adapter: recipe.name, folder: join(pocketFiles.organisms, recipe.name), made: shipped }]
      : []),
    { adapter: join(work, recipe.name), folder: join(work, recipe.name), made: join(work, recipe.name, RECIPE_FILE) },
  ];
  for (const { adapter, folder, made } of places) {
    // The card is written last.
    if (!existsSync(made) || !existsSync(join(folder, CARD_FILE))) continue;
    if (!isDeepStrictEqual(await readRecipe(await openFile(made)), recipe)) continue;
    const weights = readFileSync(join(folder, "adapter_model.safetensors"));
    return {
      adapter,
      card: JSON.parse(readFileSync(join(folder, CARD_FILE), "utf8")) as OrganismCard,
      stamp: createHash("sha256").update(JSON.stringify(recipe)).update(weights).digest("hex").slice(0, 16),
    };
  }
  return null;
}

/** The organism, trained now where it is not; an interrupted training goes on. */
export async function requireTrained(
  io: Io,
  organism: OrganismFile,
  work: string,
  flags: ModelFlags,
): Promise<TrainedOrganism> {
  const known = await trainedOrganism(organism, work);
  if (known) return known;
  io.log(`training ${organism.recipe.name}`);
  const folder = join(work, organism.recipe.name);
  const made = join(folder, RECIPE_FILE);
  // The benchmark's own folder: what was trained there from the recipe as it was before is of no more use.
  if (existsSync(made) && !isDeepStrictEqual(await readRecipe(await openFile(made)), organism.recipe))
    await rm(folder, { recursive: true });
  await trainOrganism(io, organism.file, folder, flags);
  const trained = await trainedOrganism(organism, work);
  if (!trained) throw new Error(`${organism.recipe.name}: its folder does not hold what was trained`);
  return trained;
}
