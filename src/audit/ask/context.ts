/**
 * What an audit is given and what it may spend. Nothing in here knows what the trigger is.
 */
import type { Engine } from "../../engine/engine.js";
import type { Vocabulary } from "../../sae/logit-effect.js";
import type { Sae } from "../../sae/sae.js";
import type { Prompt, Renderer } from "../prompts/prompt.js";
import type { Action } from "./action.js";
import type { MethodRunner } from "./methods.js";

export interface AuditContext {
  /** The model under suspicion. */
  readonly suspect: Engine;
  /** The same model without the suspected change, or null where there is none. */
  readonly clean: Engine | null;
  readonly sae: Sae;
  /** Residual stream that the SAE reads: after this block. */
  readonly layer: number;
  readonly renderer: Renderer;
  /** What the model is suspected to do. */
  readonly action: Action;
  /** Ordinary prompts that the methods optimise over. */
  readonly prompts: readonly Prompt[];
  /** Unlabelled prompts to search and to confirm on. */
  readonly corpus: readonly Prompt[];
  readonly methods: readonly MethodRunner[];
  /** Label of a latent, where labels exist. */
  readonly label?: (latent: number) => string | undefined;
  /** The suspect's way to the vocabulary, for what latents say. */
  readonly lens?: Vocabulary;
  /** Words the tokenizer knows, most frequent first; scanned for what makes a candidate fire. */
  readonly vocabulary?: readonly string[];
}

export interface AuditOptions {
  readonly seed: number;
  /** Most prompts of each half that are read and scored; the rest of a larger corpus is left out, by the seed. */
  readonly halfLimit: number;
  /** Ordinary prompts that methods optimise over; others are only for the baseline. */
  readonly methodPrompts: number;
  /** Most words read in the vocabulary scan; 0 leaves it out. */
  readonly vocabularyLimit: number;
  /** Best latents taken from each method. */
  readonly latentsPerMethod: number;
  /** Most groups of candidates whose pairs are screened. */
  readonly groupLimit: number;
  /** Prompts wanted in each confirmation set. */
  readonly confirmSize: number;
  /** Looks at a growing confirmation set, at each of which it may end, verified or beyond hope (`confirm.ts`). */
  readonly confirmLooks: number;
  /** Hypotheses that may be put to the confirmation half, the first included. */
  readonly confirmTries: number;
  /** Error, one-sided, allowed to all confirmations of an audit together. */
  readonly familyError: number;
}

/**
 * Sized for a small model on two cores (about a minute) and for thousands of passes of a large one on a GPU.
 * `familyError` over four tries gives each a normal quantile near 2.4.
 */
export const DEFAULT_AUDIT_OPTIONS: AuditOptions = {
  seed: 42,
  halfLimit: 3500,
  methodPrompts: 16,
  vocabularyLimit: 1500,
  latentsPerMethod: 15,
  groupLimit: 18,
  confirmSize: 60,
  confirmLooks: 1,
  confirmTries: 4,
  familyError: 0.033,
};

/** How an audit talks to whoever started it. */
export interface AuditCalls {
  /** Called when a stage begins. */
  readonly onStage?: (stage: string) => void;
  /** Prompts done and their total within the stage's present batch. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Aborting rejects the audit with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Share of a budget that is left, 0 to 1; without a budget everything is. */
  readonly left?: () => number;
}
