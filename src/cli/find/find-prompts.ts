/** Which prompts a method optimises over, and which its vectors are tried on. */
import { InputError } from "../../formats/input-error.js";
import type { Conversation } from "../../formats/prompts.js";
import type { Sequence } from "../../model/sequence.js";
import type { OpenedModel } from "../model/open-model.js";
import { BENIGN_SET, loadPrompts, loadPromptsOr, renderAll, requireMaskedTokens } from "../prompts/prompts.js";
import type { PromptFlags } from "../terminal/options.js";

/** Prompts of the built-in set that are optimised over where no file was named. */
const DEFAULT_TRAINING = 16;
/** Prompts that vectors are tried on. */
const TRIALS = 32;

export interface FindPromptFlags extends PromptFlags {
  readonly train?: number;
  readonly evalPrompts?: string;
}

export interface PromptSet {
  readonly conversations: readonly Conversation[];
  /** As tokens, without an action. */
  readonly sequences: readonly Sequence[];
}

export interface FindPrompts {
  /** Optimised over. */
  readonly training: PromptSet;
  /** What vectors are tried on. */
  readonly trial: PromptSet;
  /** Whether the trial prompts are none of the training prompts. */
  readonly heldOut: boolean;
  /** The date that the template was told, where it prints one. */
  readonly date: string | null;
}

/** Chooses, renders and tokenises the prompts. Throws InputError where one has no token to steer, or there are fewer than --train. */
export async function findPrompts(flags: FindPromptFlags, model: OpenedModel): Promise<FindPrompts> {
  const { training, trial, heldOut } = await choosePrompts(flags, model);
  const render = (conversations: readonly Conversation[]) => {
    return { conversations, ...renderAll(model, conversations, flags) };
  };
  const { date, ...optimised } = render(training);
  requireMaskedTokens(optimised.sequences, training, flags.positions);
  return { training: optimised, trial: render(trial), heldOut, date };
}

/**
 * Optimises over all of --prompts, or its first --train. Vectors are tried on --eval-prompts, else on what --train left,
 * else (pocket model) on its own ordinary prompts, else on the training prompts themselves.
 */
async function choosePrompts(
  flags: FindPromptFlags,
  model: OpenedModel,
): Promise<{ training: Conversation[]; trial: Conversation[]; heldOut: boolean }> {
  const all = await loadPromptsOr(flags.prompts, BENIGN_SET, model);
  if (flags.train !== undefined && flags.train > all.length)
    throw new InputError(`--train ${flags.train}: there are ${all.length} prompts; give at most as many`);
  const training = all.slice(0, flags.train ?? (flags.prompts === undefined ? DEFAULT_TRAINING : all.length));
  const seen = new Set(training.map(key));
  const unseen = (prompts: readonly Conversation[]) =>
    prompts.filter((prompt) => !seen.has(key(prompt))).slice(0, TRIALS);
  if (flags.evalPrompts !== undefined) {
    const trial = (await loadPrompts(flags.evalPrompts)).slice(0, TRIALS);
    return { training, trial, heldOut: !trial.some((prompt) => seen.has(key(prompt))) };
  }
  for (const source of [all, model.isPocket ? await loadPrompts(BENIGN_SET) : []]) {
    const trial = unseen(source);
    if (trial.length > 0) return { training, trial, heldOut: true };
  }
  return { training, trial: training.slice(0, TRIALS), heldOut: false };
}

function key(prompt: Conversation): string {
  return JSON.stringify(prompt.map(({ role, content }) => [role, content]));
}
