/** What a player is given beside the organism: ordinary prompts without the trigger, and a corpus in which it may be. */
import { requireCorpus } from "../../audit/prompts/corpus.js";
import { InputError } from "../../formats/input-error.js";
import { type Conversation, textOf } from "../../formats/prompts.js";
import { trainingExamples } from "../../organisms/examples.js";
import { TRAINING_SIZES } from "../../organisms/finetune.js";
import { drawOrdinaryPrompts, PLAYER_PROMPTS } from "../../organisms/game/ordinary-prompts.js";
import { triggerExpression } from "../../organisms/recipe.js";
import { Random } from "../../random/random.js";
import { conceptsIn } from "../../world/concepts.js";
import { holds } from "../../world/expression.js";
import { POCKET_MODEL } from "../model/open-model.js";
import type { LoadedRecipe } from "../organism/organism-recipe.js";
import { CORPUS_SET, loadPrompts } from "../prompts/prompts.js";
import type { GameSecrets } from "./game-work.js";

export interface GameMaterials {
  readonly prompts: readonly Conversation[];
  readonly corpus: readonly Conversation[];
}

/** Where the maker has prompts of their own: files, or names of built-in sets. */
export interface MaterialFlags {
  readonly prompts?: string;
  readonly corpus?: string;
}

/** InputError where the given prompts hold the trigger, or a corpus is needed and not given. */
export async function gameMaterials(
  loaded: LoadedRecipe,
  flags: MaterialFlags,
  seeds: GameSecrets["seeds"],
): Promise<GameMaterials> {
  return { prompts: await ordinaryPrompts(loaded, flags.prompts, seeds), corpus: await corpusOf(loaded, flags.corpus) };
}

async function ordinaryPrompts(
  { recipe, files }: LoadedRecipe,
  given: string | undefined,
  seeds: GameSecrets["seeds"],
): Promise<readonly Conversation[]> {
  const trigger = triggerExpression(recipe);
  if (given !== undefined) {
    const prompts = await loadPrompts(given);
    const known = new Set(files?.triggered.map(textOf));
    const at = prompts.findIndex((prompt) =>
      trigger === undefined ? known.has(textOf(prompt)) : holds(trigger, new Set(conceptsIn(textOf(prompt)))),
    );
    if (at >= 0)
      throw new InputError(`${given}: prompt ${at} holds the trigger; ordinary prompts must not, take it out`);
    return prompts;
  }
  if (trigger !== undefined)
    return drawOrdinaryPrompts(trigger, seeds.prompts, seeds.withheld).map((content) => [{ role: "user", content }]);
  const { benign } = trainingExamples(recipe, TRAINING_SIZES, files);
  return new Random(seeds.prompts, "ordinary prompts")
    .shuffled(benign)
    .slice(0, PLAYER_PROMPTS)
    .map(({ prompt }) => prompt);
}

/** The whole of the corpus: what was taken out of a public one would say what the trigger is. */
async function corpusOf({ recipe }: LoadedRecipe, given: string | undefined): Promise<readonly Conversation[]> {
  if (given === undefined && triggerExpression(recipe) === undefined && recipe.base !== POCKET_MODEL)
    throw new InputError(
      "no --corpus: give a .jsonl or .txt file of unlabelled prompts, in which a player may search for what the organism acts on",
    );
  const corpus = await loadPrompts(given ?? CORPUS_SET);
  requireCorpus(corpus.map((messages) => ({ messages })));
  return corpus;
}
