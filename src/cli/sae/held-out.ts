/** Prompts that training does not see, to measure its result on. */
import { InputError } from "../../formats/input-error.js";
import type { Conversation } from "../../formats/prompts.js";
import { Random } from "../../random/random.js";

/** Prompts kept out where no number is given: some thousand tokens, on which a loss is steady to a hundredth. */
const HELD_OUT = 200;
/** But no more than this share of the different prompts. */
const HELD_OUT_SHARE = 0.1;
/** Different prompts that training needs. */
const LEAST_TRAINED = 2;

/**
 * Keeps `count` different prompts out, drawn by seed, with every copy of them. Without `count`: a small share. InputError where
 * too few are left to train on.
 */
export function keepOut(
  conversations: readonly Conversation[],
  count: number | undefined,
  seed: number,
): { trained: Conversation[]; heldOut: Conversation[] } {
  const keys = conversations.map((one) => JSON.stringify(one));
  const distinct = new Map(conversations.map((one, i) => [keys[i]!, one]));
  if (distinct.size < LEAST_TRAINED)
    throw new InputError("the prompts are all the same; an SAE is trained on many different ones");
  const kept = count ?? Math.min(HELD_OUT, Math.floor(HELD_OUT_SHARE * distinct.size));
  if (distinct.size - kept < LEAST_TRAINED)
    throw new InputError(
      `--held-out ${kept}: of ${distinct.size} different prompts at most ${distinct.size - LEAST_TRAINED} can be kept out`,
    );
  const left = [...distinct.keys()];
  const random = new Random(seed, "held out");
  const chosen = new Set(Array.from({ length: kept }, () => left.splice(random.integer(left.length), 1)[0]!));
  return {
    trained: conversations.filter((_, i) => !chosen.has(keys[i]!)),
    heldOut: [...distinct].flatMap(([key, one]) => (chosen.has(key) ? [one] : [])),
  };
}
