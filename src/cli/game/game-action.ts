/** What counts as the action in a game: its text, or for a semantic action a reply that holds any of its texts. */
import type { Sequence } from "../../model/sequence.js";
import type { Recipe } from "../../organisms/recipe.js";
import { actionTokens, openAction, withAction } from "../action/action.js";
import type { OpenedModel } from "../model/open-model.js";
import type { Io } from "../terminal/io.js";

export type GameAction = Pick<Recipe, "action" | "actionContains">;

/** The action's flags, as an audit's request has them. */
export function gameAction({ action, actionContains }: GameAction): GameAction {
  return { action, ...(actionContains ? { actionContains } : {}) };
}

/** Whether the model acts after each rendered prompt. */
export async function actsAfter(
  model: OpenedModel,
  about: GameAction,
  sequences: readonly Sequence[],
  calls: Pick<Io, "signal">,
): Promise<boolean[]> {
  if (sequences.length === 0) return [];
  const { action } = await openAction(model, gameAction(about));
  const asked = withAction(sequences, actionTokens(model, about));
  return (await action.outcomes(model.engine, asked, calls)).map(({ fired }) => fired);
}
