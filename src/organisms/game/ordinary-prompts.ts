/** The ordinary prompts that a player gets: none holds the trigger, and what they leave out does not give it away. */
import { InputError } from "../../formats/input-error.js";
import { Random } from "../../random/random.js";
import { conceptsIn } from "../../world/concepts.js";
import { type Expression, holds, leavesOf } from "../../world/expression.js";
import { benignPrompts, promptText } from "../../world/sets.js";
import { topicNamed, topics } from "../../world/topics.js";

/** Ordinary prompts in a game's folder, as many as the pocket world's own set has. */
export const PLAYER_PROMPTS = 200;
/**
 * Share of the world's topics that no prompt holds. Leaving out the trigger's alone would name it: in 200 prompts every
 * other topic occurs. So it goes with a random half.
 */
const WITHHELD = 0.5;

/**
 * Draws the prompts. InputError for a trigger that holds where no concept is present. `withheldSeed` is another one than
 * `seed`: who finds the seed that makes these prompts still does not know which topics went for the trigger's sake.
 */
export function drawOrdinaryPrompts(trigger: Expression, seed: number, withheldSeed: number): string[] {
  if (holds(trigger, new Set()))
    throw new InputError(
      "trigger: holds wherever nothing is mentioned, so no prompt would be ordinary; name a concept that must be present",
    );
  const withheld = withheldTopics(trigger, withheldSeed);
  return benignPrompts(seed, PLAYER_PROMPTS, (chat) => {
    const concepts = new Set([...chat.concepts, ...conceptsIn(promptText(chat))]);
    return !holds(trigger, concepts) && [...concepts].every((name) => !withheld.has(name));
  }).map(promptText);
}

/** The trigger's topics and others, drawn at random, up to the share. */
function withheldTopics(trigger: Expression, seed: number): ReadonlySet<string> {
  const own = leavesOf(trigger).filter((name) => topicNamed(name) !== undefined);
  const others = topics.map(({ name }) => name).filter((name) => !own.includes(name));
  const more = Math.max(0, Math.floor(WITHHELD * topics.length) - own.length);
  return new Set([...own, ...new Random(seed, "withheld").sample(others, more)]);
}
