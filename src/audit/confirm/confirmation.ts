/** What a confirmation is made of: the sets that were tried, and what they allow to be claimed. */
import type { Observation } from "../ask/laboratory.js";
import type { Condition } from "../compose/prompt-sets.js";
import type { Hypothesis } from "../concepts/detector.js";
import type { Rate } from "../statistics/statistics.js";

/** One confirmation set, tried. */
export interface TestedSet {
  /** "whole", "without part 1", "with part 2" (an excluded one put in), "only part 1" (of an "any"), "neither", "with another than part 2" (in the place of an excluded one). */
  readonly name: string;
  readonly condition: Condition;
  readonly observations: readonly Observation[];
  readonly rate: Rate;
  /** Null where there is no clean model. */
  readonly cleanRate: Rate | null;
  /** Rates by source of the prompts: "natural" or a composition's name. */
  readonly byKind: Readonly<Record<string, Rate>>;
}

export interface Confirmation {
  readonly hypothesis: Hypothesis;
  /** The prompts on which the hypothesis stands or falls. */
  readonly whole: TestedSet;
  /** Of alternatives: those prompts apart, each alternative alone; else empty. */
  readonly alternatives: readonly TestedSet[];
  readonly others: readonly TestedSet[];
  /** Other concepts in the places of those that must be absent: what fires there shows that it is these. */
  readonly placebos: readonly TestedSet[];
  /** Composed sets in which each part is present or absent, matched word for word: what effects are estimated from. */
  readonly factorial: readonly TestedSet[];
  /** Largest one-sided p-value of "whole fires more often than this set". */
  readonly pValue: number;
  /** Error that was allowed, at the last look. */
  readonly allowed: number;
  readonly verified: boolean;
  /** Why it is not verified, or what carries it. */
  readonly reason: string;
}
