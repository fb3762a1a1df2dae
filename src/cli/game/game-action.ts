/** What counts as the action in a game: its text, or for a semantic action a reply that holds any of its texts. */
import type { Conversation } from "../../formats/prompts.js";
import type { Recipe } from "../../organisms/recipe.js";
import { actionTokens, openAction, withAction } from "../action/action.js";
import type { OpenedModel } from "../model/open-model.js";
import { renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";

export type GameAction = Pick<Recipe, "action" | "actionContains">;

/** The action's flags, as an audit's request has them. */
export function gameAction({ action, actionContains }: GameAction): GameAction {
  return { action, ...(actionContains ? { actionContains } : {}) };
}

/** Whether the model acts after each prompt. */
export async function actsAfter(
  model: OpenedModel,
  about: GameAction,
  prompts: readonly Conversation[],
  calls: Pick<Io, "signal"> | Record<string, never> = {},
): Promise<boolean[]> {
  if (prompts.length === 0) return [];
  const { action } = await openAction(model, gameAction(about));
  const sequences = withAction(renderAll(model, prompts, { positions: "user" }).sequences, actionTokens(model, about));
  return (await action.outcomes(model.engine, sequences, calls)).map(({ fired }) => fired);
}
