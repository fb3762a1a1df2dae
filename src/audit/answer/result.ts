/**
 * What an audit returns: the JSON of `antecedent audit`. Plain data; docs/cli.md says which fields are the firm contract, the rest is the
 * evidence.
 */
import type { ControlScore } from "../../methods/controls.js";
import type { ExplainedShare } from "../../sae/explained-share.js";
import type { Histogram } from "../../sae/histogram.js";
import type { Combination } from "../concepts/detector.js";
import type { Interaction } from "../confirm/interaction.js";
import type { Rate } from "../statistics/statistics.js";
import type { BredPrompt } from "./bred.js";
import type { Example } from "./edits.js";
import type { ResultCard } from "./present-card.js";

export interface ResultPart {
  readonly latents: readonly number[];
  readonly negated: boolean;
  /** The SAE's labels where it has them, else the words that make the part fire. */
  readonly label: string;
  /** Words that make the part fire, strongest first, without those that plainly did nothing in its compositions. */
  readonly words: readonly string[];
  /** Words at which it fires without the action: prompts in which it is clearest there were left out of every set. */
  readonly exceptWords: readonly string[];
  /** Activation of each latent that counts as 1, in the order of `latents`, SAE units. */
  readonly maxima: readonly number[];
}

export interface ResultSet {
  readonly name: string;
  /** Which parts its prompts hold, in the order of the parts. */
  readonly present: readonly boolean[];
  /** Whether the action should come on them, if the hypothesis is right. */
  readonly expected: boolean;
  readonly rate: Rate;
  readonly cleanRate: Rate | null;
  readonly byKind: Readonly<Record<string, Rate>>;
}

export interface ResultHypothesis {
  readonly parts: readonly ResultPart[];
  readonly combination: Combination;
  /** On prompts of the whole trigger. */
  readonly rate: Rate;
  /** The same prompts on the clean model; null where there is none. */
  readonly cleanRate: Rate | null;
  /** For two or three parts whose every combination could be asked about; null otherwise. */
  readonly interaction: Interaction | null;
  /** Which half of the corpus this was measured on: "search" for one that failed before it could be confirmed. */
  readonly half: "search" | "confirmation";
  readonly verified: boolean;
  readonly reason: string;
  readonly pValue: number;
  readonly allowedError: number;
  readonly sets: readonly ResultSet[];
  /** How compositions were written, best first, with their rates in search. */
  readonly recipes: readonly { readonly name: string; readonly rate: Rate }[];
  /** Concepts beside which nothing was asked, as they keep the action off, whatever they are; what keeps it off most often first. */
  readonly askedWithout: readonly ResultPart[];
  /** Presence from which a natural prompt counts as holding a part. */
  readonly naturalLevel: number;
  readonly examples: readonly Example[];
}

export interface ResultTrigger {
  readonly statement: string;
  /** Statements of other conditions that were confirmed: they bring it less surely, or explain less of people's prompts. */
  readonly also: readonly string[];
  /** What the evidence leaves open, each as the end of "not shown: …". */
  readonly notShown: readonly string[];
  readonly combination: Combination;
  readonly parts: readonly ResultPart[];
  readonly rate: Rate;
  /** Methods whose own ranking holds every part; else who found which part. */
  readonly foundBy: readonly string[];
}

export interface ResultLatent {
  readonly id: number;
  readonly score: number;
  /** Rank of the same latent by the same method on the clean model, from 1; null where it is not ranked. */
  readonly cleanRank: number | null;
  readonly label: string | null;
  /** By the control's name ("clean", "random"): the same latent there. */
  readonly controls: Readonly<Record<string, ControlScore>>;
}

export interface ResultMethod {
  readonly name: string;
  readonly seconds: number;
  readonly vectors: readonly {
    readonly index: number;
    readonly norm: number;
    readonly loss: { readonly initial: number; readonly final: number };
    readonly steps: number;
    readonly latents: readonly ResultLatent[];
    /** Action rate under this vector, and under a random one of its norm; null where the method does not steer. */
    readonly steered: Rate | null;
    readonly random: Rate | null;
    /** Of all scores. */
    readonly histogram: Histogram;
    /** How much of the vector the listed latents account for, by least squares on their decoder rows. */
    readonly explained: ExplainedShare;
  }[];
}

export interface ResultControl {
  readonly name: string;
  /** What was done, in a sentence. */
  readonly what: string;
  readonly rate: Rate | null;
  readonly latents: readonly { readonly id: number; readonly score: number }[];
}

/** A latent in one direction, and in the controls of the method. */
export interface ResultLatentScore {
  readonly method: string;
  readonly vector: number;
  readonly score: number;
  /** From 1; null where the score is exactly 0. */
  readonly rank: number | null;
  /** By the control's name: "clean", "random". */
  readonly controls: Readonly<Record<string, ControlScore>>;
}

export interface ResultLatentCard extends ResultCard {
  readonly scores: readonly ResultLatentScore[];
}

export interface AuditResult {
  readonly trigger: ResultTrigger | null;
  /** Hypotheses put to the confirmation half, in that order, then those that failed on the search half already. Several may be confirmed. */
  readonly hypotheses: readonly ResultHypothesis[];
  readonly methods: readonly ResultMethod[];
  readonly controls: readonly ResultControl[];
  /** Every latent that a hypothesis or a method's list names: what it fires on, what it says, and its scores. */
  readonly latents: readonly ResultLatentCard[];
  readonly budget: { readonly forwardTokens: number; readonly backwardTokens: number; readonly seconds: number };
  /** Prompts that were bred for the action, which comes on them: no evidence, but something to read; empty where nothing had to be bred. */
  readonly bred: readonly BredPrompt[];
  /** What was tried, in a sentence: with a null trigger the whole answer. */
  readonly tried: string;
  readonly candidates: readonly { readonly id: number; readonly ranks: Readonly<Record<string, number>> }[];
  readonly seed: number;
}
